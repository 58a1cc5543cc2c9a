// The policy: what is in force, layer by layer, and an editor of the layer that is the user's.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import {
  api,
  messageOf,
  Problem,
  type Applied,
  type Diff,
  type Finding,
  type HistoryEntry,
  type Layer,
  type Policies,
  type Policy,
} from '../api';
import { Editor } from '../cedar/editor';
import { count, plural } from '../model/text';
import { Cedar } from '../parts/cedar';
import { Icon } from '../parts/icon';
import { Name } from '../parts/name';
import { say, session, wantedPolicy } from '../state';
import { Ask } from './ask';
import { Replay } from './replay';
import { Suggest } from './suggest';

type Tab = 'layers' | 'problems' | 'changes' | 'test' | 'replay' | 'suggest' | 'history';

const VALIDATE_MS = 300;

const LAYERS: Record<string, string> = {
  leash: 'leash’s own rules',
  profile: 'Profile',
  user: 'Your policy',
  project: 'Project’s policy',
  file: 'Policy file',
  session: 'Of this session',
};

// Kept while other views are shown.
const inForce = signal<Policies | null>(null);
const draft = signal<string | null>(null);
const base = signal(0);
const findings = signal<Finding[]>([]);
const tab = signal<Tab>('layers');
const applied = signal<Applied | null>(null);

function editable(p: Policies | null): Layer | undefined {
  return p?.layers.find((l) => l.editable);
}

function textOf(p: Policies | null): string {
  return editable(p)?.text ?? '';
}

const isChanged = () => draft.value !== null && draft.value !== textOf(inForce.value);

async function load(): Promise<void> {
  const p = await api.policies();
  // Asked now: there may have been typing while the answer was on its way.
  const clean = !isChanged();
  inForce.value = p;
  // A draft outlives what others apply; it is then one against a later generation.
  if (clean) {
    draft.value = textOf(p);
    base.value = p.generation;
  }
}

export function PolicyView() {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const generation = session.value?.generation ?? 0;
  const p = inForce.value;
  const layer = editable(p);
  const overtaken = p !== null && isChanged() && base.value !== p.generation;

  useEffect(() => {
    load().catch((e) => setError(messageOf(e)));
  }, [generation]);

  const attempt = async (run: () => Promise<void>) => {
    setBusy(true);
    setError('');
    try {
      await run();
    } catch (e) {
      setError(messageOf(e));
      if (e instanceof Problem && e.findings.length) {
        findings.value = e.findings;
        tab.value = 'problems';
      }
    } finally {
      setBusy(false);
    }
  };

  const taken = async (done: Applied) => {
    applied.value = done;
    draft.value = null;
    await load();
    say(`In force: generation ${done.generation}, after ${done.milliseconds.toFixed(1)} ms.`);
  };
  const apply = () => attempt(async () => taken(await api.replace(editor.current?.text ?? '', base.value)));
  // Behind what is there, and beginning a line of its own.
  const add = (text: string) => {
    const old = (draft.value ?? '').trimEnd();
    draft.value = `${old ? `${old}\n\n` : ''}${text.trimEnd()}\n`;
    say('It is in the editor, and not applied yet.');
  };
  const format = () => attempt(async () => void (draft.value = (await api.format(editor.current?.text ?? '')).text));

  // The editor comes once its text is known, and stays.
  const isReady = draft.value !== null;
  const actions = useRef({ apply, format });
  actions.current = { apply, format };
  useEffect(() => {
    if (!isReady || editor.current || !host.current) return;
    editor.current = new Editor({
      parent: host.current,
      text: draft.value ?? '',
      label: 'Policy, in Cedar',
      changed: (text) => (draft.value = text),
      apply: () => void actions.current.apply(),
      format: () => void actions.current.format(),
      leave: () => document.querySelector<HTMLElement>('nav a[aria-current]')?.focus(),
    });
  }, [isReady]);
  useEffect(
    () => () => {
      editor.current?.destroy();
      editor.current = null;
    },
    [],
  );
  useEffect(() => {
    if (draft.value !== null) editor.current?.setText(draft.value);
  }, [draft.value]);

  useValidation(editor, layer);
  useWanted(editor, p);

  const errors = findings.value.filter((f) => f.severity === 'error').length;
  const tabs: [Tab, string][] = [
    ['layers', 'In force'],
    ['problems', findings.value.length ? `Findings ${findings.value.length}` : 'Findings'],
    ['changes', 'Changes'],
    ['test', 'Test'],
    ['replay', 'Replay'],
    ['suggest', 'Suggest'],
    ['history', 'History'],
  ];
  return (
    <div class="split policy">
      <section class="editor-pane" aria-label="Editor">
        <header class="bar">
          <h1>
            {layer ? (LAYERS[layer.layer] ?? layer.layer) : 'Policy'}
            {layer ? (
              <span class="muted mono file">
                <Name text={layer.stored === 'memory' ? 'kept for this session only' : layer.name} />
              </span>
            ) : null}
          </h1>
          <span class={`state ${errors ? 'bad' : isChanged() ? 'changed' : 'good'}`} role="status">
            {errors ? plural(errors, 'error') : isChanged() ? 'not applied yet' : p ? `in force, generation ${p.generation}` : ''}
          </span>
          <button type="button" disabled={busy || !layer} onClick={() => void format()} title="Shift+Alt+F">
            Format
          </button>
          <button
            type="button"
            disabled={busy || !isChanged()}
            onClick={() => {
              draft.value = textOf(p);
              base.value = p?.generation ?? 0;
            }}
          >
            Undo all
          </button>
          <button
            type="button"
            class="primary"
            disabled={busy || !layer || errors > 0 || !isChanged()}
            onClick={() => void apply()}
            title="Ctrl+S"
          >
            Apply
          </button>
        </header>
        {overtaken ? (
          <p class="note">
            The policy was changed meanwhile (generation {p.generation}). Your text is as you left it.{' '}
            <button type="button" class="link" onClick={() => (base.value = p.generation)}>
              keep mine
            </button>{' '}
            <button
              type="button"
              class="link"
              onClick={() => {
                draft.value = textOf(p);
                base.value = p.generation;
              }}
            >
              take the one in force
            </button>
          </p>
        ) : null}
        {error ? (
          <p class="error" role="alert">
            <Name text={error} />
          </p>
        ) : null}
        <div class="editor" ref={host} />
        {applied.value ? (
          <p class="applied" role="status">
            Generation {applied.value.generation} was in force after {applied.value.milliseconds.toFixed(1)} ms:{' '}
            {plural(applied.value.policies, 'policy', 'policies')}
            {applied.value.stored === 'file' && applied.value.name ? (
              <>
                , written to <Name text={applied.value.name} />
              </>
            ) : applied.value.stored === 'memory' ? (
              ', kept for this session only'
            ) : (
              ''
            )}
            .
          </p>
        ) : null}
      </section>
      <section class="side" aria-label="About the policy">
        <div class="tabs" role="tablist">
          {tabs.map(([id, label]) => (
            <button
              key={id}
              type="button"
              role="tab"
              id={`tab-${id}`}
              aria-controls="tab-panel"
              aria-selected={tab.value === id}
              class={id === 'problems' && errors ? 'bad' : ''}
              onClick={() => (tab.value = id)}
            >
              {label}
            </button>
          ))}
        </div>
        <div class="scroller" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab.value}`} tabIndex={0}>
          {tab.value === 'layers' ? <Layers policies={p} editor={editor} /> : null}
          {tab.value === 'problems' ? <Problems editor={editor} /> : null}
          {tab.value === 'changes' ? <Changes /> : null}
          {tab.value === 'test' ? <Ask draft={isChanged() ? draft.value : null} generation={p?.generation} /> : null}
          {tab.value === 'replay' ? <Replay draft={isChanged() ? draft.value : null} /> : null}
          {tab.value === 'suggest' ? <Suggest add={add} /> : null}
          {tab.value === 'history' ? <Past attempt={attempt} taken={taken} busy={busy} /> : null}
        </div>
      </section>
    </div>
  );
}

type Holder = { current: Editor | null };

function useValidation(editor: Holder, layer: Layer | undefined): void {
  const text = draft.value;
  useEffect(() => {
    if (text === null || !layer) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      api
        .validate(text, abort.signal)
        .then((v) => {
          findings.value = v.findings;
          // What other layers have to say stands in the list only.
          editor.current?.mark(v.findings.filter((f) => f.file === layer.name || f.file === ''));
        })
        .catch((e) => abort.signal.aborted || say(messageOf(e), true));
    }, VALIDATE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, layer?.name]);
}

// Somebody followed a link to a policy.
function useWanted(editor: Holder, p: Policies | null): void {
  const wanted = wantedPolicy.value;
  useEffect(() => {
    if (!wanted || !p) return;
    const found = p.policies.find((x) => x.id === wanted);
    if (found?.editable && editor.current) {
      editor.current.goTo({ line: found.line, column: 1 });
      wantedPolicy.value = '';
    } else if (found) {
      tab.value = 'layers';
      requestAnimationFrame(() => document.getElementById(`policy-${wanted}`)?.scrollIntoView({ block: 'center' }));
    }
  }, [wanted, p, editor.current]);
}

// ---- In force ------------------------------------------------------------------------

function Layers({ policies: p, editor }: { policies: Policies | null; editor: Holder }) {
  const [text, setText] = useState('');
  if (!p) return <p class="nothing">…</p>;
  const wanted = text.toLowerCase();
  const matches = (x: Policy) => !wanted || `${x.id} ${x.sentence} ${x.text}`.toLowerCase().includes(wanted);
  return (
    <>
      <label class="field field-wide">
        <span class="hidden-label">Find among the policies in force</span>
        <input type="search" placeholder="find among the policies in force" onInput={(e) => setText(e.currentTarget.value)} />
      </label>
      {p.layers.map((l) => {
        const mine = p.policies.filter((x) => x.layer === l.layer && matches(x));
        if (mine.length === 0 && (wanted || !l.editable)) return null;
        return (
          <details
            class="layer"
            key={l.layer}
            open={wanted !== '' || l.editable || mine.some((x) => x.id === wantedPolicy.value) || (l.layer !== 'leash' && l.layer !== 'profile')}
          >
            <summary>
              <strong>{LAYERS[l.layer] ?? l.layer}</strong>{' '}
              <span class="muted">
                {l.stored === 'file' ? <Name text={`${l.name} · `} /> : l.layer === 'profile' ? <Name text={`${l.name.replace(/^profile /, '')} · `} /> : null}
                {plural(l.policies, 'policy', 'policies')}
                {l.trusted === false ? ` · not trusted, ${l.ignored ?? 0} permits do not count` : ''}
                {l.exists === false ? ' · not there yet' : ''}
              </span>
            </summary>
            {mine.map((x) => (
              <PolicyCard key={x.id} policy={x} editor={editor} />
            ))}
            {mine.length === 0 ? <p class="muted">No policy.</p> : null}
          </details>
        );
      })}
    </>
  );
}

function PolicyCard({ policy: x, editor }: { policy: Policy; editor: Holder }) {
  return (
    <details class={`card${x.id === wantedPolicy.value ? ' is-wanted' : ''}`} id={`policy-${x.id}`} open={x.id === wantedPolicy.value}>
      <summary>
        <span class={`effect effect-${x.effect}`}>{x.effect}</span>{' '}
        <span class="sentence">
          <Name text={x.sentence} />
        </span>
        <span class="muted mono id">
          <Name text={x.id} />
        </span>
      </summary>
      <Cedar text={x.text} />
      {x.editable ? (
        <button type="button" class="link" onClick={() => editor.current?.goTo({ line: x.line, column: 1 })}>
          line {x.line} of the editor
        </button>
      ) : null}
    </details>
  );
}

// ---- Findings ------------------------------------------------------------------------

function Problems({ editor }: { editor: Holder }) {
  if (findings.value.length === 0) return <p class="nothing">Nothing is wrong with this text.</p>;
  return (
    <ul class="findings">
      {findings.value.map((f, i) => (
        <li key={i} class={`finding-${f.severity}`}>
          <button type="button" class="line" onClick={() => editor.current?.goTo({ line: f.line, column: f.column })}>
            <Icon name={f.severity === 'error' ? 'deny' : 'warn'} label={f.severity} />
            <span>
              <strong>
                {f.line}:{f.column}
              </strong>{' '}
              <Name text={f.message} />
              {f.suggestion ? (
                <span class="suggestion">
                  <Name text={f.suggestion} />
                </span>
              ) : null}
              <span class="muted mono">{f.code}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

// ---- Against what is in force ----------------------------------------------------------

function Changes() {
  const [diff, setDiff] = useState<Diff | null>(null);
  const [error, setError] = useState('');
  const text = draft.value ?? '';
  const generation = inForce.value?.generation;
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      api
        .diff(text)
        .then((d) => {
          if (!current) return;
          setDiff(d);
          setError('');
        })
        .catch((e) => current && setError(messageOf(e)));
    }, VALIDATE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text, generation]);

  if (error) return <p class="note"><Name text={error} /></p>;
  if (!diff) return <p class="nothing">…</p>;
  if (diff.policies.length === 0 && diff.decisions.length === 0) return <p class="nothing">The same as what is in force.</p>;
  return (
    <>
      {diff.policies.map((x, i) => (
        <div key={i} class={`change change-${x.in}`}>
          <p>
            <strong>{x.in === 'new' ? 'Added' : 'Taken away'}</strong> <span class="muted mono"><Name text={x.id} /></span>
          </p>
          <Cedar text={x.text} />
        </div>
      ))}
      <h3>
        {diff.decisions.length
          ? `${plural(diff.differences, 'operation')} of ${count(diff.requests)} asked about would be decided otherwise`
          : `None of ${count(diff.requests)} operations asked about would be decided otherwise`}
      </h3>
      {diff.complete ? null : <p class="muted">These are the first; there may be more.</p>}
      <table class="plain-table">
        <tbody>
          {diff.decisions.slice(0, 300).map((d, i) => (
            <tr key={i} class={d.new === 'deny' ? 'tone-deny' : ''}>
              <td>
                {d.old} → {d.new}
              </td>
              <td>
                <Name text={d.action} />
              </td>
              <td class="mono">
                <Name text={d.object} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

// ---- History ---------------------------------------------------------------------------

function Past(p: {
  attempt: (run: () => Promise<void>) => Promise<void>;
  taken: (done: Applied) => Promise<void>;
  busy: boolean;
}) {
  const [entries, setEntries] = useState<HistoryEntry[]>([]);
  const [error, setError] = useState('');
  const generation = inForce.value?.generation;
  useEffect(() => {
    api
      .history()
      .then((h) => setEntries(h.entries))
      .catch((e) => setError(messageOf(e)));
  }, [generation]);
  if (error) return <p class="error"><Name text={error} /></p>;
  if (entries.length === 0) return <p class="nothing">No text was applied yet.</p>;
  return (
    <ol class="history">
      {entries.map((e) => (
        <li key={e.number}>
          <details>
            <summary>
              <strong>{e.current ? 'in force' : `text ${e.number}`}</strong>{' '}
              <span class="muted">
                {new Date(e.time).toLocaleTimeString()} · generation {e.generation} · {plural(e.policies, 'policy', 'policies')}
              </span>
              {e.current ? null : (
                <button
                  type="button"
                  disabled={p.busy}
                  onClick={(click) => {
                    click.preventDefault();
                    void p.attempt(async () => p.taken(await api.rollback(e.number)));
                  }}
                >
                  Roll back to this
                </button>
              )}
            </summary>
            {e.text.trim() ? <Cedar text={e.text} /> : <p class="muted">An empty text.</p>}
          </details>
        </li>
      ))}
    </ol>
  );
}
