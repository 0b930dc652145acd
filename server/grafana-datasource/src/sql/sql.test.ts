import { Catalogue, Problem } from '../api';
import { completionsAt, quoted } from './completion';
import { formatSql } from './format';
import { markerOf } from './markers';

const catalogue: Catalogue = {
  version: '1',
  datasources: [
    { name: 'fleet', columns: [{ name: '__time', type: 'time', kind: 'time' }, { name: 'bytes in', type: 'long', kind: 'measure' }], newestEvent: null, completeUntil: null },
    { name: 'usage', columns: [{ name: 'org', type: 'string', kind: 'dimension' }], newestEvent: null, completeUntil: null },
  ],
  datasets: [],
  functions: [{ name: 'TIME_FLOOR', signature: 'TIME_FLOOR(time, period)', description: '' }],
  macros: [
    { name: '$__timeFilter', signature: '$__timeFilter(column)', description: '' },
    { name: '$__interval', signature: '$__interval', description: '' },
  ],
};

/** Labels of completions at the `|` of a text. */
function labels(text: string): string[] {
  const offset = text.indexOf('|');
  const { items } = completionsAt(text.replace('|', ''), offset, catalogue, ['region']);
  return items.filter(({ kind }) => kind !== 'keyword').map(({ label }) => label);
}

test.each([
  ['SELECT * FROM |', ['fleet', 'usage']],
  ['SELECT * FROM us|', ['fleet', 'usage']],
  ['SELECT | FROM usage', ['org', 'TIME_FLOOR', '$__timeFilter', '$__interval']],
  ['SELECT |', ['__time', 'bytes in', 'org', 'TIME_FLOOR', '$__timeFilter', '$__interval']],
  ['SELECT 1 FROM fleet WHERE $|', ['$__timeFilter', '$__interval', '${region}']],
  ["SELECT 1 FROM fleet WHERE a = '$|'", ['${region}']],
  ["SELECT 1 FROM fleet WHERE a = 'it''s |'", []],
  ["SELECT 1 FROM fleet WHERE a = 'it''s' AND |", ['__time', 'bytes in', 'TIME_FLOOR', '$__timeFilter', '$__interval']],
  ['SELECT 1 -- from |', []],
])('%s completes %j', (text, expected) => {
  expect(labels(text)).toEqual(expected);
});

test('what is typed of a macro is replaced, and its dollar is no place to fill in', () => {
  const { replaces, items } = completionsAt('WHERE $__ti', 11, catalogue, []);
  expect(replaces).toBe(5);
  expect(items[0].insert).toBe('\\$__timeFilter($0)');
});

test('names that are no plain words are quoted', () => {
  expect([quoted('fleet'), quoted('bytes in'), quoted('a"b')]).toEqual(['fleet', '"bytes in"', '"a""b"']);
});

test('formatting leaves macros and variables whole', () => {
  const sql = "select $__timeInterval(__time) as \"time\", ${what:csv} from fleet where $__timeFilter(__time) and region in ($region) group by 1";
  const laidOut = formatSql(sql);
  expect(laidOut.split(/\s+/).join(' ').replace(/\( /g, '(').replace(/ \)/g, ')')).toBe(
    "SELECT $__timeInterval(__time) AS \"time\", ${what:csv} FROM fleet WHERE $__timeFilter(__time) AND region IN ($region) GROUP BY 1"
  );
  expect(formatSql(laidOut)).toBe(laidOut);
});

test('a mistake is underlined where the server says, in units of the editor', () => {
  // The server counts the flag as two characters, the editor as four units.
  const problem = new Problem('no such column', { line: 2, column: 6, length: 3 });
  expect(markerOf(problem, "SELECT\n'🇩🇪', abc")).toEqual({
    message: 'no such column', startLineNumber: 2, startColumn: 8, endLineNumber: 2, endColumn: 11,
  });
});

test('a mistake without a place underlines the first line', () => {
  expect(markerOf(new Problem('too busy'), 'SELECT 1\nFROM t')).toMatchObject({ startLineNumber: 1, startColumn: 1, endColumn: 9 });
});
