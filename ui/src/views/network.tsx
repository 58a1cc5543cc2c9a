// Which hosts, how much, how fast, by whom; and which names were looked up.
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { Lookup, Peer } from '../model/network';
import { bytes, clock, count, micros, plural } from '../model/text';
import { Icon } from '../parts/icon';
import { decisionWord, toneOf } from '../parts/events';
import { Name } from '../parts/name';
import { useRegularly } from '../parts/regularly';
import { ask, go, setFilter, show } from '../state';
import type { Row } from '../worker/feed';

type Order = 'last' | 'name' | 'events' | 'bytes' | 'latency' | 'denied';

const order = signal<Order>('last');
const chosen = signal('');

const SORTS: Record<Order, (a: Peer, b: Peer) => number> = {
  last: (a, b) => b.last - a.last,
  name: (a, b) => a.name.localeCompare(b.name),
  events: (a, b) => b.events - a.events,
  bytes: (a, b) => b.bytesIn + b.bytesOut - a.bytesIn - a.bytesOut,
  latency: (a, b) => mean(b) - mean(a),
  denied: (a, b) => b.denied - a.denied,
};

function mean(p: Peer): number {
  return p.latencyCount ? p.latencySum / p.latencyCount : 0;
}

function Sort({ by, children, num }: { by: Order; children: string; num?: boolean }) {
  return (
    <th class={num ? 'num' : ''} aria-sort={order.value === by ? (by === 'name' ? 'ascending' : 'descending') : 'none'}>
      <button type="button" class="link" onClick={() => (order.value = by)}>
        {children}
      </button>
    </th>
  );
}

export function NetworkView() {
  const [peers, setPeers] = useState<Peer[]>([]);
  const [lookups, setLookups] = useState<Lookup[]>([]);
  useRegularly(async () => {
    const found = await ask('peers');
    setPeers(found.peers);
    setLookups(found.lookups);
  });
  const sorted = [...peers].sort(SORTS[order.value]);
  return (
    <div class="split network">
      <section class="hosts" aria-label="Hosts">
        <h1>
          Hosts <span class="muted">{count(peers.length)}</span>
        </h1>
        <div class="scroller" tabIndex={0} role="group" aria-label="Hosts">
          {peers.length === 0 ? <p class="nothing">No connection was tried yet.</p> : <Hosts peers={sorted} />}
          <h2>Names looked up</h2>
          {lookups.length === 0 ? <p class="nothing">None yet.</p> : <Lookups lookups={lookups} />}
        </div>
      </section>
      <HostDetail peer={peers.find((p) => p.name === chosen.value)} />
    </div>
  );
}

function Hosts({ peers }: { peers: Peer[] }) {
  return (
    <table class="plain-table choosable">
      <thead>
        <tr>
          <Sort by="name">host</Sort>
          <th>ports</th>
          <Sort by="denied" num>
            stopped
          </Sort>
          <Sort by="events" num>
            events
          </Sort>
          <Sort by="bytes" num>
            received / sent
          </Sort>
          <Sort by="latency" num>
            added by leash
          </Sort>
          <th>who</th>
        </tr>
      </thead>
      <tbody>
        {peers.slice(0, 500).map((p) => (
          <tr
            key={p.name}
            class={`${p.denied ? 'tone-deny' : ''}${p.name === chosen.value ? ' is-selected' : ''}`}
            onClick={() => (chosen.value = p.name)}
          >
            <td class="mono">
              <button type="button" class="link" onClick={() => (chosen.value = p.name)}>
                <Name text={p.name} />
              </button>
            </td>
            <td>{p.ports.join(', ')}</td>
            <td class="num denied">{p.denied ? count(p.denied) : ''}</td>
            <td class="num">{count(p.events)}</td>
            <td class="num">{p.bytesIn + p.bytesOut ? `${bytes(p.bytesIn)} / ${bytes(p.bytesOut)}` : ''}</td>
            <td class="num">{p.latencyCount ? micros(mean(p)) : ''}</td>
            <td class="who">
              <Name text={p.who.join(', ')} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Lookups({ lookups }: { lookups: Lookup[] }) {
  return (
    <table class="plain-table">
      <thead>
        <tr>
          <th>name</th>
          <th>types</th>
          <th>answers</th>
          <th class="num">queries</th>
          <th class="num">stopped</th>
        </tr>
      </thead>
      <tbody>
        {[...lookups]
          .sort((a, b) => b.last - a.last)
          .slice(0, 500)
          .map((l) => (
            <tr key={l.name} class={l.denied ? 'tone-deny' : ''}>
              <td class="mono">
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    setFilter({ hosts: [l.name] });
                    go('live');
                  }}
                >
                  <Name text={l.name} />
                </button>
              </td>
              <td>
                <Name text={l.types.join(', ')} />
              </td>
              <td class="mono">
                <Name text={l.answers.join(', ')} />
              </td>
              <td class="num">{count(l.queries)}</td>
              <td class="num">{l.denied ? count(l.denied) : ''}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

function HostDetail({ peer }: { peer: Peer | undefined }) {
  const [rows, setRows] = useState<Row[]>([]);
  const name = peer?.name ?? '';
  useRegularly(async () => {
    if (name) setRows(await ask('requests', name));
  }, [name]);
  if (!peer)
    return (
      <section class="detail-pane" aria-label="One host">
        <p class="nothing">Choose a host to see its requests.</p>
      </section>
    );
  return (
    <section class="detail-pane" aria-label="One host">
      <h2 class="mono">
        <Name text={peer.name} />
      </h2>
      <p class="muted mono">
        <Name text={peer.addresses.join('  ') || 'no address known'} />
      </p>
      <div class="choice">
        <button
          type="button"
          onClick={() => {
            setFilter({ hosts: [peer.name] });
            go('live');
          }}
        >
          Its events
        </button>
        {peer.requests ? <span class="muted">{plural(peer.requests, 'request')}</span> : null}
        {peer.latencyCount ? (
          <span class="muted">
            leash added {micros(mean(peer))} on average, {micros(peer.latencyMax)} at most
          </span>
        ) : null}
      </div>
      <div class="scroller" tabIndex={0} role="group" aria-label="Its newest events">
        <ol class="feed">
          {rows.map((r) => (
            <li key={r.seq}>
              <button
                type="button"
                class={`line tone-${toneOf(r)}`}
                onClick={() => {
                  show(r.seq);
                  go('live');
                }}
              >
                <span class="c-time">{clock(r.time)}</span>
                <span class="verb">{r.verb}</span>
                <span class="mono">
                  <Name text={r.object} />
                </span>
                <span class="by">
                  {toneOf(r) === 'calm' ? <Name text={r.detail} /> : <><Icon name="deny" /> {decisionWord(r)}</>}
                </span>
              </button>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
