// What the page knows of the session: the events and what is counted from them.
// It lives in the worker; the page asks for the few rows that it draws.
import { Columns } from '../model/columns';
import { baseName, groupOf, isStopped, peerOf, verbOf, type LeashEvent } from '../model/event';
import { NO_FILTER, Selection, type Facets, type Filter } from '../model/filter';
import type { Timeline } from '../model/histogram';
import { Network, type Lookup, type Peer } from '../model/network';
import { Processes, type KnownProcess, type Process } from '../model/processes';

export interface Row {
  seq: number;
  time: number;
  kind: string;
  decision: string;
  verb: string;
  object: string;
  detail: string;
  isPath: boolean;
  process: string;
  pid: number;
  policies: string;
}

export interface Stop {
  seq: number;
  verb: string;
  object: string;
  isPath: boolean;
  process: string;
  decision: string;
  kind: string;
  times: number;
}

export interface Command {
  seq: number;
  pid: number;
  argv: string[];
  time: number;
}

export interface Overview {
  total: number;
  matched: number;
  denied: number;
  wouldDeny: number;
  lost: number;
  missed: number;
  waiting: number;
  last: number;
  stops: Stop[];
  commands: Command[];
  ended: boolean;
  status: number | null;
}

export interface Touched {
  name: string;
  verbs: string[];
  events: number;
  denied: number;
  isPath: boolean;
}

const MOST_STOPS = 500;
const SHOWN_STOPS = 12;
const SHOWN_COMMANDS = 4;

export class Feed {
  columns = new Columns();
  selection = new Selection(this.columns, NO_FILTER);
  processes = new Processes();
  network = new Network();

  private readonly stops = new Map<string, Stop>();
  private readonly commands: Command[] = [];
  private denied = 0;
  private wouldDeny = 0;
  private lost = 0;
  private missed = 0;
  private total = 0;
  private ended = false;
  private status: number | null = null;
  private paused = false;

  add(events: LeashEvent[]): void {
    for (const e of events) this.addOne(e);
    if (!this.paused) this.selection.extend();
  }

  // While paused events are kept and counted, but the list stays as it is.
  pause(on: boolean): void {
    this.paused = on;
    if (!on) this.selection.extend();
  }

  miss(n: number): void {
    this.missed += n;
  }

  filter(filter: Filter): void {
    this.selection = new Selection(this.columns, filter);
    this.selection.extend();
  }

  overview(): Overview {
    return {
      total: this.total,
      matched: this.selection.length,
      denied: this.denied,
      wouldDeny: this.wouldDeny,
      lost: this.lost,
      missed: this.missed,
      waiting: this.selection.behind,
      last: this.columns.length ? this.columns.seq[this.columns.length - 1]! : 0,
      stops: [...this.stops.values()].slice(-SHOWN_STOPS).reverse(),
      commands: [...this.commands].reverse(),
      ...this.end(),
    };
  }

  end(): { ended: boolean; status: number | null } {
    return { ended: this.ended, status: this.status };
  }

  facets(): Facets {
    return this.selection.facets();
  }

  timeline(): Timeline {
    return this.selection.histogram.get();
  }

  rows(from: number, to: number): Row[] {
    const out: Row[] = [];
    for (let i = Math.max(0, from); i < Math.min(to, this.selection.length); i++)
      out.push(this.row(this.selection.rows[i]!));
    return out;
  }

  // Where the event stands among those shown; -1: it is not among them.
  place(seq: number): number {
    const row = this.columns.find(seq);
    if (row < 0) return -1;
    const i = this.selection.indexOf(row);
    return this.selection.rows[i] === row && i < this.selection.length ? i : -1;
  }

  // The event so many rows further among those shown; from one that is not shown, the first or last.
  neighbour(seq: number, by: number): number {
    const last = this.selection.length - 1;
    if (last < 0) return 0;
    const at = this.place(seq);
    const to = at < 0 ? (by > 0 ? 0 : last) : Math.min(last, Math.max(0, at + by));
    return this.columns.seq[this.selection.rows[to]!]!;
  }

  record(seq: number): LeashEvent | null {
    const row = this.columns.find(seq);
    return row < 0 ? null : this.columns.record(row);
  }

  lineage(pid: number): Process[] {
    return this.processes.lineage(pid);
  }

  know(known: KnownProcess[]): void {
    this.processes.merge(known);
  }

  tree(): Process[] {
    return this.processes.all();
  }

  peers(): { peers: Peer[]; lookups: Lookup[] } {
    return { peers: [...this.network.peers.values()], lookups: [...this.network.lookups.values()] };
  }

  touched(pid: number, withBelow: boolean): Touched[] {
    const pids = withBelow ? this.processes.below(pid) : new Set([pid]);
    const found = new Map<string, Touched>();
    const column = this.columns.number.pid;
    for (let row = 0; row < this.columns.length; row++) {
      if (!pids.has(column[row]!)) continue;
      const r = this.row(row);
      const key = r.isPath || r.kind === 'proc.exec' ? this.columns.textAt('path', row) || r.object : r.object;
      if (!key) continue;
      let t = found.get(key);
      if (!t) {
        t = { name: key, verbs: [], events: 0, denied: 0, isPath: key.startsWith('/') };
        found.set(key, t);
      }
      t.events++;
      if (isStopped(r.kind, r.decision)) t.denied++;
      if (!t.verbs.includes(r.verb)) t.verbs.push(r.verb);
    }
    return [...found.values()].sort((a, b) => b.denied - a.denied || b.events - a.events).slice(0, 400);
  }

  // The requests to one host, the newest first.
  requests(host: string): Row[] {
    const out: Row[] = [];
    const id = this.columns.strings.find(host);
    if (id === undefined) return out;
    const { host: hosts, ip } = this.columns.text;
    for (let row = this.columns.length - 1; row >= 0 && out.length < 100; row--)
      if ((hosts[row] || ip[row]) === id) out.push(this.row(row));
    return out;
  }

  private addOne(e: LeashEvent): void {
    const before = this.columns.dropped;
    const row = this.columns.append(e);
    if (this.columns.dropped !== before) this.filter(this.selection.filter);
    this.total++;
    this.processes.add(e);
    this.network.add(e);
    if (e.decision === 'deny') this.denied++;
    if (e.decision === 'would-deny') this.wouldDeny++;
    if (e.kind === 'lost') this.lost += e.count ?? 0;
    if (e.kind === 'session.stop') {
      this.ended = true;
      this.status = e.status ?? null;
    }
    if (isStopped(e.kind, e.decision)) this.noteStop(row);
    if (e.kind === 'proc.exec' && e.decision !== 'deny' && e.argv?.length) {
      this.commands.push({ seq: e.seq, pid: e.pid ?? 0, argv: e.argv, time: this.columns.time[row]! });
      if (this.commands.length > SHOWN_COMMANDS) this.commands.shift();
    }
  }

  private noteStop(row: number): void {
    const r = this.row(row);
    const key = `${r.decision} ${r.verb} ${r.object}`;
    const old = this.stops.get(key);
    // Taken out and put in again: the map's order is that of the newest event.
    this.stops.delete(key);
    this.stops.set(key, {
      seq: r.seq,
      verb: r.verb,
      object: r.object || r.detail,
      isPath: r.isPath,
      process: r.process,
      decision: r.decision,
      kind: r.kind,
      times: (old?.times ?? 0) + 1,
    });
    if (this.stops.size > MOST_STOPS) this.stops.delete(this.stops.keys().next().value!);
  }

  private row(row: number): Row {
    const c = this.columns;
    const kind = c.textAt('kind', row);
    const [object, detail, isPath] = this.objectOf(kind, row);
    return {
      seq: c.seq[row]!,
      time: c.time[row]!,
      kind,
      decision: c.textAt('decision', row),
      verb: verbOf(kind, c.textAt('access', row), c.textAt('method', row)),
      object,
      detail,
      isPath,
      process: c.textAt('comm', row) || baseName(c.textAt('exe', row)),
      pid: c.numberAt('pid', row) ?? 0,
      policies: c.textAt('policies', row),
    };
  }

  private objectOf(kind: string, row: number): [string, string, boolean] {
    const c = this.columns;
    const message = c.textAt('message', row);
    const error = c.textAt('error', row);
    const path = c.textAt('path', row);
    const peer = peerOf(c.textAt('host', row), c.textAt('ip', row), c.numberAt('port', row) ?? 0);
    const address = c.textAt('host', row) ? c.textAt('ip', row) : '';
    if (kind === 'proc.exec') return [c.textAt('argv', row), path, false];
    if (kind === 'proc.exit') return [path, `status ${c.numberAt('status', row) ?? '?'}`, true];
    if (kind === 'session.start') return [c.textAt('argv', row), message, false];
    if (kind === 'session.stop') return ['', `status ${c.numberAt('status', row) ?? '?'}`, false];
    if (kind === 'policy.applied') return ['', `generation ${c.numberAt('generation', row) ?? '?'} in force`, false];
    if (kind === 'http.request') {
      const status = c.numberAt('status', row);
      return [c.textAt('url', row) || peer, status === undefined ? message : String(status), false];
    }
    if (kind === 'dns.query') return [c.textAt('host', row), message || c.textAt('ip', row), false];
    if (groupOf(kind) === 'net') return [peer || path, address || message, !peer];
    if (path) return [path, c.textAt('target', row) ? `→ ${c.textAt('target', row)}` : error, true];
    return [peer, message, false];
  }
}
