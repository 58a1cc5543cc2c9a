// One record as the API gives it (docs/EVENTS.md). Unknown keys are kept and shown.
export interface LeashEvent {
  seq: number;
  time: string;
  kind: string;
  session?: string;
  decision?: string;
  policies?: string[];
  mode?: string;
  backend?: string;
  generation?: number;
  pid?: number;
  ppid?: number;
  exe?: string;
  comm?: string;
  cwd?: string;
  argv?: string[];
  path?: string;
  target?: string;
  access?: string;
  host?: string;
  ip?: string;
  port?: number;
  protocol?: string;
  bytes_in?: number;
  bytes_out?: number;
  method?: string;
  url?: string;
  status?: number;
  error?: string | number;
  count?: number;
  message?: string;
  latency_us?: number;
  prev?: string;
  [key: string]: unknown;
}

export type Group = 'file' | 'proc' | 'net' | 'other';

export const GROUPS: readonly Group[] = ['file', 'proc', 'net', 'other'];

export function groupOf(kind: string): Group {
  const family = kind.slice(0, kind.indexOf('.'));
  switch (family) {
    case 'file':
    case 'proc':
    case 'net':
      return family;
    case 'dns':
    case 'http':
    case 'ws':
      return 'net';
    default:
      return 'other';
  }
}

// Was something kept from happening, or would it have been?
export function isStopped(kind: string, decision: string | undefined): boolean {
  return decision === 'deny' || decision === 'would-deny' || isAlarm(kind);
}

export function isAlarm(kind: string): boolean {
  return kind === 'tamper' || kind === 'mismatch' || kind === 'refused' || kind === 'lost';
}

const VERBS: Record<string, string> = {
  'file.create': 'create',
  'file.delete': 'delete',
  'file.rename': 'rename',
  'file.link': 'link',
  'file.attr': 'change',
  'proc.exec': 'run',
  'proc.exit': 'exit',
  'net.connect': 'connect',
  'net.listen': 'listen',
  'net.datagram': 'send',
  'net.close': 'close',
  'dns.query': 'look up',
  'ws.open': 'websocket',
  'http.rewrite': 'set header',
  'policy.applied': 'policy',
  'session.start': 'start',
  'session.ready': 'ready',
  'session.stop': 'end',
};

const ACCESS: Record<string, string> = {
  read: 'read',
  write: 'write',
  'read-write': 'read+write',
  path: 'look at',
};

export function verbOf(kind: string, access: string, method: string): string {
  if (kind === 'file.open') return ACCESS[access] ?? 'open';
  if (kind === 'http.request') return method || 'request';
  return VERBS[kind] ?? kind;
}

export function peerOf(host: string, ip: string, port: number): string {
  const name = host || (ip.includes(':') ? `[${ip}]` : ip);
  return port > 0 ? `${name}:${port}` : name;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
