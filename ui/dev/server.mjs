// A stand-in for leash's server, to work on the page without a session: serves the
// built page and recorded events by the API's shapes. What it says of policies is
// made up. Not part of what is shipped.
//
//   node dev/server.mjs [--port N] [--events FILE.jsonl | --make N] [--rate N] [--token T]
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { createGzip } from 'node:zlib';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { makeEvents } from './make-events.mjs';

const { values: opt } = parseArgs({
  options: {
    port: { type: 'string', default: '18099' },
    events: { type: 'string' },
    make: { type: 'string', default: '0' },
    rate: { type: 'string', default: '0' },
    token: { type: 'string', default: 'dev' },
    hostile: { type: 'boolean', default: false },
  },
});

const root = new URL('../dist/', import.meta.url).pathname;
const profile = readFileSync(new URL('../../src/policy/profiles/guarded.cedar', import.meta.url), 'utf8');
const events = opt.events
  ? readFileSync(opt.events, 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l))
  : makeEvents(Number(opt.make), { hostile: opt.hostile });
const clients = new Set();
const userFile = '/home/dev/.config/leash/policy.cedar';
const cookie = `leash-${opt.port}`;
let generation = 1;
let mode = 'enforce';
let userText = '// My own rules.\n@id("no-force")\nforbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/git")\nwhen { context.argv.contains("push") && context.argv.contains("--force") };\n';
const texts = [{ number: 1, time: new Date().toISOString(), generation, text: userText }];

const denied = () => events.filter((e) => e.decision === 'deny').length;

const ID = '20261126-075726-cbfg';

function session() {
  return {
    id: ID,
    version: '0.1.0',
    state: 'running',
    command: ['claude', '--continue'],
    agent: 'claude',
    workspace: '/home/dev/project',
    home: '/home/dev',
    started: events[0]?.time ?? new Date().toISOString(),
    uptime_ms: 1000,
    pid: 1,
    runtime: 'native',
    backend: 'files and programs: supervisor; network: proxy',
    mode,
    profile: 'guarded',
    generation,
    policies: policies().length,
    counters: { events: events.length, denied: denied(), would_deny: 0, lost: 0 },
    listen: [`127.0.0.1:${opt.port}`],
    clients: clients.size,
  };
}

// Statements of a text, each with its line: enough for a stand-in.
function statements(text, layer, file, editable) {
  const out = [];
  const re = /^(?:@id\("([^"]*)"\)\s*)?(permit|forbid)\s*\([\s\S]*?;\s*$/gm;
  let n = 0;
  for (const m of text.matchAll(re)) {
    const id = `${layer}:${m[1] ?? `policy${n}`}`;
    n++;
    out.push({
      id,
      layer,
      effect: m[2],
      file,
      line: text.slice(0, m.index).split('\n').length,
      text: m[0].trim(),
      sentence: `${m[2] === 'permit' ? 'Permits' : 'Forbids'} what ${m[1] ?? 'this policy'} names.`,
      editable,
    });
  }
  return out;
}

function policies() {
  return [...statements(profile, 'profile', 'guarded', false), ...statements(userText, 'user', userFile, true)];
}

function findings(text) {
  const out = [];
  text.split('\n').forEach((line, i) => {
    const bad = /Action::"(Foo\w*)"/.exec(line);
    if (bad) {
      const column = bad.index + 1;
      out.push({
        severity: 'error', code: 'unknown_action', file: userFile, line: i + 1, column, end_line: i + 1,
        end_column: column + bad[0].length, offset: 0, length: bad[0].length, source: line,
        message: `there is no action ${bad[1]}`, suggestion: 'did you mean FileOpen?',
      });
    }
  });
  const opened = (text.match(/\(/g) ?? []).length - (text.match(/\)/g) ?? []).length;
  if (opened) {
    const lines = text.trimEnd().split('\n');
    out.push({
      severity: 'error', code: 'unexpected_end', file: userFile, line: lines.length, column: lines.at(-1).length + 1,
      end_line: lines.length, end_column: lines.at(-1).length + 1, offset: 0, length: 0, source: lines.at(-1),
      message: 'a bracket is not closed',
    });
  }
  return out;
}

function applied(extra = {}) {
  generation++;
  addEvent({ kind: 'policy.applied', backend: 'daemon', generation, count: policies().length });
  const news = { type: 'session', state: 'running', mode, generation, policies: policies().length, counters: session().counters };
  for (const c of clients) c.send(JSON.stringify(news));
  return { generation, milliseconds: 3.2, policies: policies().length, layer: 'user', stored: 'file', name: userFile, mode, findings: [], ...extra };
}

function setText(text) {
  userText = text;
  const done = applied();
  texts.unshift({ number: texts.length + 1, time: new Date().toISOString(), generation, text });
  return done;
}

function addEvents(list) {
  const time = new Date().toISOString();
  const records = list.map((e, i) => ({ ...e, seq: events.length + 1 + i, time, session: ID, mode }));
  events.push(...records);
  const text = JSON.stringify(records);
  for (const c of clients) if (c.ready) c.send(text);
}

const addEvent = (e) => addEvents([e]);

function fromEvent({ seq, effect, breadth }) {
  const e = events[seq - 1];
  const action = e.kind === 'proc.exec' ? 'ProcessExec' : e.kind.startsWith('file') ? (e.access === 'read' ? 'FileOpenReadOnly' : 'FileOpenReadWrite') : 'NetworkConnect';
  const dir = e.path?.slice(0, e.path.lastIndexOf('/') + 1);
  const resource = { file: `resource == File::${JSON.stringify(e.path)}`, directory: `resource in Dir::"${dir}"`, pattern: 'resource', host: `resource == Host::"${e.host ?? e.ip}"`, zone: `resource in DnsZone::"${e.host}"` }[breadth];
  const when = breadth === 'pattern' ? `\nwhen { resource.path like "*${e.path?.slice(e.path.lastIndexOf('.'))}" }` : '';
  const covered = events.filter((x) => (breadth === 'directory' ? x.path?.startsWith(dir) : x.path === e.path && x.host === e.host));
  return {
    text: `${effect} (principal, action in Action::"${action}", ${resource})${when};`,
    sentence: `${effect === 'permit' ? 'Permits' : 'Forbids'} ${action} on ${breadth === 'directory' ? `everything below ${dir}` : (e.path ?? e.host)}.`,
    effect, breadth,
    breadths: e.path ? ['file', 'directory', 'pattern'] : ['host', 'zone'],
    events: covered.length, changed: covered.length, looked_at: Math.min(events.length, 100000),
    seqs: covered.slice(-100).map((x) => x.seq),
  };
}

function earlier(n) {
  return {
    id: n ? `2026112${n}-075726-cbfg` : session().id, started: new Date(Date.now() - n * 9e7).toISOString(), state: 'ended', current: false,
    command: ['claude', '--continue'], workspace: '/home/dev/project', mode, status: 0, events: events.length, denied: denied(),
  };
}

function explain({ seq, object }) {
  const e = seq ? events[seq - 1] : { decision: object.includes('.ssh') ? 'deny' : 'allow', policies: [object.includes('.ssh') ? 'profile:credentials-ssh' : 'profile:workspace'] };
  const all = policies();
  const reasons = (e.policies ?? []).map((id) => all.find((p) => p.id === id)).filter(Boolean)
    .map((p) => ({ policy: p.id, effect: p.effect, file: p.file, line: p.line, text: p.text, conditions: [{ text: 'resource.path like "*"', result: 'holds' }] }));
  return { action: 'FileOpenReadOnly', decision: e.decision === 'allow' ? 'allow' : 'deny', policies: e.policies ?? [], error: false, reasons, almost: [], text: '' };
}

const routes = {
  'GET /api/session': session,
  'GET /api/sessions': () => ({
    sessions: [
      { ...earlier(0), current: true, state: 'running' },
      { ...earlier(1), command: ['claude', '--continue', 'a very long prompt that says what the agent is to do today, in much more words than a line of a table has room for'] },
      { ...earlier(2), state: 'died' },
      { ...earlier(3), command: ['sh', '-c', 'cat "\u202etxt.<img src=x>"'], status: 1 },
    ],
    next: null,
  }),
  'POST /api/policies/suggest': () => {
    const lines = ['/usr/lib/', '/home/dev/project/'].map((d, i) => ({
      text: `permit (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${d}");\n`, sentence: `Permits reading everything below ${d}.`, events: 12 * (i + 1), seqs: events.slice(0, 30).map((e) => e.seq),
    }));
    return { lines, text: lines.map((l) => l.text).join(''), looked_at: events.length, covered: 36, left_out: events.slice(0, 2).map((e) => ({ seq: e.seq, reason: 'it was denied' })) };
  },
  'GET /api/processes': () => ({ processes: [] }),
  'GET /api/policies': () => ({
    generation, mode, editable: 'user',
    layers: [
      { layer: 'leash', name: 'built in', policies: 0, stored: 'builtin', editable: false },
      { layer: 'profile', name: 'guarded', policies: policies().filter((p) => p.layer === 'profile').length, stored: 'builtin', editable: false },
      { layer: 'user', name: userFile, policies: policies().filter((p) => p.layer === 'user').length, stored: 'file', editable: true, exists: true, text: userText },
    ],
    policies: policies(),
  }),
  'PUT /api/policies': (b) => {
    const found = findings(b.text);
    if (found.length) return [422, { title: 'The policy has errors', findings: found }];
    if (b.base !== undefined && b.base !== generation) return [409, { title: 'Another generation is in force' }];
    return setText(b.text);
  },
  'POST /api/policies': (b) => ({ ...setText(`${userText}${b.text}\n`), ids: ['user:policy1'] }),
  'POST /api/policies/validate': (b) => ({ valid: !findings(b.text).length, policies: 0, findings: findings(b.text) }),
  'POST /api/policies/complete': (b) => {
    const before = b.text.split('\n')[b.cursor.line - 1].slice(0, b.cursor.column - 1);
    const word = /[\w:".]*$/.exec(before)[0];
    const range = { start: { line: b.cursor.line, column: b.cursor.column - word.length }, end: b.cursor };
    const labels = /context\.\w*$/.test(before) ? ['context.exe', 'context.argv', 'context.port'] : ['Action::"FileOpen"', 'Action::"FileOpenReadOnly"', 'Action::"ProcessExec"', 'File::"/etc/passwd"', 'permit', 'forbid'];
    return { items: labels.filter((l) => l.toLowerCase().includes(word.toLowerCase())).map((label) => ({ label, kind: 'action', insertText: label, detail: 'a stand-in', range })) };
  },
  'POST /api/policies/explain': explain,
  'POST /api/policies/format': (b) => ({ text: b.text.trimEnd() + '\n', formatted: false }),
  'POST /api/policies/diff': (b) => {
    const old = statements(userText, 'user', userFile, true);
    const now = statements(b.text, 'user', userFile, true);
    return {
      policies: [...old.filter((o) => !now.some((n) => n.text === o.text)).map((p) => ({ in: 'old', ...p })), ...now.filter((n) => !old.some((o) => o.text === n.text)).map((p) => ({ in: 'new', ...p }))],
      decisions: [], requests: 120, differences: 0, complete: true,
    };
  },
  'POST /api/policies/from-event': fromEvent,
  'GET /api/policies/history': () => ({ entries: texts.map((t, i) => ({ ...t, layer: 'user', stored: 'file', policies: statements(t.text, 'user', '', true).length, current: i === 0 })) }),
  'POST /api/policies/rollback': (b) => setText(texts.find((t) => t.number === b.number).text),
  'PUT /api/mode': (b) => ((mode = b.mode), applied()),
};

const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

function answer(res, status, body) {
  res.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(body));
}

function isKnown(req) {
  return (req.headers.cookie ?? '').includes(`${cookie}=ok`);
}

async function serveApi(req, res, url) {
  let text = '';
  for await (const chunk of req) text += chunk;
  const body = text ? JSON.parse(text) : {};
  if (url.pathname === '/api/login') {
    if (body.token !== opt.token) return answer(res, 401, { title: 'The token is wrong' });
    res.writeHead(204, { 'set-cookie': `${cookie}=ok; HttpOnly; SameSite=Strict; Path=/` });
    return res.end();
  }
  if (!isKnown(req)) return answer(res, 401, { title: 'No token' });
  if (url.pathname === '/api/events') {
    const since = Number(url.searchParams.get('since') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? 1000);
    return answer(res, 200, { events: events.slice(since, since + limit), next: null, last: events.length });
  }
  const run = routes[`${req.method} ${url.pathname}`];
  if (!run) return answer(res, 404, { title: 'There is nothing here' });
  const value = run(body);
  return Array.isArray(value) ? answer(res, value[0], value[1]) : answer(res, 200, value);
}

const server = createServer((req, res) => {
  const url = new URL(req.url, 'http://localhost');
  if (url.pathname.startsWith('/api')) return void serveApi(req, res, url).catch((e) => answer(res, 500, { title: String(e) }));
  const file = join(root, normalize(url.pathname === '/' ? '/index.html' : url.pathname));
  if (!file.startsWith(root) || !existsSync(file) || !statSync(file).isFile()) return answer(res, 404, { title: 'There is nothing here' });
  res.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-encoding': 'gzip', 'content-security-policy': CSP });
  createReadStream(file).pipe(createGzip()).pipe(res);
});

const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (req, socket, head) => {
  if (!isKnown(req)) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
  sockets.handleUpgrade(req, socket, head, (ws) => {
    ws.once('message', (m) => join_(ws, JSON.parse(String(m))));
    ws.on('close', () => clients.delete(ws));
  });
});

function join_(ws, hello) {
  const last = events.length;
  const from = Math.max(hello.since ?? 0, last - Math.min(hello.history ?? 2000, 25000));
  const history = events.slice(from);
  ws.send(JSON.stringify({ type: 'hello', session: session().id, version: '0.1.0', started: session().started, mode, generation, first: history.length ? from + 1 : 0, last, skipped: hello.since ? 0 : from }));
  for (let i = 0; i < history.length; i += 500) ws.send(JSON.stringify(history.slice(i, i + 500)));
  ws.send(JSON.stringify({ type: 'ready', seq: last }));
  ws.ready = true;
  clients.add(ws);
}

// So many a second, in batches as leash's are. Another rate may be set by the parent process.
const BATCH_MS = 20;
let rate = Number(opt.rate);
if (rate || process.send) {
  const more = makeEvents(5000, { hostile: opt.hostile });
  let due = 0;
  let given = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    due += ((now - last) / 1000) * rate;
    last = now;
    const n = Math.floor(due - given);
    if (n > 0) addEvents(Array.from({ length: n }, (_, i) => more[(given + i) % more.length]));
    given += n;
  }, BATCH_MS);
}
process.on('message', (m) => (rate = m.rate));
process.on('disconnect', () => process.exit());

server.listen(Number(opt.port), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${opt.port}/#token=${opt.token}`);
  process.send?.('ready');
});
