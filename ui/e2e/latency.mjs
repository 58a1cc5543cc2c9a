// How long it takes from a system call in a session to the row on the page: node e2e/latency.mjs
// With LEASH, a leash that was built with the page. One event at a time, as a person would see it.
import { chromium } from 'playwright-core';
import { startSession } from './session.mjs';

const ROUNDS = 60;
const leash = await startSession(['sh', '-c', `while [ ! -e stop ]; do : <main.c; sleep 0.2; done`]);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
await page.goto(leash.url);
await page.locator('.pulse.is-live').waitFor({ timeout: 30_000 });
// The builtin's own open: a program would bring others with it.
await page.locator('#search').fill('main.c');
await page.waitForTimeout(1000);
const delays = await page.evaluate(async (rounds) => {
  const rows = document.querySelector('.rows');
  const newest = () => [...rows.querySelectorAll('.row[id^="event-"]')].reduce((a, b) => (Number(b.id.slice(6)) > Number(a?.id.slice(6) ?? 0) ? b : a), null);
  const out = [];
  let last = newest()?.id;
  while (out.length < rounds) {
    await new Promise((r) => requestAnimationFrame(r));
    const row = newest();
    if (!row || row.id === last) continue;
    last = row.id;
    const [h, m, s] = row.querySelector('.c-time').textContent.trim().split(':');
    const now = new Date();
    out.push(now - new Date(now).setHours(Number(h), Number(m), Math.floor(Number(s)), Math.round((Number(s) % 1) * 1000)));
  }
  return out.sort((a, b) => a - b);
}, ROUNDS);
const median = delays[ROUNDS / 2];
console.log(`${median > 50 ? 'FAILED ' : ''}from system call to drawn row, median: ${median.toFixed(0)} ms (at most 50)`);
console.log(`from system call to drawn row, 95th of 100: ${delays[Math.floor(ROUNDS * 0.95)].toFixed(0)} ms`);
await browser.close();
await leash.stop();
await leash.done();
process.exit(median > 50 ? 1 : 0);
