// A session of leash's for a test: its own directories, a small agent that the test
// steers, and a wire to it that the test can cut.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const LEASH = process.env.LEASH ?? new URL('../../build/leash', import.meta.url).pathname;

// Tries the same things again and again, and says in `result` how they went.
const AGENT = `
while [ ! -e stop ]; do
	if cat secrets/key.txt >/dev/null 2>&1; then echo open >result.new; else echo denied >result.new; fi
	mv result.new result
	cat main.c "$(cat hostile)" >/dev/null 2>&1
	echo x 2>/dev/null >/etc/leash-test-denied
	sleep 0.2
done
`;
export const HOSTILE = 'a<img src=x onerror=alert(1)>\u202etxt.\u200bb';

export async function until(what, test, ms = 30_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await test();
    if (value) return value;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

export async function startSession(command = ['sh', 'agent.sh']) {
  const root = mkdtempSync(join(tmpdir(), 'leash-page-'));
  const work = join(root, 'work');
  const home = join(root, 'config');
  const run = join(root, 'run');
  const env = { ...process.env, LEASH_HOME: home, XDG_STATE_HOME: join(root, 'state'), XDG_RUNTIME_DIR: run };
  // No LEASH_LISTEN of whoever tests: leash takes a port that is free, and says which.
  delete env.LEASH_LISTEN;
  for (const d of [work, home, join(work, 'secrets')]) mkdirSync(d, { recursive: true });
  mkdirSync(run, { mode: 0o700 });
  writeFileSync(join(work, 'secrets/key.txt'), 'secret\n');
  writeFileSync(join(work, 'main.c'), 'int main(void) { return 0; }\n');
  writeFileSync(join(work, 'agent.sh'), AGENT);
  writeFileSync(join(work, 'hostile'), HOSTILE);
  writeFileSync(join(work, HOSTILE), '');

  const child = spawn(LEASH, ['-I', '-v', '--', ...command], { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (d) => (said += d));
  child.stderr.on('data', (d) => (said += d));
  const ended = new Promise((r) => child.on('exit', r).on('error', r));
  const leash = (...args) => execFileSync(LEASH, args, { env, cwd: work, encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] });
  const origin = await until('the page’s address', () => {
    const line = /control page: (http:\/\/[^/\s]+)\/\n/.exec(said);
    if (!line && child.exitCode !== null) throw new Error(`leash ended: ${said}`);
    return line?.[1];
  });
  const port = Number(new URL(origin).port);
  const token = leash('token').trim();
  const url = `${origin}/#token=${token}`;

  return {
    work, home, port, origin, token, url, leash, child,
    policyFile: join(home, 'policy.cedar'),
    result: () => {
      try {
        return readFileSync(join(work, 'result'), 'utf8').trim();
      } catch {
        return '';
      }
    },
    api: (path, init = {}) => fetch(`${origin}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }),
    async stop() {
      writeFileSync(join(work, 'stop'), '');
      return ended;
    },
    async done() {
      child.kill();
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

// Between browser and leash: Chromium is told to connect here when it means leash's port.
export async function startWire(port) {
  const pairs = new Set();
  let isOpen = true;
  const server = createServer((near) => {
    if (!isOpen) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    pairs.add(near);
    near.pipe(far).pipe(near);
    for (const s of [near, far])
      s.on('error', () => undefined).on('close', () => {
        near.destroy();
        far.destroy();
        pairs.delete(near);
      });
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  return {
    port: server.address().port,
    cut() {
      isOpen = false;
      for (const s of pairs) s.destroy();
    },
    mend() {
      isOpen = true;
    },
    close() {
      this.cut();
      server.close();
    },
  };
}
