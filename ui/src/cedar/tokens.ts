// Cedar's words, for colours: used by the editor and wherever a policy is shown.
export type TokenKind =
  | 'comment'
  | 'string'
  | 'keyword'
  | 'effect'
  | 'variable'
  | 'annotation'
  | 'type'
  | 'method'
  | 'property'
  | 'number'
  | 'atom'
  | 'operator'
  | 'bracket'
  | 'plain';

export interface Token {
  end: number;
  kind: TokenKind;
}

const SPACE = /\s+/y;
const COMMENT = /\/\/.*/y;
const STRING = /"(?:[^"\\]|\\.)*"?/y;
const ANNOTATION = /@\w+/y;
const WORD = /[A-Za-z_]\w*/y;
const NUMBER = /\d+/y;
const OPERATOR = /&&|\|\||==|!=|<=|>=|::|[<>=!+*\-.?]/y;
const BRACKET = /[()[\]{},;]/y;

const EFFECTS = new Set(['permit', 'forbid']);
const KEYWORDS = new Set(['when', 'unless', 'if', 'then', 'else', 'in', 'is', 'has', 'like']);
const VARIABLES = new Set(['principal', 'action', 'resource', 'context']);
const ATOMS = new Set(['true', 'false']);

function match(re: RegExp, text: string, at: number): number {
  re.lastIndex = at;
  return re.test(text) ? re.lastIndex : -1;
}

function wordKind(text: string, from: number, end: number): TokenKind {
  const word = text.slice(from, end);
  const before = text.slice(0, from).trimEnd();
  const after = text.slice(end).trimStart();
  if (before.endsWith('.')) return after.startsWith('(') ? 'method' : 'property';
  if (after.startsWith('::') || before.endsWith('::')) return 'type';
  if (EFFECTS.has(word)) return 'effect';
  if (KEYWORDS.has(word)) return 'keyword';
  if (VARIABLES.has(word)) return 'variable';
  if (ATOMS.has(word)) return 'atom';
  if (after.startsWith('(')) return 'method';
  if (/\bhas$/.test(before)) return 'property';
  return /^[A-Z]/.test(word) ? 'type' : 'plain';
}

// The token of one line that begins at `at`.
export function tokenAt(line: string, at: number): Token {
  const tries: [RegExp, TokenKind][] = [
    [SPACE, 'plain'],
    [COMMENT, 'comment'],
    [STRING, 'string'],
    [ANNOTATION, 'annotation'],
    [NUMBER, 'number'],
    [OPERATOR, 'operator'],
    [BRACKET, 'bracket'],
  ];
  for (const [re, kind] of tries) {
    const end = match(re, line, at);
    if (end > at) return { end, kind };
  }
  const end = match(WORD, line, at);
  if (end > at) return { end, kind: wordKind(line, at, end) };
  return { end: at + 1, kind: 'plain' };
}

export function tokensOf(line: string): { text: string; kind: TokenKind }[] {
  const out: { text: string; kind: TokenKind }[] = [];
  for (let at = 0; at < line.length; ) {
    const { end, kind } = tokenAt(line, at);
    out.push({ text: line.slice(at, end), kind });
    at = end;
  }
  return out;
}
