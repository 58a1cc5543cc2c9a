// Events a second by kind, what was denied in red. Dragging over it chooses a time.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { filter, setFilter, timeline } from '../state';
import { theme } from './theme';

const LAYERS = [
  { name: 'files', colour: '--file' },
  { name: 'programs', colour: '--proc' },
  { name: 'network', colour: '--net' },
  { name: 'other', colour: '--other' },
  { name: 'denied', colour: '--deny' },
  { name: 'would deny', colour: '--warn' },
];
// Drawn from the whole height down to the lowest part; denials at the bottom, where they are seen.
const ORDER = [4, 5, 0, 1, 2, 3];
const MOST_BARS = 160;

function colour(name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

// Sums of neighbouring steps, stacked, in events a second.
function stacked(): uPlot.AlignedData {
  const { start, step, series } = timeline.value;
  const n = series[0]?.length ?? 0;
  const join = Math.max(1, Math.ceil(n / MOST_BARS));
  // A short session does not become one bar as wide as the screen.
  const bars = Math.max(Math.ceil(n / join), 40);
  const seconds = (step * join) / 1000;
  const x = Array.from({ length: bars }, (_, i) => start / 1000 + i * seconds);
  const sums = x.map(() => 0);
  const layers = ORDER.map((s) => {
    const data = series[s];
    return x.map((_, i) => {
      let value = 0;
      for (let j = i * join; j < Math.min(n, (i + 1) * join); j++) value += data?.[j] ?? 0;
      sums[i]! += value / seconds;
      return sums[i]!;
    });
  });
  // uPlot draws in order: the tallest first.
  return [x, ...layers.reverse()] as uPlot.AlignedData;
}

// A few denials among thousands of events are less than a pixel high: a mark above says where they are.
function drawDenied(u: uPlot, red: string): void {
  const x = u.data[0]!;
  const denied = u.data[u.data.length - 1]!;
  const ratio = devicePixelRatio;
  u.ctx.fillStyle = red;
  for (let i = 0; i < x.length; i++) {
    if (!denied[i]) continue;
    const left = u.valToPos(x[i]!, 'x', true);
    const right = i + 1 < x.length ? u.valToPos(x[i + 1]!, 'x', true) : left + 4 * ratio;
    u.ctx.fillRect(left, u.bbox.top - 5 * ratio, Math.max(2 * ratio, (right - left) * 0.86), 4 * ratio);
  }
}

export function Timeline() {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = timeline.value;
  const shade = theme.value;

  useEffect(() => {
    const element = box.current!;
    const muted = colour('--muted');
    const line = colour('--line');
    const red = colour('--deny');
    const bars = uPlot.paths.bars!({ size: [0.86, 14], align: 1 });
    const axis = { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: '11px system-ui' };
    const made = new uPlot(
      {
        width: element.clientWidth || 300,
        height: element.clientHeight || 100,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, Math.max(max, 1)] } },
        axes: [
          { ...axis, size: 22, grid: { show: false } },
          { ...axis, size: 44, space: 28 },
        ],
        series: [
          {},
          ...[...ORDER].reverse().map((s) => ({
            label: LAYERS[s]!.name,
            fill: colour(LAYERS[s]!.colour),
            width: 0,
            paths: bars,
            points: { show: false },
          })),
        ],
        hooks: {
          draw: [(u) => drawDenied(u, red)],
          setSelect: [
            (u) => {
              if (u.select.width < 3) return;
              const from = u.posToVal(u.select.left, 'x') * 1000;
              const to = u.posToVal(u.select.left + u.select.width, 'x') * 1000;
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              setFilter({ from, to });
            },
          ],
        },
      },
      stacked(),
      element,
    );
    plot.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: element.clientHeight }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shade]);

  useEffect(() => {
    plot.current?.setData(stacked());
  }, [data]);

  const f = filter.value;
  return (
    <section class="panel timeline" aria-label="Events per second">
      <h2>
        Events per second
        <span class="legend" aria-hidden="true">
          {LAYERS.slice(0, 5)
            .filter((l) => l.name !== 'other')
            .map((l) => (
              <span class={`key key-${l.colour.slice(2)}`}>{l.name}</span>
            ))}
        </span>
        {f.from || f.to ? (
          <button type="button" class="link" onClick={() => setFilter({ from: 0, to: 0 })}>
            whole session
          </button>
        ) : null}
      </h2>
      <div class="plot" ref={box} />
    </section>
  );
}
