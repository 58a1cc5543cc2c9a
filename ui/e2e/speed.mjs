// How fast the page is with 100,000 events, and what it weighs: node e2e/speed.mjs [EVENTS]
// Against dev/server.mjs, whose answers cost as little as can be. Fails where a limit is passed.
import { fork, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const n = Number(process.argv[2] ?? 100_000);
const port = 18500 + (process.pid % 400);
const server = fork(new URL('../dev/server.mjs', import.meta.url).pathname, ['--port', port, '--make', n, '--hostile'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
await new Promise((r) => server.once('message', r));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--enable-precise-memory-info', '--js-flags=--expose-gc'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
const page = await context.newPage();
const cdp = await context.newCDPSession(page);
const failures = [];

function report(what, value, unit, limit) {
  const bad = limit !== undefined && value > limit;
  if (bad) failures.push(what);
  console.log(`${bad ? 'FAILED ' : ''}${what}: ${value.toFixed(value < 10 ? 1 : 0)} ${unit}${limit === undefined ? '' : ` (at most ${limit})`}`);
}

// ---- Weight and load. The second load is of a machine that has seen the page's files. ----
await page.goto(`http://127.0.0.1:${port}/#token=dev`);
await page.locator('.pulse').waitFor();
const own = () => page.evaluate(() => performance.getEntriesByType('resource').filter((r) => !r.name.includes('/api')).reduce((sum, r) => sum + r.transferSize, 0));
await page.evaluate(() => (location.hash = '/policy'));
await page.locator('.cm-content').waitFor();
const html = await page.evaluate(() => performance.getEntriesByType('navigation')[0].transferSize);
report('transfer, everything', ((await own()) + html) / 1024, 'KiB', 250);

const loads = [];
for (let i = 0; i < 5; i++) {
  await page.goto('about:blank');
  await page.goto(`http://127.0.0.1:${port}/#/live`);
  await page.locator('.table .head').waitFor();
  const paint = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  loads.push(await paint.jsonValue());
}
report('first contentful paint', Math.min(...loads), 'ms', 300);

// ---- All events there ----
const before = Date.now();
await page.locator('.pulse.is-live').waitFor({ timeout: 120_000 });
report(`history of ${n} events`, Date.now() - before, 'ms');

// ---- Scrolling: 6,000 pixels a second, which is a fast flick, and a scrollbar that is dragged ----
await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
const busy = async () => Object.fromEntries((await cdp.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value * 1000]));
const FRAMES = 180;
async function scroll(what, pixels, most) {
  const before = await busy();
  const frames = await page.evaluate(async ([pixels, n]) => {
    const e = document.querySelector('.scroller');
    e.scrollTop = 0;
    await new Promise((r) => setTimeout(r, 300));
    const times = [];
    let blank = 0;
    let last = performance.now();
    for (let i = 0; i < n; i++) {
      e.scrollTop += pixels;
      await new Promise((r) => requestAnimationFrame(r));
      const now = performance.now();
      times.push(now - last);
      last = now;
      if (document.querySelector('.table .row-empty')) blank++;
    }
    times.sort((a, b) => a - b);
    return { median: times[n >> 1], p95: times[Math.floor(n * 0.95)], blank };
  }, [pixels, FRAMES]);
  const after = await busy();
  // Processor time of the page's own thread: a busy machine draws fewer frames, which is not the page's doing.
  for (const [name, metric, limit] of [['', 'TaskDuration', most], [', script', 'ScriptDuration'], [', layout', 'LayoutDuration'], [', style', 'RecalcStyleDuration']])
    report(`${what}, processor time a frame${name}`, (after[metric] - before[metric]) / FRAMES, 'ms', limit);
  report(`${what}, median frame`, frames.median, 'ms');
  report(`${what}, 95th of 100 frames`, frames.p95, 'ms');
  report(`${what}, frames with a row not there yet`, frames.blank, `of ${FRAMES}`);
}
await scroll('scrolling', 100, 16.6);
await scroll('scrolling by 300 pixels a frame', 300);

// ---- Filters: from the key to the drawn answer ----
const answers = await page.evaluate(async () => {
  const input = document.querySelector('#search');
  const shown = document.querySelector('.shown');
  const out = [];
  for (const text of ['mod4', 'pkg-12', 'no such text', 'id_rsa', 'curl', '']) {
    const old = shown.textContent;
    const start = performance.now();
    input.value = text;
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    await new Promise((done) => {
      const watch = new MutationObserver(() => shown.textContent !== old && (watch.disconnect(), done()));
      watch.observe(shown, { subtree: true, characterData: true, childList: true });
    });
    out.push(performance.now() - start);
    await new Promise((r) => setTimeout(r, 400));
  }
  return out;
});
report('filter answers, median', answers.sort((a, b) => a - b)[Math.floor(answers.length / 2)], 'ms', 50);
report('filter answers, slowest', answers[answers.length - 1], 'ms');

// ---- Live: 5,000 events a second arrive, and the list follows them ----
const RATE = 5000;
const SECONDS = 5;
server.send({ rate: RATE });
await page.waitForTimeout(2000);
const liveBefore = await busy();
const live = await page.evaluate(async (seconds) => {
  const shown = () => Number(document.querySelector('.shown').textContent.replace(/\D/g, ''));
  const first = shown();
  const start = performance.now();
  let n = 0;
  while (performance.now() - start < seconds * 1000) {
    await new Promise((r) => requestAnimationFrame(r));
    n++;
  }
  const took = (performance.now() - start) / 1000;
  return { frames: n, fps: n / took, arrived: (shown() - first) / took };
}, SECONDS);
const liveAfter = await busy();
server.send({ rate: 0 });
report('live, events that arrived', live.arrived, 'a second');
report(`live at ${RATE} events/s, processor time a frame`, (liveAfter.TaskDuration - liveBefore.TaskDuration) / (SECONDS * 60), 'ms', 16.6);
report('live, frames', live.fps, 'a second');

// ---- Memory: the page's heap and the worker's, arrays included ----
await page.waitForTimeout(1500);
let heap = 0;
await cdp.send('HeapProfiler.collectGarbage');
const main = await cdp.send('Runtime.getHeapUsage');
heap += main.usedSize + (main.backingStorageSize ?? 0) + (main.embedderHeapUsedSize ?? 0);
const workers = [];
cdp.on('Target.attachedToTarget', (e) => workers.push(e));
await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
await page.waitForTimeout(300);
for (const w of workers) {
  const call = (method) =>
    new Promise((done) => {
      const id = Math.floor(Math.random() * 1e9);
      const got = (e) => {
        const m = JSON.parse(e.message);
        if (m.id !== id) return;
        cdp.off('Target.receivedMessageFromTarget', got);
        done(m.result);
      };
      cdp.on('Target.receivedMessageFromTarget', got);
      void cdp.send('Target.sendMessageToTarget', { sessionId: w.sessionId, message: JSON.stringify({ id, method, params: {} }) });
    });
  await call('HeapProfiler.collectGarbage');
  const use = await call('Runtime.getHeapUsage');
  const size = use.usedSize + (use.backingStorageSize ?? 0);
  heap += size;
  report(`worker's heap and arrays`, size / 2 ** 20, 'MiB');
}
report('page and worker, after a collection', heap / 2 ** 20, 'MiB', 150);
// The renderer's own memory, as the system counts it: Chromium itself is in it.
const pids = execFileSync('pgrep', ['-f', 'type=renderer'], { encoding: 'utf8' }).trim().split('\n');
const own_ = pids
  .map((pid) => {
    try {
      return Number(/Private_Dirty:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024;
    } catch {
      return 0;
    }
  })
  .sort((a, b) => b - a);
report('the renderer process, private', own_[0] ?? 0, 'MiB');

await browser.close();
server.kill();
if (failures.length) process.exitCode = 1;
