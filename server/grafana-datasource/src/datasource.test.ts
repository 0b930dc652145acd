import { DataSourceInstanceSettings, dateTime, FieldType, toDataFrame } from '@grafana/data';
import { lastValueFrom, of } from 'rxjs';

import { HengeApi, Problem } from './api';
import { inMode, isComplete, startOf } from './defaults';
import { templateSrv } from './testSupport';
import { BuilderQuery, HengeOptions, HengeQuery } from './types';
import type { HengeVariableSupport } from './variableSupport';

const superQuery = jest.fn();
jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  DataSourceWithBackend: class {
    name = 'Henge';
    query(request: unknown) {
      return superQuery(request);
    }
    getRef() {
      return { type: 'henge-datasource', uid: 'henge' };
    }
  },
}));

// Loaded after the mock, which an import would not be.
const { HengeDatasource } = jest.requireActual<typeof import('./datasource')>('./datasource');

const settings = { jsonData: { defaultDatasource: 'fleet' } } as DataSourceInstanceSettings<HengeOptions>;
const range = { from: dateTime(1000), to: dateTime(2000), raw: { from: 'now-1h', to: 'now' } };

function sqlQuery(sql: string): HengeQuery {
  return { refId: 'A', query: { mode: 'sql', format: 'table', sql } };
}

function withCatalogue(datasource: InstanceType<typeof HengeDatasource>) {
  const column = (name: string, kind: 'time' | 'dimension' | 'measure') => ({ name, type: 'string', kind });
  jest.spyOn(datasource.api, 'catalogue').mockResolvedValue({
    version: '1', datasets: [], functions: [], macros: [],
    datasources: [
      { name: 'fleet', columns: [column('__time', 'time'), column('region', 'dimension'), column('bytes', 'measure')], newestEvent: null, completeUntil: null },
      { name: 'usage', columns: [column('region', 'dimension'), column('org', 'dimension')], newestEvent: null, completeUntil: null },
    ],
  });
  return datasource;
}

test('the text of a query is sent as it was written, with the values of variables beside it', () => {
  const datasource = new HengeDatasource(settings, templateSrv({ region: ["x' OR 1=1"] }));
  const sql = "SELECT 1 FROM fleet WHERE region IN ($region)";
  expect(datasource.applyTemplateVariables(sqlQuery(sql), {}, [{ key: 'org', operator: '=', value: 'o1' }])).toEqual({
    ...sqlQuery(sql),
    variables: { region: { values: ["x' OR 1=1"], isAll: false } },
    filters: [{ key: 'org', operator: '=', values: ['o1'] }],
  });
});

test('a query that goes to Explore takes the values of its variables along', () => {
  const dashboard = new HengeDatasource(settings, templateSrv({ region: 'eu' }));
  const explore = new HengeDatasource(settings, templateSrv({}));
  const [moved] = dashboard.interpolateVariablesInQueries([sqlQuery('SELECT $region')], {});
  expect(explore.applyTemplateVariables(moved, {}).variables).toEqual({ region: { values: ['eu'], isAll: false } });
});

test('queries that are not filled in are not sent', () => {
  const datasource = new HengeDatasource(settings, templateSrv({}));
  expect(datasource.filterQuery(sqlQuery('  '))).toBe(false);
  expect(datasource.filterQuery({ ...sqlQuery('SELECT 1'), hide: true })).toBe(false);
  expect(datasource.filterQuery(sqlQuery('SELECT 1'))).toBe(true);
  expect(isComplete(startOf('builder', ''))).toBe(false);
  expect(isComplete(startOf('builder', 'fleet'))).toBe(true);
  expect(isComplete(undefined)).toBe(false);
  const group = { ...startOf('builder', 'fleet'), groupBy: [{ column: '' }] } as BuilderQuery;
  expect(isComplete(group)).toBe(false);
  expect(isComplete(startOf('logs', 'fleet', [{ column: 'region', operator: '=', values: [] }]))).toBe(false);
});

test('every value links to the statement behind it, by a query of this data source', async () => {
  const datasource = new HengeDatasource(settings, templateSrv({}));
  const frame = () => toDataFrame({ refId: 'A', fields: [{ name: 'value', type: FieldType.number, values: [1] }] });
  const first = frame();
  first.meta = { executedQueryString: 'SELECT 1' };
  superQuery.mockReturnValue(of({ data: [first, frame()] }));
  const response = await lastValueFrom(datasource.query({ targets: [sqlQuery('x')], timezone: 'utc' } as never));
  const links = response.data.map(({ fields }) => fields[0].config.links?.[0].internal);
  const expected = {
    datasourceUid: 'henge', datasourceName: 'Henge',
    query: { refId: 'A', datasource: { type: 'henge-datasource', uid: 'henge' }, query: { mode: 'sql', format: 'table', sql: 'SELECT 1' } },
  };
  expect(links).toEqual([expected, expected]);
});

test('live streaming and the time zone of a dashboard reach the backend', async () => {
  const datasource = new HengeDatasource(settings, templateSrv({}));
  superQuery.mockReturnValue(of({ data: [] }));
  await lastValueFrom(datasource.query({ targets: [sqlQuery('x')], timezone: 'Europe/Berlin', liveStreaming: true } as never));
  expect(superQuery).toHaveBeenLastCalledWith(
    expect.objectContaining({ targets: [{ ...sqlQuery('x'), timeZone: 'Europe/Berlin', live: true }] })
  );
});

test('keys of filters are the dimensions of what the dashboard asks, or of the default', async () => {
  const datasource = withCatalogue(new HengeDatasource(settings, templateSrv({})));
  const keys = async (queries: HengeQuery[]) => (await datasource.getTagKeys({ filters: [], queries } as never)).map(({ text }) => text);
  expect(await keys([])).toEqual(['region']);
  expect(await keys([{ refId: 'A', query: startOf('top', 'usage') }])).toEqual(['region', 'org']);
});

test('values of a filter come from the datasources that have its key, under the other filters', async () => {
  const datasource = withCatalogue(new HengeDatasource({ jsonData: {} } as never, templateSrv({})));
  const values = jest.spyOn(datasource.api, 'values').mockImplementation(async ({ datasource }) => ['eu', datasource ?? '']);
  const options = { key: 'region', filters: [{ key: 'org', operator: '=', value: 'o1' }], timeRange: range };
  expect((await datasource.getTagValues(options)).map(({ text }) => text)).toEqual(['eu', 'fleet', 'usage']);
  expect(values).toHaveBeenCalledWith({
    datasource: 'fleet', column: 'region', range: { from: 1000, to: 2000 }, filters: [{ key: 'org', operator: '=', values: ['o1'] }],
  });
});

test('a variable asks for the values of its table under what a person typed', async () => {
  const datasource = new HengeDatasource(settings, templateSrv({ org: 'o1' }));
  const variable = jest.spyOn(datasource.api, 'variable').mockResolvedValue([{ text: 'EU', value: 'eu' }]);
  const target = { refId: 'v', kind: 'values', table: 'usage', column: '$org', search: 'x$__searchFilter', datasource: { uid: 'henge' } };
  const request = { targets: [target], range, scopedVars: { __searchFilter: { value: 'y', text: 'y' } } };
  const { data } = await lastValueFrom((datasource.variables as HengeVariableSupport).query(request as never)) as { data: Array<{ fields: Array<{ name: string; values: string[] }> }> };
  expect(data[0].fields.map(({ name, values }) => [name, ...values])).toEqual([['text', 'EU'], ['value', 'eu']]);
  expect(variable).toHaveBeenCalledWith({
    kind: 'values', datasource: 'usage', column: '$org', search: 'xy', sql: undefined, range: { from: 1000, to: 2000 },
    variables: { org: { values: ['o1'], isAll: false } },
  });
});

test('annotations go to the backend as such', () => {
  const datasource = new HengeDatasource(settings, templateSrv({}));
  const target = sqlQuery('SELECT __time AS "time" FROM fleet');
  expect(datasource.annotations!.prepareQuery!({ name: 'deploys', target } as never)).toEqual({ ...target, refId: 'deploys', queryType: 'annotations' });
});

test('another mode keeps datasource and filters', () => {
  const where = [{ column: 'region', operator: '=', values: ['eu'] }];
  expect(inMode(startOf('builder', 'usage', where), 'top', 'fleet')).toEqual(startOf('top', 'usage', where));
  expect(inMode(startOf('metrics', ''), 'logs', 'fleet')).toEqual(startOf('logs', 'fleet'));
});

test('the catalogue is asked once in half a minute, and again after a failure', async () => {
  let now = 0;
  const get = jest.fn().mockRejectedValueOnce({ data: { errorMessage: 'no key', position: { line: 1, column: 2, length: 3 } } }).mockResolvedValue({ datasources: [] });
  const api = new HengeApi({ get, post: jest.fn() }, () => now);
  await expect(api.catalogue()).rejects.toEqual(new Problem('no key', { line: 1, column: 2, length: 3 }));
  await Promise.all([api.catalogue(), api.catalogue()]);
  expect(get).toHaveBeenCalledTimes(2);
  now = 30_001;
  await api.catalogue();
  expect(get).toHaveBeenCalledTimes(3);
});
