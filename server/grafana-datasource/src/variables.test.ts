import { templateSrv } from './testSupport';
import { filtersOf, namesIn, variablesOf } from './variables';

test.each([
  ['$region', ['region']],
  ['${region} and ${region:csv}', ['region']],
  ["IN ($a, '${b}')", ['a', 'b']],
  ['$__timeFilter(__time)', ['__timeFilter']],
  ['no variable, 5 $', []],
])('%s names %j', (text, names) => {
  expect(namesIn(text)).toEqual(names);
});

test('values go beside the statement as they are, quotes and all', () => {
  const services = templateSrv({ region: ["o'brien", '"; DROP'], org: 'o1', unused: 'x' });
  expect(variablesOf({ sql: 'WHERE region IN ($region) AND org = ${org}' }, services)).toEqual({
    region: { values: ["o'brien", '"; DROP'], isAll: false },
    org: { values: ['o1'], isAll: false },
  });
});

test('all is told from a choice of everything', () => {
  const services = templateSrv({ region: ['a', 'b'] }, ['region']);
  expect(variablesOf({ values: ['$region'] }, services)).toEqual({ region: { values: ['a', 'b'], isAll: true } });
});

test('a repeated panel has its own value, and not all', () => {
  const services = templateSrv({ region: ['a', 'b'] }, ['region']);
  expect(variablesOf('$region', services, { region: { value: 'a', text: 'a' } })).toEqual({ region: { values: ['a'], isAll: false } });
});

test('macros are not variables', () => {
  expect(variablesOf('$__interval $__timeFilter(__time)', templateSrv({ region: 'a' }))).toEqual({});
});

test('ad hoc filters without a key or an operator are left out', () => {
  expect(
    filtersOf([
      { key: 'region', operator: '=', value: 'a' },
      { key: 'region', operator: '=|', value: 'a', values: ['a', 'b'] },
      { key: '', operator: '=', value: 'a' },
    ])
  ).toEqual([
    { key: 'region', operator: '=', values: ['a'] },
    { key: 'region', operator: '=|', values: ['a', 'b'] },
  ]);
});
