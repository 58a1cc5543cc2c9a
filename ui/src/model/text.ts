// Names are bytes that an agent chose. Whatever could act on a reader instead of
// being seen is shown as an escape, the same ones that `leash events` prints.

// The characters of utf8_is_hidden() in src/base/utf8.c, and lone surrogates.
export const HIDDEN =
  /[\0-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;
const ANY_HIDDEN = new RegExp(HIDDEN.source, 'u');
// Letters that are written from the right and would move their neighbours about.
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

function escapeOf(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  // A byte that is no UTF-8 arrives as a lone low surrogate, docs/EVENTS.md.
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  return `\\u{${code.toString(16)}}`;
}

export interface Piece {
  kind: 'plain' | 'escape' | 'isolate';
  text: string;
}

// The pieces of a text as it is drawn. Where nothing needs care there is one.
export function pieces(text: string): Piece[] {
  const hides = ANY_HIDDEN.test(text);
  const turns = RIGHT_TO_LEFT.test(text);
  if (!hides && !turns) return [{ kind: 'plain', text }];

  const out: Piece[] = [];
  let from = 0;
  for (const match of hides ? text.matchAll(HIDDEN) : []) {
    addPlain(out, text.slice(from, match.index), hides, turns);
    out.push({ kind: 'escape', text: escapeOf(match[0]) });
    from = match.index + match[0].length;
  }
  addPlain(out, text.slice(from), hides, turns);
  return out;
}

function addPlain(out: Piece[], part: string, hides: boolean, turns: boolean): void {
  // Beside an escape a backslash of the name itself is doubled, so that no name looks like another.
  const text = hides ? part.replaceAll('\\', '\\\\') : part;
  if (!turns) {
    if (text) out.push({ kind: 'plain', text });
    return;
  }
  // Each component by itself, or the direction of one would reorder the others.
  for (const word of text.split(/([/.:\s]+)/)) {
    if (word) out.push({ kind: RIGHT_TO_LEFT.test(word) ? 'isolate' : 'plain', text: word });
  }
}

// For a place that takes plain text only, as a tooltip or a label.
export function plain(text: string): string {
  // There an escape does not look different from the same letters in a name.
  if (!ANY_HIDDEN.test(text)) return /\\[ntux]/.test(text) ? text.replaceAll('\\', '\\\\') : text;
  return pieces(text)
    .map((p) => p.text)
    .join('');
}

// One word of a command line: quoted where it would not be seen as one word.
export function word(text: string): string {
  if (text !== '' && !/["'\\\s$`|&;<>()*?]/.test(text) && !ANY_HIDDEN.test(text)) return text;
  if (!text.includes("'") && !ANY_HIDDEN.test(text)) return `'${text}'`;
  return `"${text.replace(/["\\$`]/g, '\\$&')}"`;
}

export function commandLine(argv: readonly string[]): string {
  return argv.map(word).join(' ');
}

// A row has the arguments as JSON, a list of texts.
export function lineOf(argv: string): string {
  try {
    return commandLine(JSON.parse(argv) as string[]);
  } catch {
    return argv;
  }
}

// ---- Numbers -------------------------------------------------------------------

const grouped = new Intl.NumberFormat('en');

export function count(n: number): string {
  return grouped.format(n);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

// A number and its unit stay in one line.
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = n;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}\u00a0${units[unit]}`;
}

export function micros(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`;
  return `${(us / 1_000_000).toFixed(1)} s`;
}

export function clock(ms: number): string {
  const d = new Date(ms);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'short' });

export function moment(time: string): string {
  return moments.format(new Date(time));
}

export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
