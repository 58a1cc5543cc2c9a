// The page, in Debian's Chromium, against a session of leash's. Needs ui/node_modules
// and a leash that was built with the page; LEASH names it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { HOSTILE, startSession, startWire, until } from './session.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.SHOTS;

let leash;
let wire;
let browser;
let context;
let page;
const complaints = [];
const foreign = [];

before(async () => {
  leash = await startSession();
  wire = await startWire(leash.port);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      `--host-resolver-rules=MAP 127.0.0.1:${leash.port} 127.0.0.1:${wire.port},MAP rebound.test 127.0.0.1`,
    ],
  });
  context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  context.setDefaultTimeout(30_000);
  page = await context.newPage();
  page.on('console', (m) => m.type() === 'error' && complaints.push(m.text()));
  page.on('pageerror', (e) => complaints.push(String(e)));
  page.on('dialog', (d) => (complaints.push(`dialog: ${d.message()}`), d.dismiss()));
  page.on('request', (r) => r.url().startsWith(leash.origin) || foreign.push(r.url()));
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  wire?.close();
  await leash?.done();
});

const shot = (name) => (shots ? page.screenshot({ path: `${shots}/${name}.png` }) : null);
const generation = async () => (await (await leash.api('/api/session')).json()).generation;
const table = () => page.getByRole('grid', { name: 'Events' });
const editorText = () => page.locator('.cm-content').evaluate((e) => e.innerText);
const goTo = (view) => page.evaluate((v) => (location.hash = `/${v}`), view);

// The list, without filters.
async function live() {
  await goTo('live');
  await table().waitFor();
  const clear = page.getByRole('button', { name: 'clear', exact: true });
  if (await clear.count()) await clear.click();
  await page.locator('#search').fill('');
}

async function write(text) {
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  const before = complaints.length;
  await page.keyboard.insertText(text);
  // Chromium itself would carry the style of the replaced text over, which the content policy refuses. What
  // it says comes in order: all that was said by now is here when this is.
  await page.evaluate(() => console.error('written'));
  await until('what Chromium says', () => complaints.includes('written', before));
  complaints.push(...complaints.splice(before).filter((c) => c !== 'written' && !c.startsWith('Applying inline style')));
}

test('without a token there is a clear screen, and with a wrong one', async () => {
  for (const url of [leash.origin, `${leash.origin}/#token=${'0'.repeat(64)}`]) {
    await page.goto('about:blank');
    await page.goto(url);
    await page.getByText('It opens with the link that leash printed').waitFor();
  }
  assert.equal(complaints.filter((c) => !c.includes('401')).length, 0, complaints.join('\n'));
  complaints.length = 0;
});

test('the token is traded for a cookie and leaves the address', async () => {
  await page.goto('about:blank');
  await page.goto(leash.url);
  await page.locator('.pulse.is-live').waitFor();
  assert.ok(!page.url().includes(leash.token));
  const [cookie] = await context.cookies(leash.origin);
  assert.ok(cookie.httpOnly && cookie.sameSite === 'Strict');
  assert.notEqual(cookie.value, leash.token);
  await page.reload();
  await page.locator('.pulse.is-live').waitFor();
});

test('what the agent opens arrives', async () => {
  await page.locator('#search').fill('secrets/key.txt');
  await table().getByRole('row', { name: /read.*key\.txt/ }).last().waitFor();
  const n = () => page.locator('.shown').innerText();
  const now = await n();
  await until('more of them', async () => (await n()) !== now);
  await page.locator('#search').fill('');
});

test('names are shown escaped and never interpreted', async () => {
  await live();
  await page.locator('#search').fill('onerror');
  const row = table().getByRole('row', { name: /onerror/ }).first();
  await row.waitFor();
  const text = await row.innerText();
  assert.ok(text.includes('a<img src=x onerror=alert(1)>\\u{202e}txt.\\u{200b}b'), text);
  // A list that moves is hard to hit.
  await page.getByRole('button', { name: 'Pause' }).click();
  await row.click();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('complementary', { name: /^Event/ }).waitFor();
  assert.equal(await page.locator('img').count(), 0);
  assert.ok(!(await page.locator('body').innerText()).includes('\u202e'));
  assert.ok(!(await page.content()).includes(HOSTILE.slice(-5)));
  await page.keyboard.press('Escape');
  await page.locator('#search').fill('');
});

test('denials can be filtered, opened and understood', async () => {
  await live();
  await page.getByRole('button', { name: 'Stopped only' }).click();
  await until('only denials', async () => {
    const words = await table().locator('.rows .c-decision').allInnerTexts();
    return words.length > 0 && words.every((w) => w === 'denied');
  });
  await table().getByRole('row', { name: /leash-test-denied/ }).last().click();
  const drawer = page.getByRole('complementary', { name: /^Event/ });
  await drawer.getByText('No policy permits it').waitFor();
  await drawer.getByText('EACCES').first().waitFor();
  await shot('drawer');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'clear', exact: true }).click();
});

test('a directory is forbidden from the drawer: text first, then in force', async () => {
  await live();
  await until('the file to be open', () => leash.result() === 'open');
  const was = await generation();
  await page.locator('#search').fill('secrets/key.txt');
  await table().getByRole('row', { name: /read.*key\.txt/ }).last().click();
  await page.getByRole('button', { name: 'Forbid this…' }).click();
  await page.getByText('this directory').click();
  const text = page.locator('.make .cedar');
  await until('the text', async () => /Dir::".*secrets\/?"/.test(await text.innerText()));
  assert.match(await text.innerText(), /^forbid/);
  assert.match(await page.locator('.make').innerText(), /Covers [\d,]+ recorded event/);
  // Nothing was applied by looking at it.
  assert.equal(await generation(), was);
  assert.equal(leash.result(), 'open');
  await shot('forbid');

  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText(/In force: generation \d+, after [\d.]+ ms/).waitFor();
  await until('the open to fail', () => leash.result() === 'denied');
  await page.getByRole('button', { name: 'Newest' }).click();
  await table().locator('.row.tone-deny').last().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#search').fill('');
  await goTo('policy');
  await until('the policy in the editor', async () => /forbid[\s\S]*secrets/.test(await editorText()));
  assert.match(readFileSync(leash.policyFile, 'utf8'), /forbid[\s\S]*secrets/);
});

test('a mistake is marked at its place, and not applied', async () => {
  await goTo('policy');
  const old = await editorText();
  await write('permit (principal, action, resource);\nforbid (principal, action == Action::"FileOpn", resource);\n');
  const mark = page.locator('.cm-lintRange-error');
  await mark.first().waitFor();
  assert.match(await mark.first().innerText(), /FileOpn/);
  const line = await mark.first().evaluate((e) => [...e.closest('.cm-content').children].indexOf(e.closest('.cm-line')));
  assert.equal(line, 1);
  assert.ok(await page.getByRole('button', { name: 'Apply' }).isDisabled());
  await page.getByRole('tab', { name: /Findings/ }).click();
  await page.getByText(/unknown_action/).first().waitFor();
  await shot('mistake');

  await write('forbid (principal, action, resource)\nwhen { context.exe == "/bin/sh" \n');
  await until('the syntax error', async () => (await page.locator('.findings').innerText()).includes('3:1') || (await page.locator('.cm-lint-marker-error').count()) > 0);
  await page.getByRole('button', { name: 'Undo all' }).click();
  await until('the text as it was', async () => (await editorText()).trim() === old.trim());
});

async function completes(before, pattern) {
  await write(before);
  await page.keyboard.press('Control+Space');
  const list = page.locator('.cm-tooltip-autocomplete li');
  await until(`${pattern} for ${before}`, async () => (await list.allInnerTexts()).some((t) => pattern.test(t)));
  const found = list.filter({ hasText: pattern }).first();
  await found.click();
  return editorText();
}

test('completion knows actions, paths that were seen and context keys', async () => {
  await goTo('policy');
  assert.match(await completes('forbid (principal, action == Action::"FileOpenRe', /FileOpenReadOnly/), /action == Action::"FileOpenReadOnly"/);
  assert.match(await completes('forbid (principal, action, resource == File::"', /main\.c/), /resource == File::".*main\.c"/);
  assert.match(await completes('forbid (principal, action == Action::"ProcessExec", resource)\nwhen { context.ar', /argv/), /context\.argv/);
  await shot('completion');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Undo all' }).click();
});

test('a click on the list counts while a newer one is on its way', async () => {
  const list = page.locator('.cm-tooltip-autocomplete li');
  const wanted = list.filter({ hasText: 'FileOpenReadOnly' });
  let answer;
  const held = new Promise((r) => (answer = r));
  await write('forbid (principal, action == Action::"FileOpenRe');
  await page.keyboard.press('Control+Space');
  await wanted.waitFor();
  await page.route('**/complete', async (route) => {
    await held;
    await route.continue().catch(() => undefined);
  });
  try {
    // The list is asked for again, and its text goes on meanwhile.
    const asked = page.waitForRequest('**/complete');
    await page.keyboard.type('a');
    await asked;
    await wanted.click();
    assert.match(await editorText(), /action == Action::"FileOpenReadOnly"?$/m);
  } finally {
    answer();
    await page.unroute('**/complete');
    await page.getByRole('button', { name: 'Undo all' }).click();
  }
});

test('a text that is typed while the policy is being read stays', async () => {
  const was = await editorText();
  let read;
  const held = new Promise((r) => (read = r));
  await page.route('**/api/policies', async (route) => {
    await held;
    await route.continue();
  });
  try {
    const asked = page.waitForRequest('**/api/policies');
    await goTo('live');
    await goTo('policy');
    await asked;
    await page.locator('.cm-content').waitFor();
    await write('// mine\n');
    const answered = page.waitForResponse('**/api/policies');
    read();
    await (await answered).finished();
    await page.waitForTimeout(200);
    assert.equal((await editorText()).trim(), '// mine');
  } finally {
    read();
    await page.unroute('**/api/policies');
  }
  await page.getByRole('button', { name: 'Undo all' }).click();
  await until('the text as it was', async () => (await editorText()).trim() === was.trim());
});

test('a text of the history is applied again', async () => {
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByRole('button', { name: 'Roll back to this' }).last().click();
  await page.getByText(/In force: generation/).waitFor();
  await until('the open to succeed', () => leash.result() === 'open');
  await until('the editor without it', async () => !/secrets/.test(await editorText()));
});

test('edits are applied with the keyboard', async () => {
  await write('@id("mine")\nforbid (principal, action in Action::"FileOpen", resource in Dir::"${WORKSPACE}/secrets/");\n');
  await page.getByText('not applied yet').waitFor();
  await page.getByRole('tab', { name: 'Changes' }).click();
  await page.locator('.change-new').first().waitFor();
  await shot('changes');
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+s');
  await page.getByText(/Generation \d+ was in force after/).waitFor();
  await until('the open to fail', () => leash.result() === 'denied');
});

test('a policy that decided leads into the editor', async () => {
  await goTo('live');
  // Older ones were stopped by another policy, and the newest may be on its way.
  const mine = page.locator('.why .ids').getByRole('button', { name: 'user:mine' });
  await until('a stop by it', async () => {
    await page.locator('.stopped .line').filter({ hasText: 'key.txt' }).first().click();
    return mine.waitFor({ timeout: 2000 }).then(
      () => true,
      () => false,
    );
  });
  await mine.click();
  await until('the editor', async () => (await editorText()).includes('mine'));
});

test('what would happen is asked, of the text in the editor too', async () => {
  await goTo('policy');
  await page.getByRole('tab', { name: 'Test' }).click();
  await page.getByLabel('Would it be allowed to').selectOption('read');
  await page.getByLabel('which').fill('main.c');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.locator('.answer', { hasText: 'By the policy in force: allowed' }).waitFor();
  await page.getByLabel('which').fill('secrets/key.txt');
  await page.keyboard.press('Enter');
  const denied = page.locator('.answer', { hasText: 'By the policy in force: denied' });
  await denied.getByText('user:mine').waitFor();
  await write('permit (principal, action, resource);\n');
  await page.locator('.answer', { hasText: 'By the text in the editor: allowed' }).waitFor();
  await page.locator('.answer', { hasText: 'By what is in force: denied' }).waitFor();
  await shot('ask');
  await write('permit (principal,');
  await page.getByText('The text in the editor has errors').waitFor();
  // What cannot be asked says why.
  await page.getByLabel('Would it be allowed to').selectOption('connect');
  await page.getByLabel('which').fill('example.com:99999');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.locator('.side [role=alert]').waitFor();
  await page.getByRole('button', { name: 'Undo all' }).click();
});

test('the least is suggested, each line with its events', async () => {
  const was = await generation();
  await page.getByRole('tab', { name: 'Suggest' }).click();
  await page.getByRole('button', { name: 'Look at what was done' }).click();
  const line = page.locator('.suggested li').first();
  const text = (await line.locator('.cedar').innerText()).replace(/\s+/g, ' ').trim();
  assert.match(text, /^permit/);
  await line.getByRole('button', { name: 'put into the editor' }).click();
  await until('it in the editor', async () => (await editorText()).replace(/\s+/g, ' ').includes(text));
  await page.getByText('not applied yet', { exact: true }).waitFor();
  assert.equal(await generation(), was);
  await shot('suggest');
  await line.getByText(/^Covers [\d,]+ event/).click();
  const seq = await line.locator('.seqs button').first().innerText();
  await line.locator('.seqs button').first().click();
  await page.getByRole('complementary', { name: `Event ${seq}`, exact: true }).getByText('Why it was allowed').waitFor();
  await page.keyboard.press('Escape');
  await goTo('policy');
  await page.getByRole('button', { name: 'Undo all' }).click();
});

test('what was done is replayed under the text in the editor', async () => {
  const was = await generation();
  await goTo('policy');
  await page.getByRole('tab', { name: 'Replay' }).click();
  await page.getByText('under what is in force', { exact: false }).waitFor();
  await write('forbid (principal, action in Action::"FileOpen", resource == File::"${WORKSPACE}/main.c");\n');
  await page.getByText('under the text in the editor', { exact: false }).waitFor();
  await page.getByRole('button', { name: 'Replay', exact: true }).click();
  await page.getByText(/operations? of [\d,]+ would be decided otherwise/).waitFor();
  const line = page.locator('.suggested li').filter({ hasText: 'main.c' }).first();
  assert.match((await line.innerText()).replace(/\s+/g, ' '), /^allow → deny file\.open \/.*main\.c [\d,]+ times?, as in \d+ by cat, by user:policy\d+$/);
  await shot('replay');
  assert.equal(await generation(), was);
  await write('forbid (principal,');
  await page.getByRole('button', { name: 'Replay again' }).click();
  await page.locator('.side [role=alert]').waitFor();
  await page.getByRole('button', { name: 'Undo all' }).click();
});

test('an earlier session is opened, and changes nothing', async () => {
  leash.leash('-I', '--listen', '', '--', 'sh', '-c', 'cat main.c; echo x >/etc/leash-earlier; true earlier-session');
  await goTo('sessions');
  await page.locator('.earlier tr').filter({ hasText: 'earlier-session' }).first().locator('button').click();
  await page.locator('.banner.past').waitFor();
  await table().getByRole('row', { name: /denied.*leash-earlier/ }).waitFor();
  const its = JSON.parse(leash.leash('sessions', '--json').split('\n').find((l) => l.includes('earlier-session')));
  await until('all of its events, and no others', async () => Number((await page.locator('.shown').innerText()).replace(/\D/g, '')) === its.events);
  await page.getByRole('button', { name: 'Stopped only' }).click();
  await table().getByRole('row', { name: /denied.*leash-earlier/ }).click();
  const drawer = page.getByRole('complementary', { name: /^Event/ });
  await drawer.getByText('No policy permits it').waitFor();
  // Of another session's events no policy is made, though the one in force is asked about them.
  assert.equal(await drawer.getByRole('button', { name: 'Permit this…' }).count(), 0);
  await shot('earlier');
  await page.keyboard.press('Escape');
  await goTo('processes');
  await page.getByRole('treeitem', { name: /^cat main\.c/ }).waitFor();
  await page.getByRole('button', { name: 'Back to this session' }).click();
  await page.locator('.banner.past').waitFor({ state: 'hidden' });
  await page.locator('#search').fill('leash-earlier');
  await page.getByText('No event matches these filters.').waitFor();
  await page.locator('#search').fill('leash-test-denied');
  await table().getByRole('row', { name: /leash-test-denied/ }).first().waitFor();
  await page.locator('#search').fill('');
});

test('after a break the page goes on without gap or double', async () => {
  await goTo('live');
  await page.locator('.pulse.is-live').waitFor();
  for (let i = 0; i < 3; i++) {
    wire.cut();
    await page.locator('.pulse.is-waiting').waitFor();
    await new Promise((r) => setTimeout(r, 700));
    wire.mend();
    await page.locator('.pulse.is-live').waitFor({ timeout: 15_000 });
  }
  // The daemon itself stands still for a while.
  leash.child.kill('SIGSTOP');
  await new Promise((r) => setTimeout(r, 1500));
  leash.child.kill('SIGCONT');
  await page.locator('.pulse.is-live').waitFor();
  assert.equal(await page.locator('.is-lost').count(), 0);
});

// What a view has when it is drawn.
const VIEWS = {
  live: '.stopped .line',
  processes: '[role=treeitem]',
  network: '.hosts h1',
  policy: '.cm-content',
  sessions: '.facts',
  mcp: '.page h1',
};
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];

test('axe finds nothing in any view, dark and light', async () => {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    for (const [view, drawn] of Object.entries(VIEWS)) {
      await goTo(view);
      await page.locator(drawn).first().waitFor();
      if (view === 'live') {
        await page.locator(drawn).first().click();
        await page.getByRole('complementary', { name: /^Event/ }).waitFor();
      }
      if (view === 'processes') {
        await page.getByRole('treeitem').first().click();
        await page.locator('.touched').waitFor();
      }
      await shot(`${view}-${colorScheme}`);
      const found = await runAxe();
      assert.deepEqual(found, [], `${view}, ${colorScheme}`);
      await page.keyboard.press('Escape');
    }
  }
});

// The content policy lets no script in; the debugger's own world may evaluate one.
async function runAxe() {
  const cdp = await context.newCDPSession(page);
  const { frameTree } = await cdp.send('Page.getFrameTree');
  const { executionContextId } = await cdp.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  await cdp.send('Runtime.evaluate', { expression: axe, contextId: executionContextId });
  const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
    expression: `axe.run(document, { runOnly: ${JSON.stringify(WCAG)} }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(' | ').slice(0, 600))))`,
    contextId: executionContextId,
    awaitPromise: true,
  });
  await cdp.detach();
  assert.ok(!exceptionDetails, JSON.stringify(exceptionDetails));
  return JSON.parse(result.value);
}

test('everything can be done by keyboard', async () => {
  await live();
  await goTo('sessions');
  await page.locator('body').click({ position: { x: 1270, y: 700 } });
  await page.keyboard.press('g');
  await page.keyboard.press('l');
  await table().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('key.txt');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#search').inputValue(), 'key.txt');
  await page.keyboard.press('k');
  await page.locator('.table .row.is-selected').waitFor();
  const first = await page.locator('.table .row.is-selected').getAttribute('id');
  await page.keyboard.press('k');
  await until('another row', async () => (await page.locator('.table .row.is-selected').getAttribute('id')) !== first);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: /^Event/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('complementary', { name: /^Event/ }).waitFor({ state: 'hidden' });
  await page.keyboard.press('p');
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await until('held events are counted', async () => /Paused · [1-9]/.test(await page.locator('.jump').innerText()));
  await page.keyboard.press('p');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  for (const [keys, view] of [['gp', 'processes'], ['gn', 'network'], ['go', 'policy'], ['gs', 'sessions'], ['gl', 'live']]) {
    for (const k of keys) await page.keyboard.press(k);
    await until(view, () => page.url().endsWith(`#/${view}`));
    if (view === 'policy') await page.locator('.cm-content').waitFor();
  }
});

// ---- Others -----------------------------------------------------------------------------

async function attack(origin, script) {
  const stranger = await context.newPage();
  await stranger.goto(`${origin}/attack`);
  const result = await stranger.evaluate(script, leash.origin);
  await stranger.close();
  return result;
}

// What leash answers to a request that a page of that origin makes, which the page itself is not told.
async function statusOf(origin, script) {
  const stranger = await context.newPage();
  const cdp = await context.newCDPSession(stranger);
  await stranger.goto(`${origin}/attack`);
  await cdp.send('Network.enable');
  // In either order; and the browser asks for pictures of the page, too.
  const asked = new Set();
  const statuses = new Map();
  cdp.on('Network.requestWillBeSent', (e) => e.request.url.startsWith(leash.origin) && asked.add(e.requestId));
  cdp.on('Network.responseReceivedExtraInfo', (e) => statuses.set(e.requestId, e.statusCode));
  await stranger.evaluate(script, leash.origin).catch((e) => assert.match(String(e), /Failed to fetch/));
  const status = await until('an answer', () => statuses.get([...asked][0]));
  await stranger.close();
  return status;
}

test('pages of other origins are refused', async () => {
  const server = createServer((_, res) => res.setHeader('content-type', 'text/html').end('<!doctype html><title>evil</title>'));
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  const evil = `http://127.0.0.1:${server.address().port}`;
  const was = await generation();
  try {
    // Same site, since ports do not count: the cookie is sent along, and must not be enough.
    const read = await attack(evil, async (to) => fetch(`${to}/api/session`, { credentials: 'include' }).then((r) => r.status, () => 'refused'));
    assert.equal(read, 'refused');
    assert.equal(await statusOf(evil, (to) => fetch(`${to}/api/session`, { credentials: 'include' }).then(() => undefined)), 403);
    const blind = await statusOf(evil, (to) =>
      fetch(`${to}/api/policies`, { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'content-type': 'text/plain' }, body: 'permit (principal, action, resource);' }).then(() => undefined),
    );
    assert.equal(blind, 403);
    const socket = await attack(evil, async (to) =>
      new Promise((done) => {
        const ws = new WebSocket(`${to.replace('http', 'ws')}/api`);
        ws.onopen = () => done('open');
        ws.onerror = () => done('refused');
      }),
    );
    assert.equal(socket, 'refused');

    const form = await statusOf(evil, (to) => {
      const form = document.createElement('form');
      Object.assign(form, { method: 'POST', action: `${to}/api/policies`, enctype: 'text/plain' });
      const input = document.createElement('input');
      Object.assign(input, { name: '{"text":"permit (principal, action, resource);', value: '"}' });
      form.append(input);
      document.body.append(form);
      form.submit();
    });
    assert.equal(form, 403);
    assert.equal(await generation(), was);
  } finally {
    server.close();
  }
});

test('a name that was made to point here is refused', async () => {
  const stranger = await context.newPage();
  const answer = await stranger.goto(`http://rebound.test:${leash.port}/`);
  assert.equal(answer.status(), 403);
  const api = await stranger.goto(`http://rebound.test:${leash.port}/api/session`);
  assert.equal(api.status(), 403);
  await stranger.close();
});

test('it asks nobody else and breaks no rule of its content policy', () => {
  assert.deepEqual(foreign, []);
  // While the wire was cut the browser said so.
  assert.deepEqual(complaints.filter((c) => !/ERR_(CONNECTION|EMPTY|SOCKET)|WebSocket connection|Failed to load resource.*(400|401|422)/.test(c)), []);
});

test('when the session ends the page says so, and has every event', async () => {
  await goTo('live');
  await page.locator('#search').fill('');
  const { id } = await (await leash.api('/api/session')).json();
  await leash.stop();
  await page.getByText('The session has ended').waitFor({ timeout: 20_000 });
  const lines = leash.leash('events', id, '--json').trim().split('\n').length;
  // The very last record may come when nobody is served any more.
  await until('all events, and none twice', async () => [0, 1].includes(lines - Number((await page.locator('.shown').innerText()).replace(/\D/g, ''))));
  assert.equal(await page.locator('.is-lost').count(), 0);
});
