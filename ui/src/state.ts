// What the views share: the worker's news as signals, and what the user chose.
import { batch, computed, effect, signal } from '@preact/signals';
import { api, messageOf, signedIn, type Recorded, type Session } from './api';
import { NO_FILTER, type Facets, type Filter } from './model/filter';
import type { Timeline } from './model/histogram';
import type { Feed, Overview } from './worker/feed';
import type { LinkState } from './worker/link';
import type { Asked, FromWorker, ToWorker } from './worker/worker';

export const VIEWS = ['live', 'processes', 'network', 'policy', 'sessions', 'mcp', 'approvals', 'files'] as const;
export type View = (typeof VIEWS)[number];

export const view = signal<View>('live');
export const session = signal<Session | null>(null);
export const linkState = signal<LinkState>('connecting');
export const retryMs = signal(0);
export const skipped = signal(0);
const NOTHING: Overview = {
  total: 0,
  matched: 0,
  denied: 0,
  wouldDeny: 0,
  lost: 0,
  missed: 0,
  waiting: 0,
  last: 0,
  stops: [],
  commands: [],
  ended: false,
  status: null,
};
export const overview = signal(NOTHING);
// An earlier session that is shown in place of this one.
export const past = signal<Recorded | null>(null);
// What leash has counted of this session or this page has seen, whichever knows of more.
export const totals = computed(() => {
  const o = past.value ? NOTHING : overview.value;
  const known = session.value?.counters;
  return {
    events: Math.max(o.total + (past.value ? 0 : skipped.value), known?.events ?? 0),
    denied: Math.max(o.denied, known?.denied ?? 0),
    wouldDeny: Math.max(o.wouldDeny, known?.would_deny ?? 0),
    lost: Math.max(o.lost, known?.lost ?? 0) + o.missed,
  };
});
export const hasEnded = computed(() => overview.value.ended || linkState.value === 'ended');
// Rises when rows changed their places: what was fetched before is void.
export const version = signal(0);
export const facets = signal<Facets>({ kinds: [], decisions: [], exes: [], hosts: [] });
export const timeline = signal<Timeline>({ start: 0, step: 100, series: [] });
export const filter = signal<Filter>(NO_FILTER);
export const paused = signal(false);
// Seq of the event in the drawer; 0: none.
export const selected = signal(0);
export const drawerOpen = signal(false);
// The policy that the editor is to show when it opens.
export const wantedPolicy = signal('');
export const toast = signal<{ text: string; bad: boolean } | null>(null);

export function say(text: string, bad = false): void {
  const mine = { text, bad };
  toast.value = mine;
  setTimeout(() => {
    if (toast.value === mine) toast.value = null;
  }, bad ? 9000 : 4500);
}

export function go(to: View): void {
  location.hash = `/${to}`;
}

function readHash(): void {
  const name = location.hash.replace(/^#\/?/, '').split('/')[0] as View;
  view.value = VIEWS.includes(name) ? name : 'live';
}

// ---- The worker ------------------------------------------------------------------

const worker = new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module' });
const waiting = new Map<number, (value: unknown) => void>();
let nextId = 1;

type Answer<A extends Asked> = A extends keyof Feed
  ? Feed[A] extends (...args: never[]) => infer R
    ? R
    : never
  : A extends 'open'
    ? string
    : void;

export function ask<A extends Asked>(what: A, ...args: unknown[]): Promise<Answer<A>> {
  const id = nextId++;
  return new Promise((resolve) => {
    waiting.set(id, resolve as (value: unknown) => void);
    worker.postMessage({ id, ask: what, args } satisfies ToWorker);
  });
}

worker.onmessage = (message: MessageEvent<FromWorker>) => {
  const m = message.data;
  switch (m.type) {
    case 'reply':
      waiting.get(m.id)?.(m.value);
      waiting.delete(m.id);
      break;
    case 'overview':
      batch(() => {
        version.value = m.version;
        overview.value = m.overview;
      });
      afterDrawing();
      break;
    case 'shape':
      batch(() => {
        facets.value = m.facets;
        timeline.value = m.timeline;
      });
      break;
    case 'link':
      batch(() => {
        linkState.value = m.state;
        retryMs.value = m.retryMs;
        if (m.state === 'refused') signedIn.value = false;
      });
      break;
    case 'hello':
      void refreshSession();
      break;
    case 'news':
      if (session.value)
        session.value = {
          ...session.value,
          state: m.news.state,
          mode: m.news.mode as Session['mode'],
          generation: m.news.generation,
          policies: m.news.policies,
          counters: m.news.counters,
        };
      break;
    case 'skipped':
      skipped.value = m.count;
      break;
    case 'other':
      past.value = null;
      selected.value = 0;
      drawerOpen.value = false;
      break;
  }
};

// More than half a frame is long, for something that is drawn again and again.
const LONG_MS = 8;
const REST_MS = 250;

// Nothing is drawn in a page that is not seen, which still counts in its title. Where drawing takes
// long, most of the time is left to what the user does: nobody reads thousands of lines a second.
function afterDrawing(): void {
  const done = () => worker.postMessage({ id: 0, ask: 'drawn', args: [] } satisfies ToWorker);
  if (document.hidden) {
    setTimeout(done, 500);
    return;
  }
  requestAnimationFrame((begun) =>
    setTimeout(() => {
      const took = performance.now() - begun;
      setTimeout(done, took > LONG_MS ? Math.min(4 * took, REST_MS) : 0);
    }, 0),
  );
}

export async function refreshSession(): Promise<void> {
  try {
    session.value = await api.session();
  } catch {
    // The link says why, and tries again.
  }
}

export function setFilter(change: Partial<Filter>): void {
  filter.value = { ...filter.value, ...change };
}

// Shows an earlier session, or this one again.
export async function open(which: Recorded | null): Promise<void> {
  batch(() => {
    past.value = which;
    selected.value = 0;
    drawerOpen.value = false;
    filter.value = NO_FILTER;
    paused.value = false;
  });
  go('live');
  const error = await ask('open', which?.id ?? '');
  if (error) say(error, true);
}

export function show(seq: number): void {
  selected.value = seq;
  drawerOpen.value = true;
}

// ---- The beginning -----------------------------------------------------------------

// The link that leash printed carries the token in its fragment, which is sent to nobody.
// It is traded for a cookie and taken out of the address and the browser's history.
function takeToken(): string {
  const fragment = location.hash.slice(1);
  if (fragment === '' || fragment.startsWith('/')) return '';
  const token = /(?:^|&)token=([^&]*)/.exec(fragment)?.[1] ?? fragment;
  history.replaceState(null, '', `${location.pathname}#/live`);
  return token;
}

export async function start(): Promise<void> {
  const token = takeToken();
  readHash();
  addEventListener('hashchange', () => {
    const late = takeToken();
    readHash();
    // Another session's, perhaps: nothing of the old one may stay.
    if (late)
      void api.login(late).then(
        () => location.reload(),
        (e) => say(messageOf(e), true),
      );
  });
  await signIn(token);
}

async function signIn(token: string): Promise<void> {
  try {
    if (token) await api.login(token);
    session.value = await api.session();
  } catch {
    if (signedIn.value === null) signedIn.value = false;
    return;
  }
  signedIn.value = true;
  void ask('connect');
}

let sent = NO_FILTER;
effect(() => {
  const f = filter.value;
  if (f !== sent) {
    sent = f;
    void ask('filter', f);
  }
});

let wasPaused = false;
effect(() => {
  const on = paused.value;
  if (on !== wasPaused) {
    wasPaused = on;
    void ask('pause', on);
  }
});

effect(() => {
  const s = session.value;
  const o = overview.value;
  const name = s ? s.agent : 'leash';
  document.title = o.denied && !past.value ? `(${o.denied} stopped) ${name} · leash` : `${name} · leash`;
});
