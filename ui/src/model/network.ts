// Who talked to whom, and how much.
import { isStopped, type LeashEvent } from './event';

export interface Peer {
  name: string;
  ports: number[];
  addresses: string[];
  events: number;
  connections: number;
  requests: number;
  denied: number;
  bytesIn: number;
  bytesOut: number;
  latencySum: number;
  latencyCount: number;
  latencyMax: number;
  who: string[];
  first: number;
  last: number;
}

export interface Lookup {
  name: string;
  queries: number;
  denied: number;
  answers: string[];
  types: string[];
  last: number;
}

const MOST = 5_000;
const MOST_EACH = 12;

function note<T>(list: T[], item: T): void {
  if (list.length < MOST_EACH && !list.includes(item)) list.push(item);
}

export class Network {
  readonly peers = new Map<string, Peer>();
  readonly lookups = new Map<string, Lookup>();

  add(e: LeashEvent): void {
    if (e.kind === 'dns.query') this.addLookup(e);
    else if (e.kind.startsWith('net.') || e.kind.startsWith('http.') || e.kind === 'ws.open' || e.kind === 'mismatch')
      this.addPeer(e);
  }

  private addPeer(e: LeashEvent): void {
    const name = e.host ?? e.ip;
    if (!name) return;
    let p = this.peers.get(name);
    if (!p) {
      if (this.peers.size >= MOST) return;
      p = {
        name,
        ports: [],
        addresses: [],
        events: 0,
        connections: 0,
        requests: 0,
        denied: 0,
        bytesIn: 0,
        bytesOut: 0,
        latencySum: 0,
        latencyCount: 0,
        latencyMax: 0,
        who: [],
        first: e.seq,
        last: e.seq,
      };
      this.peers.set(name, p);
    }
    p.events++;
    p.last = e.seq;
    if (e.kind === 'net.connect') p.connections++;
    if (e.kind === 'http.request') p.requests++;
    if (isStopped(e.kind, e.decision)) p.denied++;
    p.bytesIn += e.bytes_in ?? 0;
    p.bytesOut += e.bytes_out ?? 0;
    if (e.latency_us !== undefined) {
      p.latencySum += e.latency_us;
      p.latencyCount++;
      p.latencyMax = Math.max(p.latencyMax, e.latency_us);
    }
    if (e.port) note(p.ports, e.port);
    if (e.ip) note(p.addresses, e.ip);
    const who = e.comm ?? e.exe;
    if (who) note(p.who, who);
  }

  private addLookup(e: LeashEvent): void {
    if (!e.host) return;
    let l = this.lookups.get(e.host);
    if (!l) {
      if (this.lookups.size >= MOST) return;
      l = { name: e.host, queries: 0, denied: 0, answers: [], types: [], last: e.seq };
      this.lookups.set(e.host, l);
    }
    l.queries++;
    l.last = e.seq;
    if (isStopped(e.kind, e.decision)) l.denied++;
    if (e.ip) note(l.answers, e.ip);
    const type = /^type (\w+)/.exec(e.message ?? '')?.[1];
    if (type) note(l.types, type);
  }
}
