// Which events are shown. The rows that match, the counts beside each choice and
// the timeline come out of one pass, which new events continue.
import type { Columns } from './columns';
import { GROUPS, groupOf } from './event';
import { Histogram } from './histogram';
import { Memo, Tally, type Strings } from './strings';

export interface Filter {
  kinds: string[];
  decisions: string[];
  exes: string[];
  hosts: string[];
  path: string;
  text: string;
  pid: number;
  from: number;
  to: number;
}

export const NO_FILTER: Filter = {
  kinds: [],
  decisions: [],
  exes: [],
  hosts: [],
  path: '',
  text: '',
  pid: 0,
  from: 0,
  to: 0,
};

export function isFiltering(f: Filter): boolean {
  return (
    f.kinds.length + f.decisions.length + f.exes.length + f.hosts.length > 0 ||
    f.path !== '' ||
    f.text !== '' ||
    f.pid !== 0 ||
    f.from !== 0 ||
    f.to !== 0
  );
}

export interface Facets {
  kinds: [string, number][];
  decisions: [string, number][];
  exes: [string, number][];
  hosts: [string, number][];
}

const KIND = 1;
const DECISION = 2;
const EXE = 4;
const HOST = 8;
const OTHER = 16;

function oneOf(strings: Strings, wanted: string[]): Memo | null {
  if (wanted.length === 0) return null;
  const set = new Set(wanted);
  return new Memo(strings, (text) => set.has(text));
}

export class Selection {
  rows = new Uint32Array(1024);
  length = 0;
  readonly histogram = new Histogram(GROUPS.length + 2);

  private readonly kind: Memo | null;
  private readonly decision: Memo | null;
  private readonly exe: Memo | null;
  private readonly host: Memo | null;
  private readonly path: Memo | null;
  private readonly text: Memo | null;
  private readonly tallies = { kinds: new Tally(), decisions: new Tally(), exes: new Tally(), hosts: new Tally() };
  private readonly series = new Map<number, number>();
  private seen = 0;

  constructor(
    private readonly columns: Columns,
    readonly filter: Filter,
  ) {
    const s = columns.strings;
    const below = filter.path.endsWith('/') ? filter.path : `${filter.path}/`;
    const exact = below.slice(0, -1);
    const wanted = new RegExp(filter.text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'i');
    this.kind = oneOf(s, filter.kinds);
    this.decision = oneOf(s, filter.decisions);
    this.exe = oneOf(s, filter.exes);
    this.host = oneOf(s, filter.hosts);
    this.path = filter.path ? new Memo(s, (t) => t === exact || t.startsWith(below)) : null;
    this.text = filter.text ? new Memo(s, (t) => wanted.test(t)) : null;
  }

  // Looks at the rows that came since.
  extend(): void {
    const { columns, filter } = this;
    const { kind, decision, exe, host, ip, path, target, url, message, argv, comm } = columns.text;
    const pid = columns.number.pid;
    const isKind = this.kind?.extend();
    const isDecision = this.decision?.extend();
    const isExe = this.exe?.extend();
    const isHost = this.host?.extend();
    const isBelow = this.path?.extend();
    const has = this.text?.extend();
    for (let row = this.seen; row < columns.length; row++) {
      const peer = host[row]! || ip[row]!;
      let fails = 0;
      if (isKind && !isKind[kind[row]!]) fails |= KIND;
      if (isDecision && !isDecision[decision[row]!]) fails |= DECISION;
      if (isExe && !isExe[exe[row]!]) fails |= EXE;
      if (isHost && !isHost[peer]) fails |= HOST;
      if (
        (filter.pid && pid[row] !== filter.pid) ||
        (filter.from && columns.time[row]! < filter.from) ||
        (filter.to && columns.time[row]! > filter.to) ||
        (isBelow && !(isBelow[path[row]!]! | isBelow[target[row]!]!)) ||
        (has &&
          !(
            has[path[row]!]! |
            has[target[row]!]! |
            has[host[row]!]! |
            has[ip[row]!]! |
            has[url[row]!]! |
            has[exe[row]!]! |
            has[comm[row]!]! |
            has[message[row]!]! |
            has[argv[row]!]!
          ))
      )
        fails |= OTHER;
      // A choice's count says how many there would be if it were the one chosen of its kind.
      if ((fails & ~KIND) === 0) this.tallies.kinds.add(kind[row]!);
      if ((fails & ~DECISION) === 0) this.tallies.decisions.add(decision[row]!);
      if ((fails & ~EXE) === 0) this.tallies.exes.add(exe[row]!);
      if ((fails & ~HOST) === 0) this.tallies.hosts.add(peer);
      if (fails === 0) this.take(row);
    }
    this.seen = columns.length;
  }

  // Rows that were not looked at yet.
  get behind(): number {
    return this.columns.length - this.seen;
  }

  facets(): Facets {
    const s = this.columns.strings;
    return {
      kinds: this.tallies.kinds.top(s, 40),
      decisions: this.tallies.decisions.top(s, 4),
      exes: this.tallies.exes.top(s, 60),
      hosts: this.tallies.hosts.top(s, 60),
    };
  }

  // Place of a row among those that match, or where it would be.
  indexOf(row: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private take(row: number): void {
    if (this.length === this.rows.length) {
      const larger = new Uint32Array(this.rows.length * 2);
      larger.set(this.rows);
      this.rows = larger;
    }
    this.rows[this.length++] = row;
    this.histogram.add(this.columns.time[row]!, this.seriesOf(this.columns.text.kind[row]!, this.columns.text.decision[row]!));
  }

  // There are few kinds and decisions: what was found for a pair is remembered.
  private seriesOf(kind: number, decision: number): number {
    const pair = kind * 0x1000000 + decision;
    let series = this.series.get(pair);
    if (series === undefined) {
      const text = this.columns.strings.get(decision);
      if (text === 'deny') series = GROUPS.length;
      else if (text === 'would-deny') series = GROUPS.length + 1;
      else series = GROUPS.indexOf(groupOf(this.columns.strings.get(kind)));
      this.series.set(pair, series);
    }
    return series;
  }
}
