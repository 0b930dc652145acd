// Drives the editors of the built plugin in Chromium, against plugin-host and a running Henge.
//
// HENGE_PLUGIN_HOST is the URL of plugin-host, CHROMIUM the browser. Screenshots go to artifacts/.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

import { serve } from './serve.mjs';

const artifacts = join(dirname(fileURLToPath(import.meta.url)), '..', 'artifacts');
mkdirSync(artifacts, { recursive: true });

let served, browser, page;
const complaints = [];

before(async () => {
  served = await serve(process.env.HENGE_PLUGIN_HOST);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(async () => {
  await browser?.close();
  served?.stop();
});
beforeEach(async () => {
  await page?.context().close();
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
  complaints.length = 0;
  page.on('pageerror', (error) => complaints.push(error.message));
});

const open = (editor, theme = 'dark') => page.goto(`${served.url}/?editor=${editor}&theme=${theme}`);
const query = async () => JSON.parse(await page.getByTestId('query').textContent());
const shot = (name) => page.screenshot({ path: join(artifacts, `${name}.png`) });

/** Takes the first option that is called so, from a box that is found by its label. */
async function choose(label, text) {
  await page.getByRole('combobox', { name: label, exact: true }).click();
  await page.keyboard.type(text);
  await page.getByRole('option', { name: text }).first().click();
}

/** Waits until the answer below the editor is such; it is what a panel would get. */
async function answerMatches(pattern) {
  await page.waitForFunction(
    ([source]) => new RegExp(source).test(document.querySelector('[data-testid=answer]')?.textContent ?? ''),
    [pattern.source]
  );
  return page.getByTestId('answer').textContent();
}

async function assertAccessible() {
  // What is inside of Monaco is Monaco's.
  const { violations } = await new AxeBuilder({ page }).include('main').exclude('.monaco-editor').analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`), []);
  assert.deepEqual(complaints, []);
}

test('a query is built in the builder and shows rows, with its statement below', async () => {
  await open('query');
  await choose('Measure 1: how', 'sum');
  await choose('Measure 1: column', 'bytes_in');
  await page.getByRole('button', { name: 'Add group' }).click();
  await choose('Group 1: column', 'region');
  await answerMatches(/timeseries-multi \d+ rows/);
  await page.getByText('only top').click();
  await answerMatches(/timeseries-multi \d+ rows/);
  const sql = page.getByRole('region', { name: 'SQL of this query' });
  await sql.waitFor();
  assert.match(await sql.textContent(), /bytes_in/);
  const { measures, groupBy } = (await query()).query;
  assert.deepEqual([measures, groupBy], [[{ aggregate: 'sum', column: 'bytes_in' }], [{ column: 'region', top: 5, other: true }]]);
  await shot('builder');
  await assertAccessible();
});

test('values of a filter are completed from the data, and variables with them', async () => {
  await open('query');
  await page.getByRole('button', { name: 'Add filter' }).click();
  await choose('Filter 1: column', 'region');
  await page.getByRole('combobox', { name: 'Filter 1: values' }).click();
  const options = page.getByRole('option');
  await page.getByRole('option', { name: '$region' }).waitFor();
  await page.getByRole('option', { name: /-\d$/ }).first().waitFor();
  assert.ok((await options.count()) > 1);
  await shot('filter-values');
  await page.getByRole('option', { name: '$region' }).click();
  await page.keyboard.press('Escape');
  assert.deepEqual((await query()).query.where, [{ column: 'region', operator: '=', values: ['$region'] }]);
});

test('a builder query becomes a statement, a column is completed, a mistake is underlined where it is', async () => {
  await open('query');
  await page.getByRole('region', { name: 'SQL of this query' }).waitFor();
  await page.getByRole('radio', { name: 'Code' }).check({ force: true });
  const editor = page.locator('.monaco-editor').first();
  await editor.waitFor();
  assert.match((await query()).query.sql, /FROM\s+"?fleet/i);

  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('SELECT region, reg FROM fleet');
  for (let step = 0; step < ' FROM fleet'.length; step++) {
    await page.keyboard.press('ArrowLeft');
  }
  await page.keyboard.press('Control+Space');
  await page.locator('.suggest-widget.visible').getByText('region').first().waitFor();
  await shot('completion');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+S');
  assert.match((await query()).query.sql, /SELECT region, region FROM fleet/);

  await page.keyboard.press('Control+A');
  await page.keyboard.type('SELECT region, wrong_column FROM fleet');
  await page.keyboard.press('Control+S');
  const word = await wordBox(editor, 'wrong_column');
  const isUnderlined = ([mark]) => mark && Math.abs(mark.x - word.x) < 4;
  // What was typed so far may have been underlined elsewhere before.
  const marks = () => page.locator('.squiggly-error').evaluateAll((all) => all.map((mark) => mark.getBoundingClientRect().toJSON()));
  const deadline = Date.now() + 10_000;
  while (!isUnderlined(await marks())) {
    assert.ok(Date.now() < deadline, `underlined at ${JSON.stringify(await marks())}, the word is at ${word.x}`);
    await page.waitForTimeout(100);
  }
  await shot('mistake');
  await assertAccessible();
});

/** Where a word of the first line is drawn. */
async function wordBox(editor, word) {
  return editor.locator('.view-line').first().evaluate((line, wanted) => {
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.textContent.replaceAll('\u00a0', ' ').indexOf(wanted);
      if (at >= 0) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + wanted.length);
        return range.getBoundingClientRect().toJSON();
      }
    }
    throw new Error(`${wanted} is not drawn`);
  }, word);
}

for (const [mode, steps, answer] of [
  ['Top N', [['Dimension', 'topic']], /table \d+ rows: topic string/],
  ['Logs', [], /log-lines \d+ rows: timestamp time/],
  ['Metrics', [['Dataset', 'cloud'], ['Metric', 'io.confluent.kafka.server/received_bytes']], /timeseries-\w+ \d+ rows/],
]) {
  test(`${mode} shows rows`, async () => {
    await open('query', 'light');
    await page.getByRole('radio', { name: mode }).check({ force: true });
    for (const [label, text] of steps) {
      await choose(label, text);
    }
    await page.getByRole('button', { name: 'Run query' }).click();
    await answerMatches(answer);
    await shot(mode.toLowerCase().replace(' ', '-'));
    await assertAccessible();
  });
}

test('leaving a statement asks first', async () => {
  await open('query');
  await page.getByRole('region', { name: 'SQL of this query' }).waitFor();
  await page.getByRole('radio', { name: 'Code' }).check({ force: true });
  await page.locator('.monaco-editor').first().waitFor();
  await page.getByRole('radio', { name: 'Builder' }).click({ force: true });
  await page.getByRole('button', { name: 'Leave it' }).waitFor();
  assert.equal((await query()).query.mode, 'sql');
  await page.getByRole('button', { name: 'Leave it' }).click();
  assert.equal((await query()).query.mode, 'builder');
});

test('the config editor keeps secrets apart, and can be read by everybody', async () => {
  await open('config');
  await page.getByLabel('URL').fill('http://127.0.0.1:8888');
  await choose('Method', 'Key');
  await page.getByLabel('Key', { exact: false }).last().fill('ID.SECRET');
  const { jsonData, secureJsonData } = await query();
  assert.deepEqual(secureJsonData, { key: 'ID.SECRET' });
  assert.equal(JSON.stringify(jsonData).includes('SECRET'), false);
  await shot('config');
  await assertAccessible();
});

test('a variable is made of a column that is chosen', async () => {
  await open('variable');
  await choose('Column', 'region');
  const { kind, table, column } = await query();
  assert.deepEqual([kind, table, column], ['values', 'fleet', 'region']);
  await shot('variable');
  await assertAccessible();
});
