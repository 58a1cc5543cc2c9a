// The choices beside the table, each with the number of events that it would leave.
import { signal } from '@preact/signals';
import { baseName, groupOf } from '../model/event';
import { count, plain } from '../model/text';
import { facets, filter, overview, setFilter } from '../state';
import { isFiltering, NO_FILTER, type Filter } from '../model/filter';
import { Icon } from './icon';
import { Name } from './name';

type Choice = 'kinds' | 'decisions' | 'exes' | 'hosts';

const SHORT = 6;
export const facetsOpen = signal(false);
const expanded = signal<ReadonlySet<Choice>>(new Set());

const DECISIONS: Record<string, string> = {
  allow: 'allowed',
  deny: 'denied',
  'would-deny': 'would deny',
  asked: 'asked',
};

function labelOf(choice: Choice, value: string): string {
  return choice === 'decisions' ? (DECISIONS[value] ?? value) : value;
}

export function toggle(choice: Choice, value: string): void {
  const now = filter.value[choice];
  setFilter({ [choice]: now.includes(value) ? now.filter((v) => v !== value) : [...now, value] });
}

function Facet({ choice, title }: { choice: Choice; title: string }) {
  const chosen = filter.value[choice];
  const found = facets.value[choice];
  // What is chosen stays in sight, though nothing of it be left.
  const all = [...found, ...chosen.filter((v) => !found.some(([f]) => f === v)).map((v) => [v, 0] as [string, number])];
  const isLong = all.length > SHORT + 1;
  const open = expanded.value.has(choice);
  const shown = isLong && !open ? all.filter(([v], i) => i < SHORT || chosen.includes(v)) : all;
  if (all.length === 0) return null;
  return (
    <fieldset class={`facet facet-${choice}`}>
      <legend>{title}</legend>
      {shown.map(([value, n]) => (
        <label key={value} class={chosen.includes(value) ? 'is-chosen' : ''} title={plain(value)}>
          <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(choice, value)} />
          {choice === 'kinds' ? (
            <span class={`group-${groupOf(value)}`}>
              <Icon name={groupOf(value)} />
            </span>
          ) : null}
          <span class={`value value-${choice === 'decisions' ? value : 'plain'}`}>
            <Name text={choice === 'exes' ? baseName(value) : labelOf(choice, value)} />
          </span>
          <span class="n">{count(n)}</span>
        </label>
      ))}
      {isLong ? (
        <button
          type="button"
          class="link"
          onClick={() => {
            const next = new Set(expanded.value);
            if (!next.delete(choice)) next.add(choice);
            expanded.value = next;
          }}
        >
          {open ? 'fewer' : `${all.length - SHORT} more`}
        </button>
      ) : null}
    </fieldset>
  );
}

export function Facets() {
  if (!overview.value.total) return null;
  return (
    <aside class={`facets${facetsOpen.value ? ' is-open' : ''}`} aria-label="Filters">
      <Facet choice="decisions" title="Decision" />
      <Facet choice="kinds" title="Kind" />
      <Facet choice="exes" title="Program" />
      <Facet choice="hosts" title="Host" />
    </aside>
  );
}

// What is chosen, in words, each with a way to take it back.
export function Chips() {
  const f = filter.value;
  const chips: [string, Partial<Filter>][] = [];
  for (const choice of ['decisions', 'kinds', 'exes', 'hosts'] as const)
    for (const v of f[choice]) chips.push([labelOf(choice, v), { [choice]: f[choice].filter((x) => x !== v) }]);
  if (f.pid) chips.push([`process ${f.pid}`, { pid: 0 }]);
  if (f.path) chips.push([`below ${f.path}`, { path: '' }]);
  if (f.from || f.to) chips.push(['chosen time', { from: 0, to: 0 }]);
  if (!isFiltering(f)) return null;
  return (
    <div class="chips">
      {chips.map(([label, without]) => (
        <button type="button" class="chip" key={label} onClick={() => setFilter(without)} aria-label={`Remove ${plain(label)}`}>
          <Name text={label} />
          <Icon name="close" />
        </button>
      ))}
      <button type="button" class="link" onClick={() => (filter.value = NO_FILTER)}>
        clear
      </button>
    </div>
  );
}
