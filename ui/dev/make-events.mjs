// Events as a coding agent causes them, as many as wanted, always the same ones.
const ME = { uid: 1000, mode: 'enforce', generation: 1 };
const HOSTILE = [
  '/home/dev/project/<img src=x onerror=alert(1)>.txt',
  '/home/dev/project/\u202Egnp.exe\u202C',
  '/home/dev/project/tab\there\nand a line',
  '/home/dev/project/zero\u200Bwidth\u2060joined',
  '/home/dev/project/\udc80\udcff not utf-8',
  '/home/dev/project/\u05D0\u05D1\u05D2/\u05D3\u05D4/mixed.txt',
  `/home/dev/project/${'very-long-directory-name/'.repeat(14)}and-a-file-with-a-rather-long-name-as-well.generated.tsx`,
  '/home/dev/project/\u001b[31mred\u001b[0m & "quotes" \\u{202e}',
];

export function makeEvents(n, { hostile = false } = {}) {
  let state = 42;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const pick = (list) => list[random(list.length)];
  const start = Date.now() - Math.max(n * 6, 1000);
  const out = [];
  let time = start;
  let pid = 4100;
  const shell = { pid: 4100, ppid: 4000, exe: '/usr/bin/node', comm: 'claude', cwd: '/home/dev/project' };
  let proc = shell;
  const add = (kind, e) => {
    time += random(12);
    out.push({
      seq: out.length + 1,
      time: `${new Date(time).toISOString().slice(0, -1)}${String(random(1000000)).padStart(6, '0')}Z`,
      session: '20261126-075726-cbfg',
      kind,
      ...e,
      prev: 'e'.repeat(64),
    });
  };
  const by = (p) => ({ backend: 'supervisor', ...ME, ...p, latency_us: 20 + random(200) });
  const programs = [
    ['/usr/bin/git', ['git', 'status', '--short']],
    ['/usr/bin/rg', ['rg', '-n', 'TODO', 'src']],
    ['/usr/bin/node', ['node', '--test', 'test/unit.test.js']],
    ['/usr/bin/python3', ['python3', '-c', 'import json; print(json.dumps({"a": 1}))']],
    ['/usr/bin/cc', ['cc', '-O2', '-c', 'src/main.c', '-o', 'build/main.o']],
    ['/usr/bin/curl', ['curl', '-sS', 'https://api.github.com/repos/x/y']],
  ];
  const hosts = ['api.anthropic.com', 'api.github.com', 'registry.npmjs.org', 'pypi.org'];
  const first = [
    ['session.start', { backend: 'daemon', mode: 'enforce', argv: ['claude', '--continue'], message: 'files and programs: supervisor; network: proxy' }],
    ['session.ready', { backend: 'daemon', mode: 'enforce' }],
    ['policy.applied', { backend: 'daemon', generation: 1, count: 53 }],
    ['proc.exec', { decision: 'allow', policies: ['profile:exec'], ...by(shell), argv: ['claude', '--continue'], path: '/usr/bin/node' }],
    ['file.open', { decision: 'allow', policies: ['profile:read'], ...by(shell), path: '/home/dev/project/package.json', access: 'read', flags: 'O_RDONLY|O_CLOEXEC' }],
    ['file.open', { decision: 'deny', policies: ['profile:credentials-ssh'], ...by(shell), path: '/home/dev/.ssh/id_ed25519', access: 'read', flags: 'O_RDONLY', error: 'EACCES' }],
  ];
  for (const [kind, e] of first.slice(0, n)) add(kind, e);
  while (out.length < n) {
    const dice = random(1000);
    if (dice < 15) {
      const [exe, argv] = pick(programs);
      pid++;
      proc = { pid, ppid: random(4) ? 4100 : Math.max(4100, pid - 1), exe, comm: exe.slice(9), cwd: '/home/dev/project' };
      add('proc.exec', { decision: 'allow', policies: ['profile:exec'], ...by({ ...proc, exe: '/usr/bin/bash', comm: 'bash' }), argv, path: exe });
    } else if (dice < 30) {
      const host = pick(hosts);
      add('dns.query', { decision: 'allow', policies: ['profile:connect'], backend: 'proxy', host, protocol: 'udp', message: 'type A' });
      add('net.connect', { decision: 'allow', policies: ['profile:connect'], ...by(proc), host, ip: `140.82.112.${random(200)}`, port: 443, protocol: 'tcp', family: 'inet' });
      add('http.request', { decision: 'allow', policies: ['profile:connect'], ...by(proc), backend: 'proxy', host, port: 443, method: pick(['GET', 'GET', 'POST']), url: `https://${host}/v1/${random(300)}?…`, status: pick([200, 200, 201, 404]) });
      add('net.close', { ...by(proc), backend: 'proxy', host, port: 443, bytes_in: random(90000), bytes_out: random(4000) });
    } else if (dice < 33) {
      add('file.open', { decision: 'deny', policies: ['profile:credentials-ssh'], ...by(proc), path: pick(['/home/dev/.ssh/id_ed25519', '/home/dev/.ssh/id_rsa']), access: 'read', flags: 'O_RDONLY', error: 'EACCES' });
    } else if (dice < 35) {
      add('net.connect', { decision: 'deny', policies: ['profile:metadata'], ...by(proc), ip: '169.254.169.254', port: 80, protocol: 'tcp', family: 'inet', error: 'EACCES' });
    } else if (dice < 37) {
      add('file.create', { decision: 'deny', policies: ['default'], ...by(proc), path: `/etc/cron.d/job${random(5)}`, access: 'write', flags: 'O_WRONLY|O_CREAT', error: 'EACCES' });
    } else if (dice < 90) {
      add('file.create', { decision: 'allow', policies: ['profile:write-workspace'], ...by(proc), path: `/home/dev/project/build/obj/${random(4000)}.o`, access: 'write', flags: 'O_WRONLY|O_CREAT|O_TRUNC', mode_bits: '0644' });
    } else if (hostile && dice < 130) {
      add('file.open', { decision: pick(['allow', 'allow', 'deny']), policies: ['profile:read'], ...by({ ...proc, comm: pick([proc.comm, '\u202Ehsab', '<b>sh</b>']) }), path: pick(HOSTILE), access: 'read', flags: 'O_RDONLY' });
    } else {
      const path = random(3) ? `/home/dev/project/node_modules/pkg-${random(900)}/lib/${random(60)}.js` : `/usr/lib/python3/dist-packages/mod${random(500)}.py`;
      add('file.open', { decision: 'allow', policies: ['profile:read'], ...by(proc), path, access: 'read', flags: 'O_RDONLY|O_CLOEXEC' });
    }
  }
  return out.slice(0, n);
}
