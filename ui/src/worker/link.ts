// The WebSocket: history, then live; after a break it goes on behind the last
// event that arrived, so that none is missing and none comes twice.
import type { LeashEvent } from '../model/event';

export interface Counters {
  events: number;
  denied: number;
  would_deny: number;
  lost: number;
}

export interface Hello {
  type: 'hello';
  session: string;
  version: string;
  started: string;
  mode: string;
  generation: number;
  first: number;
  last: number;
  skipped: number;
}

export interface SessionNews {
  type: 'session';
  state: string;
  mode: string;
  generation: number;
  policies: number;
  counters: Counters;
}

type Control =
  | Hello
  | SessionNews
  | { type: 'ready'; seq: number }
  | { type: 'lost'; count: number; since: number; until: number };

export type LinkState = 'connecting' | 'history' | 'live' | 'waiting' | 'refused' | 'ended';

// What of WebSocket is used here; tests bring their own.
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface LinkOptions {
  open(): Socket;
  // Does the server still know us? Asked after a connection failed: a browser does not say why.
  probe(): Promise<'known' | 'unknown' | 'away'>;
  // Recorded events behind `since`, and the newest seq there is.
  page(since: number, limit: number): Promise<{ events: LeashEvent[]; last: number }>;
  later(ms: number, run: () => void): void;
  // How many events are wanted at the beginning.
  history: number;
  onState(state: LinkState, retryMs: number): void;
  onEvents(events: LeashEvent[]): void;
  // Events that will not come: left out by the server, or older than its history.
  onMissed(count: number): void;
  // Events from before the page was opened that it leaves out.
  onSkipped(count: number): void;
  onHello(hello: Hello): void;
  onNews(news: SessionNews): void;
  // Another session answers at this address: what was shown is not its.
  onOther(): void;
}

const SLOWEST_MS = 5_000;
// What a socket's history surely holds; what is older comes by pages.
const BY_SOCKET = 20_000;
const PAGE = 10_000;

export class Link {
  last = 0;
  private session = '';
  private tries = 0;
  private distrusted = -1;
  private stopped = false;
  private ending = false;

  constructor(private readonly o: LinkOptions) {}

  async connect(): Promise<void> {
    this.o.onState('connecting', 0);
    try {
      await this.catchUp();
    } catch {
      await this.closed();
      return;
    }
    const socket = this.o.open();
    socket.onopen = () => {
      const hello: Record<string, number> = { history: BY_SOCKET };
      if (this.last > 0) hello.since = this.last;
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = (m) => this.receive(socket, m.data);
    socket.onclose = () => void this.closed();
  }

  // The session is over: nobody will answer any more.
  end(): void {
    this.stopped = true;
  }

  private async catchUp(): Promise<void> {
    let { last } = await this.o.page(this.last, 1);
    const from = Math.max(this.last, last - this.o.history);
    if (last - from <= BY_SOCKET) return;
    if (this.last === 0) this.o.onSkipped(from);
    else if (from > this.last) this.o.onMissed(from - this.last);
    this.last = from;
    while (last - this.last > BY_SOCKET) {
      const page = await this.o.page(this.last, PAGE);
      const events = page.events.filter((e) => e.seq > this.last);
      if (events.length === 0) return;
      last = page.last;
      this.last = events[events.length - 1]!.seq;
      this.o.onEvents(events);
    }
  }

  private receive(socket: Socket, data: unknown): void {
    let message: LeashEvent[] | Control;
    try {
      message = JSON.parse(String(data));
    } catch {
      socket.close();
      return;
    }
    if (Array.isArray(message)) this.take(socket, message);
    else this.control(message);
  }

  private control(m: Control): void {
    switch (m.type) {
      case 'hello':
        this.tries = 0;
        if (this.session && m.session !== this.session) {
          this.last = 0;
          this.o.onOther();
        }
        // What lies between the last event and the beginning of the history will not come.
        else if (this.last > 0 && m.first > this.last + 1) {
          this.o.onMissed(m.first - this.last - 1);
          this.last = m.first - 1;
        }
        this.session = m.session;
        if (this.last === 0) this.o.onSkipped(m.skipped);
        this.o.onHello(m);
        this.o.onState('history', 0);
        break;
      case 'ready':
        this.o.onState('live', 0);
        break;
      case 'lost':
        this.o.onMissed(m.count);
        this.last = Math.max(this.last, m.until);
        break;
      case 'session':
        this.ending = m.state === 'ending';
        this.o.onNews(m);
        break;
    }
  }

  private take(socket: Socket, events: LeashEvent[]): void {
    const fresh: LeashEvent[] = [];
    for (const e of events) {
      if (e.seq <= this.last) continue;
      if (this.last > 0 && e.seq > this.last + 1 && this.distrusted !== this.last) {
        // A gap that nobody announced: ask again from here, once.
        this.distrusted = this.last;
        socket.onmessage = null;
        if (fresh.length) this.o.onEvents(fresh);
        socket.close();
        return;
      }
      if (this.last > 0 && e.seq > this.last + 1) this.o.onMissed(e.seq - this.last - 1);
      this.last = e.seq;
      fresh.push(e);
    }
    if (fresh.length) this.o.onEvents(fresh);
  }

  private async closed(): Promise<void> {
    if (this.stopped) {
      this.o.onState('ended', 0);
      return;
    }
    const answer = await this.o.probe();
    if (answer === 'unknown') {
      this.o.onState('refused', 0);
      return;
    }
    // A session that was ending, and is gone, has ended.
    if (answer === 'away' && this.ending) {
      this.o.onState('ended', 0);
      return;
    }
    const wait = answer === 'known' && this.tries === 0 ? 50 : Math.min(250 * 2 ** this.tries, SLOWEST_MS);
    this.tries++;
    this.o.onState('waiting', wait);
    this.o.later(wait, () => void this.connect());
  }
}
