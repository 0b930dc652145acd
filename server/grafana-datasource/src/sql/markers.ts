/** Where in an editor a mistake is underlined. */

import { Problem } from '../api';

export interface Marker {
  message: string;
  startLineNumber: number;
  startColumn: number;
  endLineNumber: number;
  endColumn: number;
}

/** Without a place, the whole first line is meant. */
export function markerOf({ message, position }: Problem, sql: string): Marker {
  const lines = sql.split('\n');
  const line = Math.min(Math.max(position?.line ?? 1, 1), lines.length);
  const text = lines[line - 1];
  const column = position?.column ?? 1;
  // The server counts characters, editors count UTF-16 units.
  const units = (characters: number) => Array.from(text).slice(0, characters).join('').length;
  const start = units(column - 1) + 1;
  const end = position ? units(column - 1 + Math.max(position.length, 1)) + 1 : text.length + 1;
  return { message, startLineNumber: line, startColumn: start, endLineNumber: line, endColumn: Math.max(end, start + 1) };
}
