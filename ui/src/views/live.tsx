// What happens: at the top in a few words, below as a list with filters.
import { useEffect, useRef } from 'preact/hooks';
import { commandLine, count, lineOf, plain } from '../model/text';
import { isFiltering } from '../model/filter';
import { facetsOpen, Chips, Facets } from '../parts/facets';
import { Drawer } from '../parts/drawer';
import { decisionWord, EventTable, toneOf } from '../parts/events';
import { Icon } from '../parts/icon';
import { Name, Path } from '../parts/name';
import { Timeline } from '../parts/timeline';
import { filter, hasEnded, linkState, overview, past, paused, session, setFilter, show } from '../state';
import type { Stop } from '../worker/feed';

export function Live() {
  const f = filter.value;
  const o = overview.value;
  return (
    <div class="live">
      <h1 class="hidden-label">Live</h1>
      <div class="summary">
        <Now />
        <Timeline />
        <Stopped />
      </div>
      <div class="filters">
        <button
          type="button"
          class="only-narrow"
          aria-expanded={facetsOpen.value}
          onClick={() => (facetsOpen.value = !facetsOpen.value)}
        >
          <Icon name="filter" />
          Filters
        </button>
        <Field label="Text" id="search" hint="path, host, program, argument  /" value={f.text} change={(text) => setFilter({ text })} />
        <Field label="Below" id="below" hint="/directory" value={f.path} change={(path) => setFilter({ path })} />
        <button
          type="button"
          class="toggle-deny"
          aria-pressed={f.decisions.includes('deny')}
          title="Only what was stopped (d)"
          onClick={toggleDenied}
        >
          <Icon name="deny" />
          Stopped only
        </button>
        <Chips />
        <span class="shown" aria-live="off">
          {isFiltering(f) ? `${count(o.matched)} of ${count(o.total)}` : count(o.total)} events
        </span>
        <button type="button" aria-pressed={paused.value} title="Hold the list (p)" onClick={() => (paused.value = !paused.value)}>
          <Icon name={paused.value ? 'play' : 'pause'} />
          {paused.value ? 'Resume' : 'Pause'}
        </button>
      </div>
      <div class="main">
        <Facets />
        <EventTable empty={emptyText()} />
        <Drawer />
      </div>
    </div>
  );
}

function emptyText(): string {
  if (overview.value.total && isFiltering(filter.value)) return 'No event matches these filters.';
  if (past.value) return past.value.events ? 'Reading…' : 'Nothing is recorded of this session.';
  if (linkState.value === 'live') return 'Nothing happened yet. What the agent does appears here at once.';
  return 'Connecting…';
}

export function toggleDenied(): void {
  const on = filter.value.decisions.includes('deny');
  setFilter({ decisions: on ? [] : ['deny', 'would-deny'] });
}

function Field(p: { label: string; id: string; hint: string; value: string; change: (v: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  // Chips and links change it too; but who types is always ahead of what was drawn.
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = p.value;
  }, [p.value]);
  return (
    <label class={`field field-${p.id}`}>
      <span>{p.label}</span>
      <input
        ref={input}
        id={p.id}
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder={p.hint}
        onInput={(e) => p.change(e.currentTarget.value)}
      />
    </label>
  );
}

function Now() {
  const o = overview.value;
  const s = past.value ?? session.value;
  return (
    <section class="panel now" aria-label="What runs">
      <h2>{hasEnded.value || past.value ? 'Last run' : 'Running'}</h2>
      {o.commands.length ? (
        <ol>
          {o.commands.map((c, i) => (
            <li key={c.seq} class={i === 0 ? 'is-newest' : ''}>
              <button type="button" class="line mono" title={plain(commandLine(c.argv))} onClick={() => show(c.seq)}>
                <Name text={commandLine(c.argv).slice(0, 300)} />
              </button>
            </li>
          ))}
        </ol>
      ) : (
        <p class="muted">{s ? <Name text={commandLine(s.command)} /> : '…'}</p>
      )}
    </section>
  );
}

function Stopped() {
  const o = overview.value;
  const n = o.denied + o.wouldDeny;
  return (
    <section class={`panel stopped${o.stops.length ? ' has-some' : ''}`} aria-label="What was stopped">
      <h2>
        {o.stops.length ? <Icon name="deny" /> : <Icon name="ok" />}
        {n ? `Stopped: ${count(n)}` : 'Nothing was stopped'}
        {n ? (
          <button type="button" class="link" onClick={toggleDenied}>
            {filter.value.decisions.includes('deny') ? 'show all' : 'show only these'}
          </button>
        ) : null}
      </h2>
      {o.stops.length ? (
        <ol tabIndex={0} aria-label="The newest first">
          {o.stops.map((s) => (
            <li key={`${s.decision} ${s.verb} ${s.object}`}>
              <StopLine stop={s} />
            </li>
          ))}
        </ol>
      ) : (
        <p class="muted">{o.total ? 'Everything that was tried, the policy permits.' : 'Nothing was tried yet.'}</p>
      )}
    </section>
  );
}

function StopLine({ stop: s }: { stop: Stop }) {
  const text = s.verb === 'run' || s.object.startsWith('["') ? lineOf(s.object) : s.object;
  return (
    <button type="button" class={`line tone-${toneOf(s)}`} title={plain(text)} onClick={() => show(s.seq)}>
      <span class="verb">{s.verb}</span>
      <span class="mono">{s.isPath ? <Path path={text} /> : <Name text={text} />}</span>
      <span class="by">
        {s.decision === 'deny' ? '' : `${decisionWord(s)} · `}
        <Name text={s.process} />
      </span>
      {s.times > 1 ? <span class="times">×{count(s.times)}</span> : null}
    </button>
  );
}
