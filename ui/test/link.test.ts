import { beforeEach, describe, expect, it } from 'vitest';
import type { LeashEvent } from '../src/model/event';
import { Link, type LinkState, type Socket } from '../src/worker/link';

const event = (seq: number): LeashEvent => ({ seq, time: '2026-01-01T00:00:00Z', kind: 'file.open' });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => event(from + i));

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((m: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: string[] = [];
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.onclose?.();
  }
  say(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  hello(first: number, last: number, session = 's1', skipped = 0) {
    this.onopen?.();
    this.say({ type: 'hello', session, version: '1', started: '', mode: 'enforce', generation: 1, first, last, skipped });
  }
}

let sockets: FakeSocket[];
let states: LinkState[];
let seqs: number[];
let missed: number;
let skipped: number;
let others: number;
let log: number;
let pages: [number, number][];
let answer: 'known' | 'unknown' | 'away';
let timers: [number, () => void][];
let link: Link;

const settle = () => new Promise((r) => setTimeout(r, 0));
const newest = () => sockets[sockets.length - 1]!;

beforeEach(async () => {
  sockets = [];
  states = [];
  seqs = [];
  missed = skipped = others = 0;
  log = 0;
  pages = [];
  answer = 'known';
  timers = [];
  link = new Link({
    open: () => {
      sockets.push(new FakeSocket());
      return newest();
    },
    probe: async () => answer,
    page: async (since, limit) => {
      pages.push([since, limit]);
      if (answer === 'away') throw new Error('away');
      return { events: range(since + 1, Math.min(log, since + limit)), last: log };
    },
    later: (ms, run) => timers.push([ms, run]),
    history: 100_000,
    onState: (s) => states.push(s),
    onEvents: (events) => seqs.push(...events.map((e) => e.seq)),
    onMissed: (n) => (missed += n),
    onSkipped: (n) => (skipped += n),
    onHello: () => undefined,
    onNews: () => undefined,
    onOther: () => {
      others++;
      seqs = [];
    },
  });
});

async function reconnect() {
  await settle();
  timers.pop()![1]();
  await settle();
}

describe('the link', () => {
  it('shows history, then what is live', async () => {
    log = 3;
    await link.connect();
    expect(JSON.parse((newest().onopen!(), newest().sent[0]!))).toEqual({ history: 20_000 });
    newest().hello(1, 3);
    newest().say(range(1, 3));
    newest().say({ type: 'ready', seq: 3 });
    newest().say([event(4)]);
    expect(seqs).toEqual([1, 2, 3, 4]);
    expect(states).toEqual(['connecting', 'history', 'live']);
  });

  it('goes on behind the last event after a break, without gap or double', async () => {
    await link.connect();
    newest().hello(1, 5);
    newest().say(range(1, 5));
    newest().close();
    await reconnect();
    newest().hello(6, 8);
    expect(JSON.parse(newest().sent[0]!).since).toBe(5);
    // A server that repeats itself does no harm.
    newest().say(range(4, 8));
    newest().say(range(8, 9));
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(missed).toBe(0);
  });

  it('asks again where events are missing, and counts what will not come', async () => {
    await link.connect();
    newest().hello(1, 2);
    newest().say(range(1, 2));
    newest().say([event(3), event(6)]);
    expect(seqs).toEqual([1, 2, 3]);
    await reconnect();
    newest().hello(4, 6);
    newest().say(range(4, 6));
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6]);
    expect(missed).toBe(0);

    newest().say([event(9)]);
    await reconnect();
    newest().hello(9, 9);
    newest().say([event(9)]);
    expect(seqs.at(-1)).toBe(9);
    expect(missed).toBe(2);
  });

  it('does not ask for ever', async () => {
    await link.connect();
    newest().hello(1, 1);
    newest().say([event(1)]);
    newest().say([event(4)]);
    await reconnect();
    newest().hello(0, 4);
    newest().say([event(4)]);
    expect(seqs).toEqual([1, 4]);
    expect(missed).toBe(2);
    expect(sockets).toHaveLength(2);
  });

  it('counts what the server says it left out', async () => {
    await link.connect();
    newest().hello(1, 1);
    newest().say([event(1)]);
    newest().say({ type: 'lost', count: 5, since: 2, until: 6 });
    newest().say([event(7)]);
    expect(seqs).toEqual([1, 7]);
    expect(missed).toBe(5);
    expect(sockets).toHaveLength(1);
  });

  it('fetches by pages what a socket would leave out', async () => {
    log = 45_000;
    await link.connect();
    expect(pages).toEqual([[0, 1], [0, 10_000], [10_000, 10_000], [20_000, 10_000]]);
    newest().hello(30_001, 45_000);
    expect(JSON.parse(newest().sent[0]!).since).toBe(30_000);
    newest().say(range(30_001, 45_000));
    expect(seqs).toHaveLength(45_000);
    expect(new Set(seqs).size).toBe(45_000);
  });

  it('leaves out what is older than it keeps, and says so', async () => {
    log = 250_000;
    await link.connect();
    expect(skipped).toBe(150_000);
    expect(seqs[0]).toBe(150_001);
    expect(missed).toBe(0);
  });

  it('waits longer each time, up to five seconds', async () => {
    await link.connect();
    newest().close();
    await settle();
    const waits = [timers[0]![0]];
    answer = 'away';
    for (let i = 0; i < 7; i++) {
      timers.pop()![1]();
      await settle();
      waits.push(timers[0]![0]);
    }
    expect(waits).toEqual([50, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
  });

  it('stops where the server does not know it, and when the session ended', async () => {
    await link.connect();
    answer = 'unknown';
    newest().close();
    await settle();
    expect(states.at(-1)).toBe('refused');
    expect(timers).toHaveLength(0);

    answer = 'known';
    await link.connect();
    link.end();
    newest().close();
    await settle();
    expect(states.at(-1)).toBe('ended');
  });

  it('knows an end that it was told of from a break', async () => {
    await link.connect();
    newest().hello(1, 1);
    newest().say({ type: 'session', state: 'ending', mode: 'enforce', generation: 1, policies: 1, counters: {} });
    answer = 'away';
    newest().close();
    await settle();
    expect(states.at(-1)).toBe('ended');
    expect(timers).toHaveLength(0);
  });

  it('begins anew with another session', async () => {
    await link.connect();
    newest().hello(1, 2);
    newest().say(range(1, 2));
    newest().close();
    await reconnect();
    newest().hello(1, 1, 's2');
    newest().say([event(1)]);
    expect(others).toBe(1);
    expect(seqs).toEqual([1]);
  });
});
