// The HTTP API, src/api/openapi.json: what of it the page uses.
import { signal } from '@preact/signals';

export interface Session {
  id: string;
  version: string;
  state: string;
  command: string[];
  agent: string;
  workspace: string;
  home: string;
  started: string;
  uptime_ms: number;
  pid: number;
  runtime: string;
  backend: string;
  mode: Mode;
  profile: string;
  policy_file?: string;
  generation: number;
  policies: number;
  counters: { events: number; denied: number; would_deny: number; lost: number };
  listen: string[];
  clients: number;
}

// A session that was recorded, this one or another.
export interface Recorded {
  id: string;
  started: string;
  ended?: string;
  state: 'running' | 'ended' | 'died' | 'damaged';
  current: boolean;
  command: string[];
  command_cut?: boolean;
  workspace?: string;
  mode?: string;
  status?: number;
  events: number;
  denied: number;
}

export interface Operation {
  operation: string;
  object: string;
  exe?: string;
  text?: string;
}

export interface SuggestedLine {
  text: string;
  sentence: string;
  events: number;
  seqs: number[];
}

export interface Suggestion {
  text: string;
  lines: SuggestedLine[];
  looked_at: number;
  covered: number;
  left_out: { seq: number; reason: string }[];
}

export type Mode = 'enforce' | 'shadow' | 'record';

export interface Finding {
  severity: 'error' | 'warning';
  code: string;
  policy?: string;
  file: string;
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  source: string;
  message: string;
  suggestion?: string;
}

export interface Applied {
  generation: number;
  milliseconds: number;
  policies: number;
  stored?: 'file' | 'memory';
  name?: string;
  mode: Mode;
  findings: Finding[];
  ids?: string[];
}

export interface Layer {
  layer: string;
  name: string;
  policies: number;
  stored: 'builtin' | 'file' | 'memory';
  editable: boolean;
  exists?: boolean;
  trusted?: boolean;
  ignored?: number;
  text?: string;
}

export interface Policy {
  id: string;
  layer: string;
  effect: 'permit' | 'forbid';
  file: string;
  line: number;
  text: string;
  sentence: string;
  editable: boolean;
}

export interface Policies {
  generation: number;
  mode: Mode;
  editable: string;
  layers: Layer[];
  policies: Policy[];
}

export interface Reason {
  policy: string;
  effect: 'permit' | 'forbid';
  file: string;
  line: number;
  text: string;
  conditions: { text: string; result: string }[];
}

export interface Explanation {
  action: string;
  decision: 'allow' | 'deny';
  policies: string[];
  error: boolean;
  reasons: Reason[];
  almost: Reason[];
  text: string;
}

export type Effect = 'permit' | 'forbid';
export type Breadth = 'file' | 'directory' | 'pattern' | 'host' | 'zone';

export interface FromEvent {
  text: string;
  sentence: string;
  effect: Effect;
  breadth: Breadth;
  breadths: Breadth[];
  events: number;
  changed: number;
  looked_at: number;
  seqs: number[];
  note?: string;
}

export interface Place {
  line: number;
  column: number;
}

export interface Completion {
  label: string;
  kind: string;
  insertText: string;
  detail?: string;
  documentation?: string;
  range: { start: Place; end: Place };
}

export interface Diff {
  policies: { in: 'old' | 'new'; id: string; file: string; line: number; text: string }[];
  decisions: { action: string; object: string; old: string; new: string; policy?: string }[];
  requests: number;
  differences: number;
  complete: boolean;
}

export interface HistoryEntry {
  number: number;
  time: string;
  generation: number;
  layer: string;
  stored: string;
  policies: number;
  current: boolean;
  text: string;
}

// An answer that is no success, as RFC 9457 has it.
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly findings: Finding[] = [],
  ) {
    super(message);
  }
}

// Does the server know this browser? null: not asked yet.
export const signedIn = signal<boolean | null>(null);

async function send<T>(method: string, path: string, body?: unknown, abort?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store', redirect: 'error' };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'Content-Type': 'application/json' };
  }
  if (abort) init.signal = abort;
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new Problem(0, 'leash does not answer. Did the session end?');
  }
  if (answer.status === 401) signedIn.value = false;
  const text = await answer.text();
  let value: unknown = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(answer.status, `The answer to ${method} ${path} is not JSON.`);
  }
  if (!answer.ok) {
    const p = (value ?? {}) as { title?: string; detail?: string; key?: string; findings?: Finding[] };
    const said = p.detail ?? p.title ?? `${method} ${path}: ${answer.status}`;
    throw new Problem(answer.status, p.key && !said.includes(p.key) ? `${said} (${p.key})` : said, p.findings);
  }
  return value as T;
}

const policies = '/api/policies';

export interface Replay {
  decided: number;
  changed: number;
  left_out: number;
  changes: {
    kind: string;
    before: string;
    after: string;
    object: string;
    access?: string;
    program?: string;
    reasons: string;
    seq: number;
    count: number;
  }[];
}

export const api = {
  login: (token: string) => send<null>('POST', '/api/login', { token }),
  session: () => send<Session>('GET', '/api/session'),
  stop: () => send<unknown>('DELETE', '/api/session'),
  sessions: (before?: string) => send<{ sessions: Recorded[]; next: string | null }>('GET', `/api/sessions${before ? `?before=${before}` : ''}`),
  processes: (session?: string) =>
    send<{ processes: import('./model/processes').KnownProcess[] }>('GET', `/api/processes${session ? `?session=${session}` : ''}`),
  mode: (mode: Mode) => send<Applied>('PUT', '/api/mode', { mode }),
  policies: () => send<Policies>('GET', policies),
  replace: (text: string, base: number) => send<Applied>('PUT', policies, { text, base }),
  add: (text: string) => send<Applied>('POST', policies, { text }),
  validate: (text: string, abort?: AbortSignal) =>
    send<{ valid: boolean; policies: number; findings: Finding[] }>('POST', `${policies}/validate`, { text }, abort),
  complete: (text: string, cursor: Place, abort?: AbortSignal) =>
    send<{ items: Completion[] }>('POST', `${policies}/complete`, { text, cursor, maxItems: 75 }, abort),
  explain: (what: Operation | { seq: number; session?: string }, abort?: AbortSignal) =>
    send<Explanation>('POST', `${policies}/explain`, what, abort),
  replay: (text: string | null, session?: string) =>
    send<Replay>('POST', `${policies}/replay`, { ...(text === null ? {} : { text }), ...(session ? { session } : {}) }),
  suggest: () => send<Suggestion>('POST', `${policies}/suggest`, {}),
  format: (text: string) => send<{ text: string; formatted: boolean }>('POST', `${policies}/format`, { text }),
  diff: (text: string) => send<Diff>('POST', `${policies}/diff`, { text }),
  fromEvent: (seq: number, effect: Effect, breadth: Breadth, abort?: AbortSignal) =>
    send<FromEvent>('POST', `${policies}/from-event`, { seq, effect, breadth }, abort),
  history: () => send<{ entries: HistoryEntry[] }>('GET', `${policies}/history`),
  rollback: (number: number) => send<Applied>('POST', `${policies}/rollback`, { number }),
};

export function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}
