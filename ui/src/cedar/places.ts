// The API counts lines from 1 and columns from 1 in Unicode scalars; the editor
// counts UTF-16 units from the beginning of the text.
import type { Text } from '@codemirror/state';
import type { Place } from '../api';

export function unitsOf(line: string, column: number): number {
  let at = 0;
  for (let c = 1; c < column && at < line.length; c++) at += line.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

export function columnOf(line: string, units: number): number {
  let column = 1;
  for (let at = 0; at < units && at < line.length; column++) at += line.codePointAt(at)! > 0xffff ? 2 : 1;
  return column;
}

// A place outside the text is its nearest end.
export function offsetOf(doc: Text, place: Place): number {
  if (place.line < 1) return 0;
  if (place.line > doc.lines) return doc.length;
  const line = doc.line(place.line);
  return line.from + unitsOf(line.text, place.column);
}

export function placeOf(doc: Text, offset: number): Place {
  const line = doc.lineAt(offset);
  return { line: line.number, column: columnOf(line.text, offset - line.from) };
}
