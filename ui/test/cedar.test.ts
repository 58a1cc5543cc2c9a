import { describe, expect, it } from 'vitest';
import { Text } from '@codemirror/state';
import { columnOf, offsetOf, placeOf, unitsOf } from '../src/cedar/places';
import { tokensOf } from '../src/cedar/tokens';

const kinds = (line: string) => tokensOf(line).filter((t) => t.text.trim()).map((t) => `${t.kind}:${t.text}`);

describe('Cedar in colours', () => {
  it('knows scopes', () => {
    expect(kinds('permit (principal, action in Action::"FileOpen", resource);')).toEqual([
      'effect:permit', 'bracket:(', 'variable:principal', 'bracket:,', 'variable:action', 'keyword:in', 'type:Action', 'operator:::',
      'string:"FileOpen"', 'bracket:,', 'variable:resource', 'bracket:)', 'bracket:;',
    ]);
  });
  it('knows conditions', () => {
    expect(kinds('when { context.argv.contains("a\\"b") && !(context has ip) }; // why')).toEqual([
      'keyword:when', 'bracket:{', 'variable:context', 'operator:.', 'property:argv', 'operator:.', 'method:contains', 'bracket:(',
      'string:"a\\"b"', 'bracket:)', 'operator:&&', 'operator:!', 'bracket:(', 'variable:context', 'keyword:has', 'property:ip',
      'bracket:)', 'bracket:}', 'bracket:;', 'comment:// why',
    ]);
  });
  it('keeps // in a string', () => {
    expect(kinds('"https://x" // y')).toEqual(['string:"https://x"', 'comment:// y']);
  });
  it('loses no character and always ends', () => {
    for (const line of ['"open', '§§ ?? @', '\\', '@id("x") permit', '😀 1.5', '']) expect(tokensOf(line).map((t) => t.text).join('')).toBe(line);
  });
});

describe('places', () => {
  const doc = Text.of(['a😀b', '', 'é" x']);
  it('are counted in scalars by the API, in UTF-16 here', () => {
    expect(unitsOf('a😀b', 3)).toBe(3);
    expect(columnOf('a😀b', 3)).toBe(3);
    expect(offsetOf(doc, { line: 1, column: 3 })).toBe(3);
    for (let offset = 0; offset <= doc.length; offset++) if (offset !== 2) expect(offsetOf(doc, placeOf(doc, offset))).toBe(offset);
  });
  it('outside the text are its ends', () => {
    expect(offsetOf(doc, { line: 0, column: 1 })).toBe(0);
    expect(offsetOf(doc, { line: 99, column: 1 })).toBe(doc.length);
    expect(offsetOf(doc, { line: 2, column: 50 })).toBe(doc.line(2).to);
  });
});
