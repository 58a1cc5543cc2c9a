// The worker: holds the connection and the events, answers the page.
import type { LeashEvent } from '../model/event';
import { NO_FILTER, type Facets } from '../model/filter';
import type { Timeline } from '../model/histogram';
import { Feed, type Overview } from './feed';
import { Link, type LinkState, type SessionNews, type Socket } from './link';

export type FromWorker =
  | { type: 'reply'; id: number; value: unknown }
  | { type: 'overview'; version: number; overview: Overview }
  | { type: 'shape'; facets: Facets; timeline: Timeline }
  | { type: 'link'; state: LinkState; retryMs: number }
  | { type: 'hello' }
  | { type: 'news'; news: SessionNews }
  | { type: 'skipped'; count: number }
  | { type: 'other' };

// What the page may ask of the feed that is shown.
type OfFeed = 'filter' | 'know' | 'lineage' | 'neighbour' | 'pause' | 'peers' | 'place' | 'record' | 'requests' | 'rows' | 'touched' | 'tree';
// drawn: the page is done with the last overview. open: shows an earlier session, '' this one again; the
// answer is why it cannot.
export type Asked = OfFeed | 'connect' | 'drawn' | 'open';

export interface ToWorker {
  id: number;
  ask: Asked;
  args: unknown[];
}

// An event shows at once; more of them are gathered for a frame or two, the costlier counts for longer.
const OVERVIEW_MS = 25;
const SHAPE_MS = 500;
// While history is read the page needs the processor less than the reading does.
const LOADING_MS = 200;
const HISTORY = 100_000;
const PAGE = 10_000;

const post = (message: FromWorker) => self.postMessage(message);

let live = new Feed();
// An earlier session, while one is shown in place of this one.
let past: Feed | null = null;
const shown = () => past ?? live;
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

// Whether this session has ended is said whatever is shown.
const sendOverview = () => post({ type: 'overview', version, overview: { ...shown().overview(), ...live.end() } });
const sendShape = () => post({ type: 'shape', facets: shown().facets(), timeline: shown().timeline() });
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

function add(feed: Feed, events: LeashEvent[]): void {
  const dropped = feed.columns.dropped;
  feed.add(events);
  if (feed.columns.dropped !== dropped && feed === shown()) version++;
  changed();
}

async function page(query: string): Promise<{ events: LeashEvent[]; last: number }> {
  const answer = await fetch(`/api/events?${query}`);
  if (!answer.ok) throw new Error(answer.status === 404 ? 'There is no record of that session any more.' : `leash answers ${answer.status}.`);
  return (await answer.json()) as { events: LeashEvent[]; last: number };
}

// Its newest events, as many as are kept of this session; until another one is opened.
async function open(session: string): Promise<string> {
  const feed = session ? new Feed() : live;
  past = session ? feed : null;
  // A filter and a pause were of the list that goes.
  feed.filter(NO_FILTER);
  feed.pause(false);
  version++;
  changed();
  try {
    if (session) await read(feed, session);
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  }
  return '';
}

async function read(feed: Feed, session: string): Promise<void> {
  const { last } = await page(`session=${session}&limit=1`);
  let at = Math.max(0, last - HISTORY);
  while (at < last && feed === past) {
    const { events } = await page(`session=${session}&since=${at}&limit=${PAGE}`);
    if (events.length === 0) return;
    at = events[events.length - 1]!.seq;
    add(feed, events);
  }
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
    page: (since, limit) => page(`since=${since}&limit=${limit}`),
    later: (ms, run) => setTimeout(run, ms),
    history: HISTORY,
    onState: (state, retryMs) => {
      isLoading = state === 'connecting' || state === 'history';
      post({ type: 'link', state, retryMs });
    },
    onEvents: (events) => {
      add(live, events);
      if (events.some((e) => e.kind === 'session.stop')) link?.end();
    },
    onMissed: (n) => {
      live.miss(n);
      changed();
    },
    onSkipped: (count) => post({ type: 'skipped', count }),
    onHello: () => post({ type: 'hello' }),
    onNews: (news) => post({ type: 'news', news }),
    onOther: () => {
      live = new Feed();
      past = null;
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
  if (ask === 'open') {
    void open(String(args[0])).then((value) => post({ type: 'reply', id, value }));
    return;
  }
  const feed = shown();
  const value = (feed[ask] as (...a: unknown[]) => unknown).apply(feed, args);
  if (ask === 'filter' || ask === 'pause') {
    if (ask === 'filter') version++;
    // The page must know the new number of rows before it asks for any.
    sendOverview();
    sendShape();
  }
  post({ type: 'reply', id, value: value === undefined ? version : value });
};
