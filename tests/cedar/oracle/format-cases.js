// Makes random policies with comments in all positions and asks the reference
// (npm @cedar-policy/cedar-wasm, found through NODE_PATH) to format them:
//   node format-cases.js SEED COUNT > cases.jsonl
// Each line is {text, width, indent, formatted}; `conform-format FOLDER FILE`
// compares. Where the reference is known to lose a comment, `lost` is true.
'use strict';
const cedar = require('@cedar-policy/cedar-wasm/nodejs');

let state = (Number(process.argv[2]) || 1) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const chance = (p) => random() < p;

let style;
let budget; // of expressions inside expressions

function word() {
  return pick(['a', 'b', 'name', 'owner', 'isActive', 'x1', '_y', 'department', 'aVeryLongAttributeName',
    'permit', 'when', 'principal', 'action', 'context']);
}

const strings = ['""', '"a"', '"hello world"', '"x y z"', '"\\n\\t\\"q\\""', '"a\nb"', '"a\n\n  b // no comment\n"',
  '"a rather long string, to make lines break here and there"', '"*a\\u{1F600}*"', '"/usr/share/*/doc"',
  '"with // slashes"', '" lead and trail "'];
const wide = ['"grün"', '"日本語"', '"😀😀"', '"e\u0301"', '"\u200d"', '"👨‍👩‍👧"', '"❤️"', '"🇩🇪🇫🇷"', '"Ω≈ç√"', '"한국어"', '"ไทย"'];
function string() {
  return style.wide && chance(0.3) ? pick(wide) : pick(strings);
}

const types = ['User', 'A::B', 'Photo', 'Name::Space::Type', 'AVeryLongNamespace::WithALongTypeName'];
function path(type) {
  return (type || pick(types)).split('::').flatMap((p, i) => (i ? ['::', p] : [p]));
}
function uid(type) {
  return [...path(type), '::', string()];
}

function list(n, item, close) {
  const out = [];
  for (let i = 0; i < n; i++) {
    if (i) out.push(',');
    out.push(...item());
  }
  if (n && chance(style.trailing)) out.push(',');
  out.push(close);
  return out;
}

function call(d) {
  if (d < 0) return pick([['.', 'isEmpty', '(', ')'], ['[', string(), ']']]);
  switch (below(8)) {
    case 0: return ['.', 'contains', '(', ...list(1, () => expr(d), ')')];
    case 1: return ['.', 'containsAll', '(', ...list(1, () => expr(d), ')')];
    case 2: return ['.', 'isEmpty', '(', ')'];
    case 3: return ['.', 'lessThan', '(', ...list(1 + below(3), () => expr(d), ')')];
    case 4: return ['.', 'getTag', '(', ...list(1, () => expr(d), ')')];
    case 5: return ['.', 'isInRange', '(', ...list(1, () => expr(d), ')')];
    case 6: return ['.', 'toTime', '(', ...list(below(3), () => expr(d), ')')];
    default: return ['[', string(), ']'];
  }
}

function primary(d) {
  const n = d <= 0 || --budget < 0 ? below(6) : below(12);
  switch (n) {
    case 0: return [pick(['true', 'false'])];
    case 1: return [String(pick([0, 1, 42, 1234567890, '007']))];
    case 2: return [string()];
    case 3: return uid();
    case 4: case 5: return [pick(['principal', 'action', 'resource', 'context'])];
    case 6: case 7: return ['(', ...expr(d - 1), ')'];
    case 8: return ['[', ...list(below(5), () => expr(d - 1), ']')];
    case 9: {
      let i = 0;
      return ['{', ...list(below(4), () => [chance(0.5) ? `k${i++}` : `"k ${i++}"`, ':', ...expr(d - 1)], '}')];
    }
    case 10: return [pick(['ip', 'decimal', 'datetime']), '(', ...list(below(3), () => expr(d - 1), ')')];
    default: return ['(', 'if', ...expr(d - 1), 'then', ...expr(d - 1), 'else', ...expr(d - 1), ')'];
  }
}

function member(d) {
  const out = primary(d);
  if (/^[0-9]/.test(out[0])) return out;
  for (let n = budget > 0 && chance(0.5) ? below(6) : 0; n > 0; n--)
    out.push(...(chance(0.6) ? ['.', word()] : call(d - 1)));
  return out;
}

function unary(d) {
  if (chance(0.85)) return member(d);
  return [...Array(1 + below(4)).fill(pick(['!', '-'])), ...member(d)];
}

function chain(ops, p, operand) {
  const out = operand();
  while (budget > 0 && chance(p)) out.push(pick(ops), ...operand());
  return out;
}
const mul = (d) => chain(['*'], 0.08, () => unary(d));
const add = (d) => chain(['+', '-'], 0.12, () => mul(d));

function relation(d) {
  const left = add(d);
  switch (chance(0.5) ? below(6) : 9) {
    case 0: return [...left, pick(['==', '!=', '<', '<=', '>', '>=']), ...add(d)];
    case 1: return [...left, 'in', ...add(d)];
    case 2: return [...left, 'has', ...(chance(0.3) ? [string()] : chain(['.'], 0.4, () => [word()]))];
    case 3: return [...left, 'like', pick(strings)];
    case 4: return [...left, 'is', ...path()];
    case 5: return [...left, 'is', ...path(), 'in', ...add(d)];
    default: return left;
  }
}
const and = (d) => chain(['&&'], style.logic, () => relation(d));
function expr(d) {
  if (d > 0 && chance(0.08)) return ['if', ...expr(d - 1), 'then', ...expr(d - 1), 'else', ...expr(d - 1)];
  return chain(['||'], style.logic, () => and(d));
}

function parens(tokens) {
  return chance(0.05) ? ['(', ...tokens, ')'] : tokens;
}
function scope(name) {
  const value = () => parens(chance(0.2) ? ['?' + name] : uid());
  switch (chance(style.open) ? 9 : below(4)) {
    case 0: return [name, '==', ...value()];
    case 1: return [name, 'in', ...value()];
    case 2: return [name, 'is', ...path()];
    case 3: return [name, 'is', ...path(), 'in', ...value()];
    default: return [name];
  }
}
function action() {
  const one = () => parens(uid(pick(['Action', 'A::Action'])));
  switch (chance(style.open) ? 9 : below(3)) {
    case 0: return ['action', '==', ...one()];
    case 1: return ['action', 'in', ...one()];
    case 2: return ['action', 'in', '[', ...list(below(5), one, ']')];
    default: return ['action'];
  }
}

function policy() {
  const out = [];
  for (let n = chance(0.4) ? 1 + below(3) : 0, i = 0; i < n; i++) {
    out.push('@', pick(['id', 'if', 'note', 'advice']) + i);
    if (chance(0.7)) out.push('(', string(), ')');
  }
  out.push(pick(['permit', 'forbid']), '(', ...scope('principal'), ',', ...action(), ',', ...scope('resource'));
  if (chance(style.trailing)) out.push(',');
  out.push(')');
  for (let n = chance(0.8) ? 1 + below(3) : 0; n > 0; n--)
    out.push(pick(['when', 'unless']), '{', ...expr(style.depth), '}');
  out.push(';');
  return out;
}

let nComments;
function comment() {
  const text = pick(['', ' note', ' a longer remark on this line', ' "quoted', ' x // y', '/ doc', '\ttab ', ' end  ']);
  return `//${style.wide && chance(0.2) ? ' größer 日本' : ''}${text}#${nComments++}${pick(['', ' ', '\t'])}` +
    (style.odd ? pick(['\n', '\r\n', '\r', '\u00a0\n', '\u2028\n', '\u0085\n']) : '\n');
}
const isWord = (t) => /^[A-Za-z0-9_?]/.test(t);
function gap(left, right) {
  let out = '';
  if (chance(style.comments))
    for (let n = 1 + below(3); n > 0; n--) out += pick(['', ' ', '\n', '  \n\n', '\t']) + comment() + pick(['', '  ', '\n']);
  else if (chance(style.blanks)) 
    out += pick(style.odd ? ['\u00a0', '\u2003\n', '\r', '\f\v', '\u2028', '\u0085\n', '\u3000'] :
      [' ', '\n', '  ', '\t', '\n\n', '\r\n']);
  if (out === '' && ((isWord(left) && isWord(right)) || (left + right).match(/^(::?:|[=!<>]=|&&|\|\|)/) || chance(0.5))) out = ' ';
  return out;
}
function join(tokens) {
  let out = chance(style.comments) ? '\n' + comment() : '';
  for (let i = 0; i < tokens.length; i++) out += tokens[i] + (i + 1 < tokens.length ? gap(tokens[i], tokens[i + 1]) : '');
  if (style.odd && chance(0.3)) return out + pick([' //', ' // the end', '\n//#', '\n\n// a\n//', '//\r']);
  return out + pick(['', '\n', ' ' + (chance(style.comments) ? comment() : ''), chance(style.comments) ? '\n\n' + comment() + '\n' + comment() : '']);
}

function marks(text) {
  return (text.match(/#\d+/g) || []).join(' ');
}

for (let left = Number(process.argv[3]) || 100; left > 0;) {
  style = {
    comments: pick([0, 0, 0, 0.02, 0.1, 0.4]), blanks: pick([0, 0.2, 0.6]), trailing: pick([0, 0, 0.3]),
    wide: chance(0.2), odd: chance(0.1), logic: pick([0.1, 0.3, 0.5]), open: pick([0.3, 0.7, 1]), depth: below(5),
  };
  nComments = 0;
  budget = pick([5, 20, 60]);
  const text = join(Array.from({ length: 1 + below(3) }, policy).flat());
  if (text.length > 6000) continue;
  const width = pick([1, 10, 20, 30, 40, 40, 60, 80, 80, 80, 100, 120]);
  const indent = pick([0, 1, 2, 2, 2, 3, 4, 8]);
  const answer = cedar.formatPolicies({ policyText: text, lineWidth: width, indentWidth: indent });
  if (answer.type !== 'success') {
    process.stderr.write(`${JSON.stringify(text)}: ${answer.errors[0].message.slice(0, 300)}\n`);
    continue;
  }
  const formatted = answer.formatted_policy;
  console.log(JSON.stringify({ text, width, indent, formatted, lost: marks(text) !== marks(formatted) }));
  left--;
}
