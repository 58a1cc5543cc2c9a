// The events, by columns: a hundred thousand of them take some ten megabytes and
// the distinct texts among them.
import type { LeashEvent } from './event';
import { Strings } from './strings';

const TEXT_COLUMNS = [
  'kind',
  'decision',
  'policies',
  'exe',
  'comm',
  'path',
  'target',
  'host',
  'ip',
  'access',
  'method',
  'url',
  'argv',
  'message',
  'error',
  'rest',
] as const;
const NUMBER_COLUMNS = ['pid', 'ppid', 'port', 'latency_us', 'generation', 'status'] as const;

type TextColumn = (typeof TEXT_COLUMNS)[number];
type NumberColumn = (typeof NUMBER_COLUMNS)[number];

const ABSENT = -1;
const HELD = new Set<string>([...TEXT_COLUMNS, ...NUMBER_COLUMNS, 'seq', 'time', 'session', 'prev']);

export class Columns {
  strings = new Strings();
  length = 0;
  // Rows that were dropped at the beginning, to stay within the limit.
  dropped = 0;
  seq: Uint32Array;
  time: Float64Array;
  text: Record<TextColumn, Uint32Array>;
  number: Record<NumberColumn, Int32Array>;

  constructor(
    private capacity = 4096,
    private readonly limit = 250_000,
  ) {
    this.seq = new Uint32Array(capacity);
    this.time = new Float64Array(capacity);
    this.text = Object.fromEntries(TEXT_COLUMNS.map((c) => [c, new Uint32Array(capacity)])) as never;
    this.number = Object.fromEntries(NUMBER_COLUMNS.map((c) => [c, new Int32Array(capacity)])) as never;
  }

  // Returns the row. Where rows had to be dropped all earlier row numbers are void: see `dropped`.
  append(e: LeashEvent): number {
    if (this.length >= this.limit) this.dropOldest(Math.ceil(this.limit / 5));
    if (this.length === this.capacity) this.resize(this.capacity * 2);
    const row = this.length++;
    const s = this.strings;
    this.seq[row] = e.seq;
    this.time[row] = Date.parse(e.time);
    for (const c of NUMBER_COLUMNS) {
      const value = e[c];
      this.number[c][row] = typeof value === 'number' ? Math.min(value, 0x7fffffff) : ABSENT;
    }
    for (const c of TEXT_COLUMNS) this.text[c][row] = 0;
    this.text.kind[row] = s.add(e.kind);
    this.text.decision[row] = s.add(e.decision);
    this.text.policies[row] = e.policies ? s.add(e.policies.join(' ')) : 0;
    this.text.exe[row] = s.add(e.exe);
    this.text.comm[row] = s.add(e.comm);
    this.text.path[row] = s.add(e.path);
    this.text.target[row] = s.add(e.target);
    this.text.host[row] = s.add(e.host);
    this.text.ip[row] = s.add(e.ip);
    this.text.access[row] = s.add(e.access);
    this.text.method[row] = s.add(e.method);
    this.text.url[row] = s.add(e.url);
    this.text.argv[row] = e.argv ? s.add(JSON.stringify(e.argv)) : 0;
    this.text.message[row] = s.add(e.message);
    this.text.error[row] = e.error === undefined ? 0 : s.add(String(e.error));
    this.text.rest[row] = s.add(restOf(e));
    return row;
  }

  // The row with this seq, or -1.
  find(seq: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.seq[middle]! < seq) low = middle + 1;
      else high = middle;
    }
    return low < this.length && this.seq[low] === seq ? low : -1;
  }

  textAt(column: TextColumn, row: number): string {
    return this.strings.get(this.text[column][row]!);
  }

  numberAt(column: NumberColumn, row: number): number | undefined {
    const value = this.number[column][row]!;
    return value === ABSENT ? undefined : value;
  }

  // The record again, but for its place in the chain.
  record(row: number): LeashEvent {
    const out: Record<string, unknown> = {
      seq: this.seq[row]!,
      time: new Date(this.time[row]!).toISOString(),
    };
    for (const c of TEXT_COLUMNS) {
      const value = this.textAt(c, row);
      if (value === '' || c === 'rest') continue;
      if (c === 'policies') out[c] = value.split(' ');
      else if (c === 'argv') out[c] = JSON.parse(value);
      else out[c] = value;
    }
    for (const c of NUMBER_COLUMNS) {
      const value = this.numberAt(c, row);
      if (value !== undefined) out[c] = value;
    }
    const rest = this.textAt('rest', row);
    return { ...out, ...(rest ? JSON.parse(rest) : {}) } as LeashEvent;
  }

  private resize(capacity: number): void {
    const grow = <T extends Uint32Array | Int32Array | Float64Array>(old: T, next: T): T => {
      next.set(old.subarray(0, this.length) as never);
      return next;
    };
    this.capacity = capacity;
    this.seq = grow(this.seq, new Uint32Array(capacity));
    this.time = grow(this.time, new Float64Array(capacity));
    for (const c of TEXT_COLUMNS) this.text[c] = grow(this.text[c], new Uint32Array(capacity));
    for (const c of NUMBER_COLUMNS) this.number[c] = grow(this.number[c], new Int32Array(capacity));
  }

  private dropOldest(n: number): void {
    this.seq.copyWithin(0, n, this.length);
    this.time.copyWithin(0, n, this.length);
    for (const c of NUMBER_COLUMNS) this.number[c].copyWithin(0, n, this.length);
    const kept = new Strings();
    this.length -= n;
    for (const c of TEXT_COLUMNS) {
      const column = this.text[c];
      column.copyWithin(0, n, this.length + n);
      for (let row = 0; row < this.length; row++) column[row] = kept.add(this.strings.get(column[row]!));
    }
    this.strings = kept;
    this.dropped += n;
  }
}

function restOf(e: LeashEvent): string | undefined {
  const rest: Record<string, unknown> = {};
  let any = false;
  for (const key in e) {
    if (HELD.has(key)) continue;
    rest[key] = e[key];
    any = true;
  }
  return any ? JSON.stringify(rest) : undefined;
}
