// One event: what happened, why it was decided so, and a policy made of it.
import { useEffect, useState } from 'preact/hooks';
import { api, messageOf, Problem, type Breadth, type Effect, type Explanation, type FromEvent } from '../api';
import { baseName, directoryOf, groupOf, type LeashEvent } from '../model/event';
import { titleOf, type Process } from '../model/processes';
import { bytes, clock, count, micros, plural } from '../model/text';
import { ask, drawerOpen, go, past, say, selected, setFilter, show, wantedPolicy } from '../state';
import { Cedar } from './cedar';
import { decisionWord, toneOf } from './events';
import { Icon } from './icon';
import { Name, Path } from './name';
import { Reasons } from './reasons';

export function closeDrawer(): void {
  drawerOpen.value = false;
  document.querySelector<HTMLElement>('.scroller')?.focus();
}

export function openPolicy(id: string): void {
  wantedPolicy.value = id;
  go('policy');
}

export function Drawer() {
  const seq = selected.value;
  const open = drawerOpen.value && seq !== 0;
  const [event, setEvent] = useState<LeashEvent | null>(null);
  const [line, setLine] = useState<Process[]>([]);

  useEffect(() => {
    if (!open) return;
    let current = true;
    void (async () => {
      const e = await ask('record', seq);
      const processes = e?.pid ? await ask('lineage', e.pid) : [];
      if (!current) return;
      setEvent(e);
      setLine(processes);
    })();
    return () => {
      current = false;
    };
  }, [seq, open]);

  if (!open || !event || event.seq !== seq) return null;
  const tone = toneOf({ decision: event.decision ?? '', kind: event.kind });
  return (
    <aside class={`drawer tone-${tone}`} aria-label={`Event ${seq}`}>
      <header>
        <h2>
          <span class={`group-${groupOf(event.kind)}`}>
            <Icon name={groupOf(event.kind)} />
          </span>
          {event.kind}
          {event.decision || tone === 'deny' ? (
            <span class="badge">{decisionWord({ decision: event.decision ?? '', kind: event.kind })}</span>
          ) : null}
        </h2>
        <button type="button" class="quiet" aria-label="Close" title="Close (Esc)" onClick={closeDrawer}>
          <Icon name="close" />
        </button>
      </header>
      <div class="drawer-body" tabIndex={0} role="group" aria-label="Details">
        <What event={event} />
        {event.decision ? <Why event={event} key={`why-${seq}`} /> : null}
        {event.decision && !past.value ? <Make event={event} key={`make-${seq}`} /> : null}
        <Lineage line={line} />
        <Facts event={event} />
      </div>
    </aside>
  );
}

function What({ event }: { event: LeashEvent }) {
  const path = event.path;
  return (
    <section class="object">
      {path ? (
        <p class="mono">
          <Name text={path} />
        </p>
      ) : null}
      {event.target ? (
        <p class="mono">
          → <Name text={event.target} />
        </p>
      ) : null}
      {event.url ? (
        <p class="mono">
          {event.method} <Name text={event.url} />
        </p>
      ) : null}
      {event.argv ? (
        <ol class="argv mono" aria-label="Arguments">
          {event.argv.map((a, i) => (
            <li key={i}>
              <Name text={a} />
            </li>
          ))}
          {event.argv_cut ? <li class="muted">… cut</li> : null}
        </ol>
      ) : null}
      {!event.url && (event.host || event.ip) ? (
        <p class="mono">
          <Name text={event.host ?? ''} /> {event.ip ? <Name text={event.ip} /> : null}
          {event.port ? ` port ${event.port}` : ''} {event.protocol}
        </p>
      ) : null}
      {event.message ? (
        <p>
          <Name text={event.message} />
        </p>
      ) : null}
    </section>
  );
}

// ---- Why -------------------------------------------------------------------------

function Why({ event }: { event: LeashEvent }) {
  const [answer, setAnswer] = useState<Explanation | null>(null);
  const [error, setError] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    // Not for each event that j and k pass by.
    const timer = setTimeout(() => {
      api
        .explain({ seq: event.seq, ...(past.value ? { session: past.value.id } : {}) }, abort.signal)
        .then(setAnswer)
        .catch((e) => abort.signal.aborted || setError(messageOf(e)));
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [event.seq]);

  const ids = event.policies ?? [];
  const denied = event.decision !== 'allow';
  const byDefault = ids.length === 1 && ids[0] === 'default';
  return (
    <section class="why">
      <h3>{denied ? 'Why it was stopped' : 'Why it was allowed'}</h3>
      {byDefault ? (
        <p>{denied ? 'No policy permits it; what nothing permits is denied.' : 'leash’s own rules decided; no policy was asked.'}</p>
      ) : (
        <p class="ids">
          {denied ? 'Decided by' : 'Permitted by'}{' '}
          {ids.map((id) => (
            <button type="button" class="link mono" key={id} onClick={() => openPolicy(id)}>
              <Name text={id} />
            </button>
          ))}
        </p>
      )}
      {event.decision === 'would-deny' ? <p>It was let through, because the mode is {event.mode}.</p> : null}
      {error ? <p class="muted"><Name text={error} /></p> : null}
      {answer ? <Now answer={answer} event={event} /> : null}
    </section>
  );
}

function Now({ answer, event }: { answer: Explanation; event: LeashEvent }) {
  const then = event.decision === 'allow' ? 'allow' : 'deny';
  return (
    <>
      {answer.decision !== then ? (
        <p class="note">The policy in force now would {answer.decision === 'allow' ? 'allow' : 'deny'} it.</p>
      ) : null}
      <Reasons answer={answer} />
    </>
  );
}

// ---- A policy of it ----------------------------------------------------------------

const BREADTHS: Record<Breadth, string> = {
  file: 'this file',
  directory: 'this directory',
  pattern: 'this pattern',
  host: 'this host',
  zone: 'this zone',
};

function Make({ event }: { event: LeashEvent }) {
  const [effect, setEffect] = useState<Effect | null>(null);
  const first: Breadth = event.path && groupOf(event.kind) !== 'net' ? 'file' : 'host';
  const [breadth, setBreadth] = useState<Breadth>(first);
  const [made, setMade] = useState<FromEvent | null>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    if (!effect) return;
    const abort = new AbortController();
    setError('');
    api
      .fromEvent(event.seq, effect, breadth, abort.signal)
      .then(setMade)
      .catch((e) => {
        if (abort.signal.aborted) return;
        setMade(null);
        setError(messageOf(e));
      });
    return () => abort.abort();
  }, [event.seq, effect, breadth]);

  const apply = async () => {
    if (!made) return;
    setBusy(true);
    try {
      const done = await api.add(made.text);
      say(`In force: generation ${done.generation}, after ${done.milliseconds.toFixed(1)} ms.`);
      if (done.ids?.[0]) wantedPolicy.value = done.ids[0];
      setEffect(null);
      setMade(null);
    } catch (e) {
      const findings = e instanceof Problem ? e.findings.map((f) => f.message).join(' ') : '';
      setError(`${messageOf(e)} ${findings}`);
    } finally {
      setBusy(false);
    }
  };

  const choose = (e: Effect) => setEffect(effect === e ? null : e);
  return (
    <section class="make">
      <h3>Make a policy of it</h3>
      <div class="choice">
        <button type="button" class="permit" aria-pressed={effect === 'permit'} onClick={() => choose('permit')}>
          Permit this…
        </button>
        <button type="button" class="forbid" aria-pressed={effect === 'forbid'} onClick={() => choose('forbid')}>
          Forbid this…
        </button>
      </div>
      {effect ? (
        <>
          <div class="segments" role="radiogroup" aria-label="How much of it">
            {(made?.breadths ?? [first]).map((b) => (
              <label key={b} class={b === breadth ? 'is-chosen' : ''}>
                <input type="radio" name="breadth" checked={b === breadth} onChange={() => setBreadth(b)} />
                {BREADTHS[b] ?? b}
              </label>
            ))}
          </div>
          {made ? (
            <>
              <p class="sentence">
                <Name text={made.sentence} />
              </p>
              <Cedar text={made.text} />
              <p class="muted">
                Covers {plural(made.events, 'recorded event')} of the newest {count(made.looked_at)};{' '}
                {made.changed ? `${count(made.changed)} would be decided otherwise.` : 'none would be decided otherwise.'}
              </p>
              {made.note ? (
                <p class="note">
                  <Name text={made.note} />
                </p>
              ) : null}
              <div class="choice">
                <button type="button" class="primary" disabled={busy} onClick={() => void apply()}>
                  Apply
                </button>
                <button type="button" onClick={() => setEffect(null)}>
                  Cancel
                </button>
              </div>
            </>
          ) : error ? null : (
            <p class="muted">…</p>
          )}
          {error ? (
            <p class="error" role="alert">
              <Name text={error} />
            </p>
          ) : null}
        </>
      ) : null}
    </section>
  );
}

// ---- Who, and the rest ---------------------------------------------------------------

function Lineage({ line }: { line: Process[] }) {
  if (line.length === 0) return null;
  return (
    <section>
      <h3>Who did it</h3>
      <ol class="lineage">
        {line.map((p, i) => (
          <li key={p.pid} class={i === 0 ? 'is-self' : ''}>
            <span class="mono command">
              <Name text={titleOf(p)} />
            </span>
            <button
              type="button"
              class="link"
              title="Only events of this process"
              onClick={() => {
                setFilter({ pid: p.pid });
                go('live');
              }}
            >
              {p.pid}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

const SHOWN_ABOVE = new Set(['argv', 'argv_cut', 'path', 'target', 'url', 'method', 'message', 'policies', 'decision', 'kind', 'time']);

function factText(key: string, value: unknown): string {
  if (key === 'latency_us') return micros(Number(value));
  if (key === 'bytes_in' || key === 'bytes_out') return bytes(Number(value));
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}

function Facts({ event }: { event: LeashEvent }) {
  return (
    <section>
      <h3>All of it</h3>
      <dl class="facts">
        <dt>time</dt>
        <dd>
          {clock(Date.parse(event.time))} <span class="muted">{event.time.slice(0, 10)}</span>
        </dd>
        {Object.entries(event)
          .filter(([k]) => !SHOWN_ABOVE.has(k))
          .map(([k, v]) => (
            <>
              <dt>{k === 'latency_us' ? 'added by leash' : k.replaceAll('_', ' ')}</dt>
              <dd>
                {k === 'cause' ? (
                  <button type="button" class="link" onClick={() => show(Number(v))}>
                    event {String(v)}
                  </button>
                ) : k === 'exe' || k === 'cwd' ? (
                  <Path path={String(v)} />
                ) : (
                  <Name text={factText(k, v)} />
                )}
              </dd>
            </>
          ))}
      </dl>
      {event.path && event.path.startsWith('/') ? (
        <button
          type="button"
          class="link"
          onClick={() => setFilter({ path: directoryOf(event.path!) })}
        >
          events below {baseName(directoryOf(event.path)).replace(/^\/$/, '')}/
        </button>
      ) : null}
    </section>
  );
}
