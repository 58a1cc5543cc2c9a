import { describe, expect, it } from 'vitest';
import { bytes, commandLine, duration, micros, pieces, plain, word } from '../src/model/text';

describe('names that others chose', () => {
  it('leaves ordinary text in one piece', () => {
    expect(pieces('/home/me/straße/日本.txt')).toEqual([{ kind: 'plain', text: '/home/me/straße/日本.txt' }]);
  });

  it.each([
    ['\u0000', '\\u{0}'],
    ['\u001b', '\\u{1b}'],
    ['\u007f', '\\u{7f}'],
    ['\u009b', '\\u{9b}'],
    ['\u00ad', '\\u{ad}'],
    ['\u061c', '\\u{61c}'],
    ['\u180e', '\\u{180e}'],
    ['\u200b', '\\u{200b}'],
    ['\u200f', '\\u{200f}'],
    ['\u2028', '\\u{2028}'],
    ['\u202e', '\\u{202e}'],
    ['\u2066', '\\u{2066}'],
    ['\ufeff', '\\u{feff}'],
    ['\ufff9', '\\u{fff9}'],
    ['\u{e0001}', '\\u{e0001}'],
    ['\u{e007f}', '\\u{e007f}'],
    ['\n', '\\n'],
    ['\t', '\\t'],
    // Bytes that are no UTF-8, and what cannot come from any.
    ['\udc80', '\\x80'],
    ['\udcff', '\\xff'],
    ['\ud800', '\\u{d800}'],
  ])('escapes %j', (char, escaped) => {
    expect(pieces(`a${char}b`)).toEqual([
      { kind: 'plain', text: 'a' },
      { kind: 'escape', text: escaped },
      { kind: 'plain', text: 'b' },
    ]);
  });

  it('shows no two names alike', () => {
    expect(plain('a\u202eb')).not.toBe(plain('a\\u{202e}b'));
    expect(plain('\\u{202e}\u202e')).toBe('\\\\u{202e}\\u{202e}');
    expect(pieces('\\u{202e}')[0]!.kind).toBe('plain');
    expect(pieces('\u202e')[0]!.kind).toBe('escape');
  });

  it('keeps the parts of a path in their order', () => {
    const parts = pieces('/w/אב/גד.txt');
    expect(parts.filter((p) => p.kind === 'isolate').map((p) => p.text)).toEqual(['אב', 'גד']);
    expect(parts.map((p) => p.text).join('')).toBe('/w/אב/גד.txt');
  });

  it('keeps whole characters beyond the first plane', () => {
    expect(plain('😀\u200b😀')).toBe('😀\\u{200b}😀');
  });
});

describe('command lines', () => {
  it('quotes what would not be seen as one word', () => {
    expect(commandLine(['sh', '-c', 'echo a b', '', "it's"])).toBe(`sh -c 'echo a b' '' "it's"`);
    expect(word('a\nb')).toBe('"a\nb"');
  });
});

describe('amounts', () => {
  it('are short', () => {
    expect([bytes(0), bytes(1023), bytes(1024), bytes(5.5e6)]).toEqual(['0\u00a0B', '1023\u00a0B', '1.0\u00a0KiB', '5.2\u00a0MiB']);
    expect([micros(12), micros(1200), micros(25_000), micros(2e6)]).toEqual(['12 µs', '1.2 ms', '25 ms', '2.0 s']);
    expect([duration(5000), duration(65_000), duration(3_700_000)]).toEqual(['5 s', '1 min 5 s', '1 h 1 min']);
  });
});
