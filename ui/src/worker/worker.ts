// The worker: holds the connection and the events, answers the page.
import type { LeashEvent } from '../model/event';
import type { Facets } from '../model/filter';
import type { Timeline } from '../model/histogram';
import { Feed, type Overview } from './feed';
import { Link, type Hello, type LinkState, type SessionNews, type Socket } from './link';

export type FromWorker =
  | { type: 'reply'; id: number; value: unknown }
  | { type: 'overview'; version: number; overview: Overview }
  | { type: 'shape'; facets: Facets; timeline: Timeline }
  | { type: 'link'; state: LinkState; retryMs: number }
  | { type: 'hello'; hello: Hello }
  | { type: 'news'; news: SessionNews }
  | { type: 'skipped'; count: number }
  | { type: 'other' };

// What the page may ask: a method of the feed, or one of these.
export type Asked = Exclude<keyof Feed, 'columns' | 'selection' | 'processes' | 'network'> | 'connect' | 'drawn';

export interface ToWorker {
  id: number;
  ask: Asked;
  args: unknown[];
}

// An event shows at once; more of them are gathered for a frame or two, the costlier counts for longer.
const OVERVIEW_MS = 50;
const SHAPE_MS = 500;
// While history is read the page needs the processor less than the reading does.
const LOADING_MS = 200;
const HISTORY = 100_000;

const post = (message: FromWorker) => self.postMessage(message);

let feed = new Feed();
let version = 0;
let link: Link | null = null;

let isLoading = true;

function throttled(ms: number, run: () => void): () => void {
  let waits = false;
  let last = 0;
  return () => {
    if (waits) return;
    waits = true;
    setTimeout(
      () => {
        waits = false;
        last = performance.now();
        run();
      },
      Math.max(0, last + (isLoading ? Math.max(ms, LOADING_MS) : ms) - performance.now()),
    );
  };
}

const sendOverview = () => post({ type: 'overview', version, overview: feed.overview() });
const sendShape = () => post({ type: 'shape', facets: feed.facets(), timeline: feed.timeline() });
// A page that is still drawing is not given more to draw: it would never come to its user's keys.
let isDrawn = true;
let isLate = false;
const soonOverview = throttled(OVERVIEW_MS, () => {
  isLate = !isDrawn;
  if (isLate) return;
  isDrawn = false;
  sendOverview();
});
const soonShape = throttled(SHAPE_MS, sendShape);

function changed(): void {
  soonOverview();
  soonShape();
}

function add(events: LeashEvent[]): void {
  const dropped = feed.columns.dropped;
  feed.add(events);
  if (feed.columns.dropped !== dropped) version++;
  if (events.some((e) => e.kind === 'session.stop')) link?.end();
  changed();
}

async function probe(): Promise<'known' | 'unknown' | 'away'> {
  try {
    const answer = await fetch('/api/session');
    return answer.status === 401 || answer.status === 403 ? 'unknown' : 'known';
  } catch {
    return 'away';
  }
}

function connect(): void {
  const url = `${self.location.protocol === 'https:' ? 'wss' : 'ws'}://${self.location.host}/api`;
  link = new Link({
    open: () => new WebSocket(url) as Socket,
    probe,
    page: async (since, limit) => {
      const answer = await fetch(`/api/events?since=${since}&limit=${limit}`);
      if (!answer.ok) throw new Error(String(answer.status));
      return (await answer.json()) as { events: LeashEvent[]; last: number };
    },
    later: (ms, run) => setTimeout(run, ms),
    history: HISTORY,
    onState: (state, retryMs) => {
      isLoading = state === 'connecting' || state === 'history';
      post({ type: 'link', state, retryMs });
    },
    onEvents: add,
    onMissed: (n) => {
      feed.miss(n);
      changed();
    },
    onSkipped: (count) => post({ type: 'skipped', count }),
    onHello: (hello) => post({ type: 'hello', hello }),
    onNews: (news) => post({ type: 'news', news }),
    onOther: () => {
      feed = new Feed();
      version++;
      post({ type: 'other' });
      changed();
    },
  });
  void link.connect();
}

self.onmessage = (message: MessageEvent<ToWorker>) => {
  const { id, ask, args } = message.data;
  if (ask === 'connect') {
    connect();
    return;
  }
  if (ask === 'drawn') {
    isDrawn = true;
    if (isLate) soonOverview();
    return;
  }
  const value = (feed[ask] as (...a: unknown[]) => unknown)(...args);
  if (ask === 'filter' || ask === 'add' || ask === 'pause') {
    if (ask === 'filter') version++;
    // The page must know the new number of rows before it asks for any.
    sendOverview();
    sendShape();
  }
  post({ type: 'reply', id, value: value === undefined ? version : value });
};
