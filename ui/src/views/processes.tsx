// Who runs, as a tree, and what each touched.
import { signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, messageOf } from '../api';
import { titleOf, treeOf, type Branch, type Process } from '../model/processes';
import { count, plain, plural } from '../model/text';
import { Icon } from '../parts/icon';
import { Name, Path } from '../parts/name';
import { useRegularly } from '../parts/regularly';
import { useVirtual } from '../parts/virtual';
import { ask, go, past, say, setFilter, skipped } from '../state';
import type { Touched } from '../worker/feed';

const ROW = 26;
const closed = signal<ReadonlySet<number>>(new Set());
const chosen = signal(0);

export function ProcessesView() {
  const [all, setAll] = useState<Process[]>([]);
  const scroller = useRef<HTMLDivElement>(null);
  useRegularly(async () => setAll(await ask('tree')));
  useEffect(() => {
    // Of those whose events are too old to be here the server still knows.
    void api
      .processes(past.value?.id)
      .then((known) => ask('know', known.processes))
      .then(async () => setAll(await ask('tree')))
      .catch((e) => say(messageOf(e), true));
  }, [past.value?.id]);
  const lines = useMemo(() => treeOf(all, closed.value), [all, closed.value]);
  const list = useVirtual(scroller, lines.length, ROW);
  const at = lines.findIndex((l) => l.process.pid === chosen.value);

  const keys = (e: KeyboardEvent) => {
    const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[e.key];
    const line = lines[at];
    if (by !== undefined && lines.length) {
      const to = Math.min(lines.length - 1, Math.max(0, at + by));
      chosen.value = lines[to]!.process.pid;
      list.reveal(to);
    } else if (line && (e.key === 'ArrowLeft' || e.key === 'ArrowRight')) fold(line, e.key === 'ArrowLeft');
    else return;
    e.preventDefault();
    e.stopPropagation();
  };

  return (
    <div class="split">
      <section class="tree" aria-label="Processes">
        <h1>
          Processes <span class="muted">{count(all.length)}</span>
          {skipped.value && !past.value ? <span class="muted"> · older events are not here; counts come from leash</span> : null}
        </h1>
        <div class="scroller" ref={scroller} role="tree" aria-label="Process tree" tabIndex={0} onKeyDown={keys}>
          <div class="rows" role="none" style={{ height: `${list.size}px` }}>
            {list.items.map((item) => {
              const line = lines[item.index];
              return line ? <TreeLine key={line.process.pid} line={line} top={item.start} /> : null;
            })}
          </div>
          {all.length === 0 ? <p class="nothing">No process yet.</p> : null}
        </div>
      </section>
      <Detail process={lines[at]?.process} />
    </div>
  );
}

function fold(line: Branch, shut: boolean): void {
  const next = new Set(closed.value);
  if (shut) next.add(line.process.pid);
  else next.delete(line.process.pid);
  closed.value = next;
}

function TreeLine({ line, top }: { line: Branch; top: number }) {
  const p = line.process;
  const open = !closed.value.has(p.pid);
  const text = titleOf(p);
  return (
    <div
      class={`row${p.pid === chosen.value ? ' is-selected' : ''}${p.denied ? ' tone-deny' : ''}${p.exited ? ' is-gone' : ''}`}
      role="treeitem"
      aria-level={line.depth + 1}
      aria-selected={p.pid === chosen.value}
      {...(line.children ? { 'aria-expanded': open } : {})}
      style={{ transform: `translateY(${top}px)`, height: `${ROW}px`, '--depth': Math.min(line.depth, 16) }}
      onClick={() => (chosen.value = p.pid)}
    >
      <span class="indent" />
      <span class={`fold${open ? ' is-open' : ''}`} onClick={(e) => (e.stopPropagation(), fold(line, open))}>
        {line.children ? <Icon name="right" /> : null}
      </span>
      <span class="mono command" title={plain(text)}>
        <Name text={text.slice(0, 400)} />
      </span>
      {p.exited && p.status ? <span class="denied">exit {p.status}</span> : null}
      {p.denied ? <span class="denied">{plural(p.denied, 'stop')}</span> : null}
      <span class="n">{count(p.events)}</span>
      <span class="pid">{p.pid}</span>
    </div>
  );
}

function Detail({ process }: { process: Process | undefined }) {
  const [below, setBelow] = useState(true);
  const [touched, setTouched] = useState<Touched[]>([]);
  const pid = process?.pid ?? 0;
  useRegularly(async () => {
    if (pid) setTouched(await ask('touched', pid, below));
  }, [pid, below]);
  if (!process)
    return (
      <section class="detail-pane" aria-label="What it touched">
        <p class="nothing">Choose a process to see what it touched.</p>
      </section>
    );
  return (
    <section class="detail-pane" aria-label="What it touched">
      <h2 class="mono">
        <Name text={titleOf(process)} />
      </h2>
      <p class="muted">
        process {pid} in <Name text={process.cwd || '?'} />
      </p>
      <div class="choice">
        <label class="check">
          <input type="checkbox" checked={below} onChange={() => setBelow(!below)} />
          with what it started
        </label>
        <button
          type="button"
          onClick={() => {
            setFilter({ pid });
            go('live');
          }}
        >
          Its events
        </button>
      </div>
      <div class="scroller" tabIndex={0} role="group" aria-label="Touched">
        <table class="plain-table touched">
          <thead>
            <tr>
              <th>touched</th>
              <th>how</th>
              <th class="num">events</th>
              <th class="num">stopped</th>
            </tr>
          </thead>
          <tbody>
            {touched.map((t) => (
              <tr key={t.name} class={t.denied ? 'tone-deny' : ''}>
                <td class="mono" title={plain(t.name)}>
                  {t.isPath ? <Path path={t.name} /> : <Name text={t.name} />}
                </td>
                <td>{t.verbs.join(', ')}</td>
                <td class="num">{count(t.events)}</td>
                <td class="num">{t.denied ? count(t.denied) : ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
