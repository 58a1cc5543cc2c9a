// The table of events. The worker has them all; here are those in sight.
import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import { groupOf, isAlarm } from '../model/event';
import { clock, count, lineOf, plain } from '../model/text';
import { ask, drawerOpen, overview, paused, selected, show, version } from '../state';
import type { Row } from '../worker/feed';
import { Icon } from './icon';
import { useMedia } from './media';
import { Name, Path } from './name';
import { useVirtual } from './virtual';

const PAGE = 64;
const MOST_PAGES = 64;

// Pages of rows, kept while `version` stands.
class Pages {
  private pages = new Map<number, Row[]>();
  private asked = new Set<number>();
  private at = -1;

  constructor(private readonly arrived: () => void) {}

  row(index: number, version: number, total: number): Row | undefined {
    if (version !== this.at) {
      this.at = version;
      this.pages.clear();
      this.asked.clear();
    }
    const number = Math.floor(index / PAGE);
    const page = this.pages.get(number);
    const found = page?.[index - number * PAGE];
    // The last page grows: it is fetched again when more of it is there.
    if (!found && index < total) this.fetch(number, version);
    return found;
  }

  // What is beyond the rows in sight, for who scrolls on.
  expect(index: number, version: number, total: number): void {
    const number = Math.floor(index / PAGE);
    if (index >= 0 && index < total && !this.pages.has(number)) this.fetch(number, version);
  }

  private fetch(number: number, version: number): void {
    if (this.asked.has(number)) return;
    this.asked.add(number);
    void ask('rows', number * PAGE, (number + 1) * PAGE).then((rows) => {
      this.asked.delete(number);
      if (version !== this.at) return;
      this.pages.set(number, rows);
      if (this.pages.size > MOST_PAGES) this.pages.delete(this.pages.keys().next().value!);
      this.arrived();
    });
  }
}

export const following = signal(true);

export function decisionWord(row: { decision: string; kind: string }): string {
  if (row.kind === 'lost') return 'lost';
  if (isAlarm(row.kind)) return row.kind;
  switch (row.decision) {
    case 'deny':
      return 'denied';
    case 'would-deny':
      return 'would deny';
    case 'allow':
      return 'allowed';
    default:
      return row.decision;
  }
}

export function toneOf(row: { decision: string; kind: string }): string {
  if (row.decision === 'deny' || isAlarm(row.kind)) return 'deny';
  if (row.decision === 'would-deny' || row.decision === 'asked') return 'warn';
  return 'calm';
}

function objectText(row: Row): string {
  if (row.kind !== 'proc.exec' && row.kind !== 'session.start') return row.object;
  return lineOf(row.object) || row.detail;
}

interface LineProps {
  row: Row | undefined;
  index: number;
  top: number;
  height: number;
  isOpen: boolean;
}

// What is as it was is given to Preact as it was, which then looks at none of it. A line that
// comes into sight takes the elements of one that left: changing is cheaper than making.
class Lines {
  private drawn = new Map<number, LineProps & { vnode: VNode }>();
  private next = new Map<number, LineProps & { vnode: VNode }>();
  private slots = 1;

  // As many lines, one after the other, never share a slot.
  reserve(n: number): void {
    if (n <= this.slots) return;
    this.slots = n;
    this.drawn.clear();
  }

  line(p: LineProps): VNode {
    const old = this.drawn.get(p.index);
    const same = old && old.row === p.row && old.top === p.top && old.height === p.height && old.isOpen === p.isOpen;
    const vnode = same ? old.vnode : <Line key={p.index % this.slots} {...p} />;
    this.next.set(p.index, { ...p, vnode });
    return vnode;
  }

  // Only what is in sight is remembered.
  turn(): void {
    [this.drawn, this.next] = [this.next, this.drawn];
    this.next.clear();
  }
}

function Line({ row, index, top, height, isOpen }: LineProps) {
  const style = { top: `${top}px`, height: `${height}px` };
  if (!row) return <div class="row row-empty" role="row" aria-rowindex={index + 2} style={style} />;
  const tone = toneOf(row);
  const object = objectText(row);
  return (
    <div
      class={`row tone-${tone}${isOpen ? ' is-selected' : ''}`}
      role="row"
      id={`event-${row.seq}`}
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      style={style}
      onClick={() => show(row.seq)}
    >
      <span role="gridcell" class="c-time">
        {clock(row.time)}
      </span>
      <span role="gridcell" class="c-decision">
        {tone === 'calm' ? null : <Icon name={tone} />}
        {decisionWord(row)}
      </span>
      <span role="gridcell" class={`c-verb group-${groupOf(row.kind)}`} title={row.kind}>
        {row.verb}
      </span>
      <span role="gridcell" class="c-object" title={plain(object)}>
        {row.isPath ? (
          <Path path={object} />
        ) : (
          <span class="text">
            <Name text={object} />
          </span>
        )}
        {row.detail && row.kind !== 'proc.exec' ? (
          <span class="detail">
            <Name text={row.detail} />
          </span>
        ) : null}
      </span>
      <span role="gridcell" class="c-process">
        {row.process ? (
          <>
            <Name text={row.process} />
            <span class="pid">{row.pid || ''}</span>
          </>
        ) : null}
      </span>
      <span role="gridcell" class="c-policy" title={plain(row.policies)}>
        <Name text={row.policies === 'default' ? 'no permit' : row.policies} />
      </span>
    </div>
  );
}

// Moves the selection by rows; the drawer follows if it is open.
export async function step(by: number): Promise<void> {
  selected.value = (await ask('neighbour', selected.value, by)) || selected.value;
}

export function EventTable({ empty }: { empty: string }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const pages = useRef<Pages | null>(null);
  pages.current ??= new Pages(() => redraw(0));
  const lines = useRef(new Lines());
  const wanted = useRef(-1);
  const narrow = useMedia('(max-width: 720px)');
  const height = narrow ? 52 : 26;
  const total = overview.value.matched;
  const at = version.value;
  const list = useVirtual(scroller, total, height, narrow ? 0 : 26);

  useLayoutEffect(() => {
    if (following.value && !paused.value && total) list.toEnd();
  }, [total, height, following.value, paused.value]);

  // The worker may know of rows for which there is no room yet.
  useLayoutEffect(() => {
    if (wanted.current < 0 || wanted.current >= total) return;
    list.reveal(wanted.current);
    wanted.current = -1;
  });

  useEffect(() => {
    if (!selected.value) return;
    following.value = false;
    void ask('place', selected.value).then((i) => {
      wanted.current = i;
      redraw(0);
    });
  }, [selected.value, drawerOpen.value, at]);

  // Who scrolls up wants to read; who returns to the end wants to follow.
  const scrolled = () => {
    const e = scroller.current;
    if (!e) return;
    const atEnd = e.scrollHeight - e.scrollTop - e.clientHeight < height * 1.5;
    if (!atEnd) following.value = false;
    else if (!selected.value) following.value = true;
  };

  let isDrawn = false;
  lines.current.reserve(list.items.length);
  const drawn = list.items.map((item) => {
    const row = pages.current!.row(item.index, at, total);
    const isOpen = row !== undefined && row.seq === selected.value;
    isDrawn ||= isOpen;
    return lines.current.line({ row, index: item.index, top: item.start, height, isOpen });
  });
  lines.current.turn();
  if (list.items.length && !following.value) {
    pages.current.expect(list.items[0]!.index - PAGE, at, total);
    pages.current.expect(list.items.at(-1)!.index + PAGE, at, total);
  }

  return (
    <div class="table">
      <div
        class="scroller"
        ref={scroller}
        role="grid"
        aria-label="Events"
        aria-rowcount={total + 1}
        // Only a row that is drawn can be pointed at.
        aria-activedescendant={isDrawn ? `event-${selected.value}` : undefined}
        tabIndex={0}
        onScroll={scrolled}
      >
        <div class="row head" role="row" aria-rowindex={1}>
          <span role="columnheader">time</span>
          <span role="columnheader">decision</span>
          <span role="columnheader">what</span>
          <span role="columnheader">on</span>
          <span role="columnheader">by</span>
          <span role="columnheader">policy</span>
        </div>
        <div class="rows" role="rowgroup" style={{ height: `${list.size}px` }}>
          {drawn}
        </div>
        {total === 0 ? <p class="nothing">{empty}</p> : null}
      </div>
      {total && (!following.value || paused.value) ? (
        <button
          class="jump"
          type="button"
          onClick={() => {
            paused.value = false;
            following.value = true;
          }}
        >
          <Icon name="down" />
          {paused.value ? `Paused · ${count(overview.value.waiting)} new` : 'Newest'}
        </button>
      ) : null}
    </div>
  );
}
