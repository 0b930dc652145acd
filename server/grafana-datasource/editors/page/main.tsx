/**
 * The editors of the built plugin on a page of their own: `module.js` is loaded as Grafana loads it, with the real
 * packages of Grafana, and what it asks goes to plugin-host. `?editor=query|config|variable`.
 */

import * as css from '@emotion/css';
import * as data from '@grafana/data';
import * as runtime from '@grafana/runtime';
import * as ui from '@grafana/ui';
import React, { useMemo, useState } from 'react';
import * as reactDom from 'react-dom';
import { createRoot } from 'react-dom/client';
import * as rxjs from 'rxjs';

import { fakeTemplateSrv, forwardingBackendSrv } from './services';

const modules: Record<string, unknown> = {
  '@emotion/css': css, '@grafana/data': data, '@grafana/runtime': runtime, '@grafana/ui': ui, react: React, 'react-dom': reactDom, rxjs,
};

type Plugin = data.DataSourcePlugin<any, any, any, any>;

function loadPlugin(): Promise<Plugin> {
  return new Promise((resolve, reject) => {
    (window as any).define = (names: string[], factory: (...loaded: unknown[]) => { plugin: Plugin }) =>
      resolve(factory(...names.map((name) => modules[name])).plugin);
    const script = document.createElement('script');
    script.src = '/plugin/module.js';
    script.onerror = reject;
    document.head.append(script);
  });
}

const settings = {
  id: 1, uid: 'henge', name: 'Henge', type: 'henge-datasource', access: 'proxy', readOnly: false,
  meta: { id: 'henge-datasource', name: 'Henge', type: 'datasource', info: {}, module: '', baseUrl: '' },
  jsonData: { defaultDatasource: 'fleet' },
} as any;

const HOUR_MS = 3_600_000;

function QueryPage({ plugin }: { plugin: Plugin }) {
  const datasource = useMemo(() => new plugin.DataSourceClass(settings), [plugin]);
  const [query, setQuery] = useState<any>({ refId: 'A', ...datasource.getDefaultQuery?.() });
  const [answer, setAnswer] = useState('');
  const range = useMemo(() => {
    const to = data.dateTime();
    return { from: data.dateTime(to.valueOf() - HOUR_MS), to, raw: { from: 'now-1h', to: 'now' } };
  }, []);
  const Editor = plugin.components.QueryEditor!;
  const latest = React.useRef(query);
  latest.current = query;
  const run = () =>
    // After the state of the editor that asks for it.
    setTimeout(() => {
      const targets = [latest.current].filter((one) => datasource.filterQuery(one));
      datasource.query({ targets, range, timezone: 'utc', intervalMs: 10_000, maxDataPoints: 400, scopedVars: {} }).subscribe((response: any) => setAnswer(told(response)));
    });
  return (
    <>
      <Editor datasource={datasource} query={query} range={range} onChange={setQuery} onRunQuery={run} />
      <pre data-testid="answer">{answer}</pre>
      <pre data-testid="query">{JSON.stringify(query)}</pre>
    </>
  );
}

function told({ data: frames, errors }: data.DataQueryResponse): string {
  const lines = (frames as data.DataFrame[]).map(({ meta, length, fields }) =>
    `${meta?.type} ${length} rows: ${fields.map((field) => `${data.getFieldDisplayName(field)} ${field.type}`).join(', ')}`);
  return [...(errors ?? []).map(({ message }) => `error: ${message}`), ...lines].join('\n');
}

function ConfigPage({ plugin }: { plugin: Plugin }) {
  const [options, setOptions] = useState<any>({ ...settings, url: '', secureJsonFields: {}, secureJsonData: {} });
  const Editor = plugin.components.ConfigEditor!;
  return (
    <>
      <Editor options={options} onOptionsChange={setOptions} />
      <pre data-testid="query">{JSON.stringify(options)}</pre>
    </>
  );
}

function VariablePage({ plugin }: { plugin: Plugin }) {
  const datasource = useMemo(() => new plugin.DataSourceClass(settings), [plugin]);
  const [query, setQuery] = useState<any>({ refId: 'v', ...datasource.variables.getDefaultQuery() });
  const Editor = datasource.variables.editor;
  return (
    <>
      <Editor datasource={datasource} query={query} onChange={setQuery} onRunQuery={() => {}} />
      <pre data-testid="query">{JSON.stringify(query)}</pre>
    </>
  );
}

const pages: Record<string, React.ComponentType<{ plugin: Plugin }>> = { query: QueryPage, config: ConfigPage, variable: VariablePage };

async function start() {
  runtime.setBackendSrv(forwardingBackendSrv());
  runtime.setTemplateSrv(fakeTemplateSrv({ region: ['eu-west-1'] }));
  const plugin = await loadPlugin();
  const parameters = new URLSearchParams(location.search);
  const Page = pages[parameters.get('editor') ?? 'query'];
  const theme = data.createTheme({ colors: { mode: parameters.get('theme') === 'light' ? 'light' : 'dark' } });
  createRoot(document.getElementById('root')!).render(
    <data.ThemeContext.Provider value={theme}>
      <ui.GlobalStyles />
      <ui.PortalContainer />
      <main>
        <h1>Henge</h1>
        <Page plugin={plugin} />
      </main>
    </data.ThemeContext.Provider>
  );
}

start();
