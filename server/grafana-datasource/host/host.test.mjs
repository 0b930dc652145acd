// The shipped executable in plugin-host, asked as Grafana asks it, against a running `henge demo`: every mode, macros,
// variables, filters and errors. HENGE_PLUGIN_HOST is the URL of plugin-host.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const host = process.env.HENGE_PLUGIN_HOST;

async function get(path) {
  const answer = await fetch(host + path);
  return { status: answer.status, body: await answer.json() };
}

async function post(path, body) {
  const answer = await fetch(host + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

/** The answer of one query; `more` are members beside `query`. */
async function ask(query, more = {}) {
  const target = { refId: 'A', datasource: { uid: 'henge' }, intervalMs: 10_000, maxDataPoints: 100, query, ...more };
  const { body } = await post('/api/ds/query', { from: 'now-1h', to: 'now', queries: [target] });
  return body.results.A;
}

const sql = (text, format = 'table') => ({ mode: 'sql', format, sql: text });

/** Columns of the first frame by name. */
function columns({ error, frames }) {
  assert.equal(error, undefined);
  const [{ schema, data }] = frames;
  return Object.fromEntries(schema.fields.map(({ name }, index) => [name, data.values[index]]));
}

const typeOf = ({ error, frames }) => error ?? frames[0].schema.meta.type;
const sum = (values) => values.reduce((total, value) => total + value, 0);

test('health says version, datasource and how fresh it is', async () => {
  const { status, body } = await get('/api/datasources/uid/henge/health');
  assert.equal(status, 200);
  assert.match(body.message, /^Henge \d+\.\d+\.\d+; datasources: .*fleet \(newest event (\d+ s ago|in the future)/);
});

for (const [uid, message] of [
  ['missing', /has no datasource .*nothing/],
  ['nobody', /the server cannot be asked/],
  ['keyless', /secureJsonData\.key is needed/],
]) {
  test(`health of ${uid} says what to change`, async () => {
    const { status, body } = await get(`/api/datasources/uid/${uid}/health`);
    assert.notEqual(status, 200);
    assert.match(JSON.stringify(body), message);
  });
}

test('the catalogue, values, variables, checks and annotations are answered', async () => {
  const at = '/api/datasources/uid/henge/resources/';
  const { body: catalogue } = await get(`${at}catalogue`);
  const fleet = catalogue.datasources.find(({ name }) => name === 'fleet');
  assert.ok(fleet.columns.some(({ name, kind }) => name === 'region' && kind === 'dimension'));
  assert.ok(catalogue.macros.length > 10 && catalogue.functions.length > 10);
  const { body: values } = await post(`${at}values`, { datasource: 'fleet', column: 'region', limit: 100 });
  assert.ok(values.values.length > 1);
  const { body: variable } = await post(`${at}variable`, { kind: 'values', datasource: 'fleet', column: 'region' });
  assert.deepEqual(variable.options.map(({ value }) => value).toSorted(), values.values.toSorted());
  const { body: tables } = await post(`${at}variable`, { kind: 'datasources' });
  assert.ok(tables.options.some(({ value }) => value === 'fleet'));
  const range = { from: Date.now() - 3_600_000, to: Date.now() };
  const { body: checked } = await post(`${at}check`, { query: sql('SELECT region FROM fleet WHERE $__timeFilter(__time)'), range });
  assert.deepEqual(checked.columns.map(({ name }) => name), ['region']);
  assert.equal(checked.sql.includes('$__'), false);
  const { status, body: wrong } = await post(`${at}check`, { query: sql('SELECT region,\n  wrong_column FROM fleet'), range });
  assert.equal(status, 400);
  assert.deepEqual(wrong.position, { line: 2, column: 3, length: 12 });
});

test('only named resources are forwarded', async () => {
  for (const path of ['query', 'tail', '..%2F..%2F..%2Fdruid%2Fv2%2Fsql']) {
    const { status } = await post(`/api/datasources/uid/henge/resources/${path}`, {});
    assert.equal(status, 404, path);
  }
});

test('a time series with labels is a frame for each series', async () => {
  const answer = await ask(
    sql('SELECT $__timeInterval(__time) AS "time", region, SUM(events) AS events FROM fleet WHERE $__timeFilter(__time) GROUP BY 1, 2 ORDER BY 1', 'timeSeries'),
    { legend: 'in {{region}}' }
  );
  assert.equal(typeOf(answer), 'timeseries-multi');
  const labels = answer.frames.map(({ schema }) => schema.fields[1].labels.region);
  assert.equal(new Set(labels).size, labels.length);
  assert.deepEqual(answer.frames.map(({ schema }) => schema.fields[1].config.displayNameFromDS), labels.map((region) => `in ${region}`));
  assert.match(answer.frames[0].schema.meta.executedQueryString, /FROM\s+"?fleet/i);
});

test('a time series without labels is one wide frame', async () => {
  const answer = await ask(sql('SELECT $__timeInterval(__time) AS "time", SUM(events) AS events, SUM(errors) AS errors FROM fleet WHERE $__timeFilter(__time) GROUP BY 1', 'timeSeries'));
  assert.equal(typeOf(answer), 'timeseries-wide');
  assert.deepEqual(Object.keys(columns(answer)), ['time', 'events', 'errors']);
});

// Each is a number or a condition of its own, so that one statement of one row shows whether it is understood.
const MACROS = [
  ['$__timeFilter(__time)', 'condition'], ['__time >= $__timeFrom AND __time < $__timeTo', 'condition'],
  ['__time >= $__fromTime AND __time < $__toTime', 'condition'], ['__time >= $__timeFrom()', 'condition'],
  ['$__adhocFilters', 'condition'], ["$__conditionalAll(region = 'none', $everything)", 'condition'],
  ['$__interval_ms', 'number'], ['$__interval_s', 'number'], ['$__range_ms', 'number'], ['$__range_s', 'number'],
  ["$__timeGroup(__time, '5m')", 'time'], ['$__timeInterval(__time)', 'time'], ['$__dateBin(__time)', 'time'],
  ["TIME_FLOOR(__time, '$__interval')", 'time'],
];
for (const [macro, kind] of MACROS) {
  test(`${macro} is understood`, async () => {
    const text = {
      condition: `SELECT COUNT(*) AS n FROM fleet WHERE ${macro}`,
      number: `SELECT COUNT(*) AS n FROM fleet WHERE ${macro} > 0`,
      time: `SELECT COUNT(*) AS n, ${macro} AS t FROM fleet WHERE $__timeFilter(__time) GROUP BY 2`,
    }[kind];
    const { n } = columns(await ask(sql(text), { variables: { everything: { values: ['a'], isAll: true } } }));
    assert.ok(sum(n) > 0);
  });
}

test('values of variables are data, whatever they hold', async () => {
  const count = async (text, values) => {
    const { n } = columns(await ask(sql(text), { variables: { region: { values, isAll: false } } }));
    return sum(n);
  };
  const statement = 'SELECT COUNT(*) AS n FROM fleet WHERE region IN ($region)';
  const { body } = await post('/api/datasources/uid/henge/resources/values', { datasource: 'fleet', column: 'region' });
  const [first, second] = body.values;
  assert.ok((await count(statement, [first, second])) > (await count(statement, [first])));
  assert.equal(await count(statement, ["x') OR 1 = 1 --", "o'brien", '"']), 0);
  assert.equal(await count("SELECT COUNT(*) AS n FROM fleet WHERE region = '$region'", ["x' OR '1' = '1"]), 0);
});

test('ad hoc filters narrow a statement that has a place for them', async () => {
  const { body } = await post('/api/datasources/uid/henge/resources/values', { datasource: 'fleet', column: 'region' });
  const text = 'SELECT region, COUNT(*) AS n FROM fleet WHERE $__adhocFilters GROUP BY 1';
  const { region } = columns(await ask(sql(text), { filters: [{ key: 'region', operator: '=', values: [body.values[0]] }] }));
  assert.deepEqual(region, [body.values[0]]);
});

const measure = { aggregate: 'sum', column: 'bytes_in', alias: 'bytes' };

test('builder: the top groups, and the rest as one more', async () => {
  const builder = (groupBy) => ({
    mode: 'builder', format: 'table', datasource: 'fleet', measures: [measure], groupBy, timeBucket: null, fill: 'none', where: [], orderBy: [], limit: 1000,
  });
  const { bytes, topic } = columns(await ask(builder([{ column: 'topic', top: 2, other: true }])));
  assert.equal(topic.length, 3);
  assert.ok(bytes.every((value) => value > 0));
});

test('builder: series by group', async () => {
  const answer = await ask({
    mode: 'builder', format: 'timeSeries', datasource: 'fleet', measures: [measure], groupBy: [{ column: 'region' }], timeBucket: 'auto',
    fill: 'zero', where: [{ column: 'region', operator: '=', values: ['$region'] }], orderBy: [], limit: 10_000,
  }, { variables: { region: { values: ['nowhere'], isAll: false } } });
  assert.equal(answer.error, undefined);
  assert.deepEqual(answer.frames.flatMap(({ data }) => data.values.flat()), []);
});

test('top: the largest first', async () => {
  const answer = await ask({ mode: 'top', datasource: 'fleet', dimension: 'topic', measure, where: [], limit: 3 });
  const { bytes } = columns(answer);
  assert.equal(bytes.length, 3);
  assert.deepEqual(bytes, bytes.toSorted((a, b) => b - a));
});

test('logs: newest first, with a body', async () => {
  const answer = await ask({ mode: 'logs', datasource: 'fleet', columns: ['region', 'topic'], where: [], limit: 5 });
  assert.equal(typeOf(answer), 'log-lines');
  const { timestamp, body } = columns(answer);
  assert.equal(body.length, 5);
  assert.deepEqual(timestamp, timestamp.toSorted((a, b) => b - a));
});

test('live logs name their channel', async () => {
  const answer = await ask({ mode: 'logs', datasource: 'fleet', columns: [], where: [], limit: 5 }, { live: true });
  assert.match(answer.frames[0].schema.meta.channel, /^ds\/henge\/tail\/[0-9a-f]{32}$/);
});

test('metrics: the series of /v2/metrics', async () => {
  const answer = await ask({
    mode: 'metrics', dataset: 'cloud', metric: 'io.confluent.kafka.server/received_bytes', aggregate: 'sum', groupBy: ['metric.topic'],
    where: [{ column: 'resource.kafka.id', operator: '=', values: ['lkc-000000'] }], granularity: 'PT1M', limit: 100,
  }, { includePartialBucket: true });
  assert.match(typeOf(answer), /^timeseries-/);
});

test('annotations have a time, a text and tags', async () => {
  const answer = await ask(sql('SELECT MIN(__time) AS "time", region AS text, \'a\' AS tags FROM fleet WHERE $__timeFilter(__time) GROUP BY region'), { queryType: 'annotations' });
  const { time, text, tags } = columns(answer);
  assert.ok(time.length > 1 && text.every((one) => one !== '') && tags.every((one) => one === 'a'));
});

for (const [what, query, status, message] of [
  ['a column that is not there', sql('SELECT wrong FROM fleet'), 400, /wrong.*(line \[?1\]?, column \[?8\]?)/],
  ['a macro that is not there', sql('SELECT $__nothing(1) FROM fleet'), 400, /nothing/],
  ['a statement that changes something', sql('DROP TABLE fleet'), 501, /DROP|SELECT|statement/i],
  ['a variable that is not there', sql('SELECT COUNT(*) FROM fleet WHERE region = $unknown'), 400, /unknown/],
  ['no datasource', { mode: 'top', datasource: 'nothing', dimension: 'x', measure, where: [], limit: 1 }, 400, /nothing/],
  ['an unknown mode', { mode: 'guess' }, 400, /guess|mode/],
]) {
  test(`${what} is an error that says so`, async () => {
    const answer = await ask(query);
    assert.equal(answer.status, status);
    assert.equal(answer.errorSource, 'downstream');
    assert.match(answer.error, message);
  });
}

test('one query that fails leaves the others alone', async () => {
  const target = (refId, text) => ({ refId, datasource: { uid: 'henge' }, query: sql(text) });
  const { status, body } = await post('/api/ds/query', {
    from: 'now-1h', to: 'now', queries: [target('A', 'SELECT wrong FROM fleet'), target('B', 'SELECT COUNT(*) AS n FROM fleet')],
  });
  assert.equal(status, 400);
  assert.equal(body.results.A.status, 400);
  assert.ok(columns(body.results.B).n[0] > 0);
});
