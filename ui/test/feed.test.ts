import { describe, expect, it } from 'vitest';
import { makeEvents } from '../dev/make-events.mjs';
import { Columns } from '../src/model/columns';
import type { LeashEvent } from '../src/model/event';
import { NO_FILTER, Selection, type Filter } from '../src/model/filter';
import { Histogram } from '../src/model/histogram';
import { treeOf } from '../src/model/processes';
import { Feed } from '../src/worker/feed';

const events: LeashEvent[] = makeEvents(5000, { hostile: true });

function select(filter: Partial<Filter>): number[] {
  const feed = new Feed();
  feed.filter({ ...NO_FILTER, ...filter });
  // In pieces, as they arrive.
  for (let i = 0; i < events.length; i += 700) feed.add(events.slice(i, i + 700));
  const whole = new Selection(feed.columns, { ...NO_FILTER, ...filter });
  whole.extend();
  const seqs = feed.rows(0, events.length).map((r) => r.seq);
  expect(seqs).toEqual([...whole.rows.slice(0, whole.length)].map((r) => feed.columns.seq[r]));
  return seqs;
}

const expected = (test: (e: LeashEvent) => boolean) => events.filter(test).map((e) => e.seq);

describe('filters', () => {
  it('let everything through when nothing is chosen', () => {
    expect(select({})).toHaveLength(5000);
  });
  it('by kind and decision', () => {
    expect(select({ kinds: ['proc.exec'] })).toEqual(expected((e) => e.kind === 'proc.exec'));
    expect(select({ decisions: ['deny'] })).toEqual(expected((e) => e.decision === 'deny'));
    expect(select({ kinds: ['file.open'], decisions: ['deny'] })).toEqual(
      expected((e) => e.kind === 'file.open' && e.decision === 'deny'),
    );
  });
  it('by program, host and process', () => {
    expect(select({ exes: ['/usr/bin/git'] })).toEqual(expected((e) => e.exe === '/usr/bin/git'));
    expect(select({ hosts: ['pypi.org'] })).toEqual(expected((e) => e.host === 'pypi.org'));
    expect(select({ hosts: ['169.254.169.254'] })).toEqual(expected((e) => e.ip === '169.254.169.254'));
    expect(select({ pid: 4100 })).toEqual(expected((e) => e.pid === 4100));
  });
  it('by directory, component by component', () => {
    const below = (e: LeashEvent) => (e.path ?? '').startsWith('/home/dev/.ssh/');
    expect(select({ path: '/home/dev/.ssh' })).toEqual(expected(below));
    expect(select({ path: '/home/dev/.ssh/' })).toEqual(expected(below));
    expect(select({ path: '/home/dev/.s' })).toEqual([]);
    expect(select({ path: '/home/dev/.ssh/id_rsa' })).toEqual(expected((e) => e.path === '/home/dev/.ssh/id_rsa'));
    expect(select({ path: '/' })).toEqual(expected((e) => (e.path ?? '').startsWith('/')));
  });
  it('by text in any case, in arguments too', () => {
    expect(select({ text: 'ID_ED25519' })).toEqual(expected((e) => (e.path ?? '').includes('id_ed25519')));
    expect(select({ text: '--short' })).toEqual(expected((e) => (e.argv ?? []).includes('--short')));
    expect(select({ text: '(.*' })).toEqual([]);
    expect(select({ text: '<img' })).toEqual(expected((e) => (e.path ?? '').includes('<img')));
  });
  it('by time', () => {
    const from = Date.parse(events[1000]!.time);
    const to = Date.parse(events[2000]!.time);
    expect(select({ from, to })).toEqual(expected((e) => Date.parse(e.time) >= from && Date.parse(e.time) <= to));
  });
  it('count each choice as if it were the only one of its kind', () => {
    const feed = new Feed();
    feed.add(events);
    feed.filter({ ...NO_FILTER, kinds: ['proc.exec'], decisions: ['deny'] });
    const f = feed.facets();
    expect(Object.fromEntries(f.decisions).allow).toBe(expected((e) => e.kind === 'proc.exec' && e.decision === 'allow').length);
    expect(Object.fromEntries(f.kinds)['file.open']).toBe(expected((e) => e.kind === 'file.open' && e.decision === 'deny').length);
  });
});

describe('the columns', () => {
  it('give back each record, but for its place in the chain', () => {
    const c = new Columns(2);
    for (const e of events) c.append(e);
    for (const [row, e] of events.entries()) {
      const { prev: _p, session: _s, time: _t, ...rest } = e;
      const { time, ...got } = c.record(row);
      expect(got).toEqual(rest);
      expect(Math.abs(Date.parse(time) - Date.parse(e.time))).toBeLessThan(1);
    }
    expect(c.find(17)).toBe(16);
    expect(c.find(99_999)).toBe(-1);
  });
  it('keep the newest when there are too many', () => {
    const c = new Columns(16, 1000);
    for (const e of events) c.append(e);
    expect(c.length).toBeLessThanOrEqual(1000);
    expect(c.seq[c.length - 1]).toBe(5000);
    expect(c.length + c.dropped).toBe(5000);
    const { prev: _p, session: _s, time: _t, ...rest } = events[4999]!;
    const { time: _x, ...got } = c.record(c.length - 1);
    expect(got).toEqual(rest);
    expect(c.strings.size).toBeLessThan(3000);
  });
});

describe('what is counted', () => {
  it('holds the list while paused and loses nothing', () => {
    const feed = new Feed();
    feed.add(events.slice(0, 10));
    feed.pause(true);
    feed.add(events.slice(10, 30));
    expect(feed.overview()).toMatchObject({ matched: 10, waiting: 20, total: 30 });
    feed.pause(false);
    expect(feed.overview()).toMatchObject({ matched: 30, waiting: 0 });
  });
  it('steps through what is shown', () => {
    const feed = new Feed();
    feed.add(events);
    feed.filter({ ...NO_FILTER, decisions: ['deny'] });
    const seqs = expected((e) => e.decision === 'deny');
    expect(feed.neighbour(0, -1)).toBe(seqs.at(-1));
    expect(feed.neighbour(0, 1)).toBe(seqs[0]);
    expect(feed.neighbour(seqs[3]!, 1)).toBe(seqs[4]);
    expect(feed.neighbour(seqs[0]!, -1)).toBe(seqs[0]);
    feed.filter({ ...NO_FILTER, text: 'no such text' });
    expect(feed.neighbour(1, 1)).toBe(0);
  });
  it('joins what was stopped again and again', () => {
    const feed = new Feed();
    feed.add(events);
    const o = feed.overview();
    expect(o.denied).toBe(expected((e) => e.decision === 'deny').length);
    const stop = o.stops.find((s) => s.object === '169.254.169.254:80')!;
    expect(stop.times).toBe(expected((e) => e.decision === 'deny' && e.ip === '169.254.169.254').length);
  });
  it('counts lost events', () => {
    const feed = new Feed();
    feed.add([{ seq: 1, time: '2026-01-01T00:00:00Z', kind: 'lost', count: 7 }]);
    feed.miss(3);
    expect(feed.overview()).toMatchObject({ lost: 7, missed: 3 });
  });
  it('makes a tree in which nobody is twice, even where pids form a ring', () => {
    const feed = new Feed();
    feed.add(events);
    const all = feed.tree();
    expect(treeOf(all, new Set()).map((b) => b.process.pid).sort()).toEqual(all.map((p) => p.pid).sort());
    feed.add([
      { seq: 9001, time: '2026-01-01T00:00:00Z', kind: 'file.open', pid: 1, ppid: 2 },
      { seq: 9002, time: '2026-01-01T00:00:00Z', kind: 'file.open', pid: 2, ppid: 1 },
    ]);
    expect(feed.lineage(1).map((p) => p.pid)).toEqual([1, 2]);
  });
  it('adds up hosts', () => {
    const feed = new Feed();
    feed.add(events);
    const host = feed.peers().peers.find((p) => p.name === 'pypi.org')!;
    expect(host.requests).toBe(expected((e) => e.kind === 'http.request' && e.host === 'pypi.org').length);
    expect(host.bytesIn).toBe(events.filter((e) => e.host === 'pypi.org').reduce((n, e) => n + (e.bytes_in ?? 0), 0));
  });
  it('keeps a timeline of bounded size that adds up', () => {
    const h = new Histogram(1, 8);
    for (let t = 0; t < 100; t++) h.add(1_000_000 + t * 100, 0);
    h.add(0, 0);
    h.add(NaN, 0);
    const { series, step } = h.get();
    expect(series[0]!.length).toBeLessThanOrEqual(8);
    expect(series[0]!.reduce((a, b) => a + b)).toBe(101);
    expect(step).toBe(1600);
  });
});

describe('100,000 events', () => {
  it('are filtered within 50 ms', { timeout: 60_000 }, () => {
    const feed = new Feed();
    feed.add(makeEvents(100_000, { hostile: true }));
    const worst = [
      { text: 'mod4' },
      { text: 'no such text anywhere' },
      { path: '/home/dev/project' },
      { decisions: ['deny'] },
      { kinds: ['file.open'], text: 'pkg-1' },
    ].map((f) => {
      let best = Infinity;
      for (let i = 0; i < 6; i++) {
        // Processor time: the machine may have more to do.
        const before = process.cpuUsage();
        feed.filter({ ...NO_FILTER, ...f });
        best = Math.min(best, process.cpuUsage(before).user / 1000);
      }
      return best;
    });
    console.log('filter, ms:', worst.map((w) => w.toFixed(1)).join(' '));
    expect(Math.max(...worst)).toBeLessThan(50);
  });
});
