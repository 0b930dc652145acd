import { CoreApp, QueryEditorProps } from '@grafana/data';
import { Alert, Button, ConfirmModal, InlineSwitch, Input, RadioButtonGroup, Stack } from '@grafana/ui';
import React, { useState } from 'react';

import { Range } from '../api';
import { HengeDatasource } from '../datasource';
import { inMode, startOf } from '../defaults';
import { rangeOf } from '../range';
import { formatSql } from '../sql/format';
import { Format, HengeOptions, HengeQuery, Mode, PanelQuery } from '../types';
import { variablesOf } from '../variables';
import { BuilderEditor } from './BuilderEditor';
import { LogsEditor } from './LogsEditor';
import { MetricsEditor } from './MetricsEditor';
import { Preview } from './Preview';
import { SqlEditor } from './SqlEditor';
import { TopEditor } from './TopEditor';
import { useCatalogue } from './useCatalogue';
import { Check, useCheck } from './useCheck';

type Props = QueryEditorProps<HengeDatasource, HengeQuery, HengeOptions>;

const MODES: Array<{ value: Mode; label: string }> = [
  { value: 'builder', label: 'Builder' },
  { value: 'top', label: 'Top N' },
  { value: 'logs', label: 'Logs' },
  { value: 'metrics', label: 'Metrics' },
  { value: 'sql', label: 'Code' },
];

const FORMATS: Array<{ value: Format; label: string }> = [
  { value: 'timeSeries', label: 'Time series' },
  { value: 'table', label: 'Table' },
  { value: 'logs', label: 'Logs' },
];

const HOUR_MS = 3_600_000;

export function QueryEditor({ datasource, query: stored, range, app, onChange, onRunQuery }: Props) {
  const query: HengeQuery = { ...stored, query: stored.query ?? startOf('builder', datasource.defaultDatasource) };
  const panel = query.query;
  const span = rangeOf(range) ?? { from: Date.now() - HOUR_MS, to: Date.now() };
  const { catalogue, problem } = useCatalogue(datasource.api);
  const check = useCheck(datasource.api, { ...query, variables: { ...query.variables, ...variablesOf(panel, datasource.templateSrv) } }, span);
  const [leaving, setLeaving] = useState<Mode>();

  const set = (change: Partial<HengeQuery>) => onChange({ ...query, ...change });
  const setPanel = (next: PanelQuery) => {
    set({ query: next });
    if (next.mode !== 'sql') {
      onRunQuery();
    }
  };
  const switchTo = (mode: Mode) => set({ query: mode === 'sql' ? asSql(panel, check) : inMode(panel, mode, datasource.defaultDatasource) });

  return (
    <Stack direction="column" gap={1}>
      {problem && <Alert severity="warning" title={`What there is could not be asked: ${problem}`} />}
      <Stack direction="row" gap={1} wrap="wrap" alignItems="center">
        <RadioButtonGroup
          aria-label="Mode"
          size="sm"
          options={MODES}
          value={panel.mode}
          onChange={(mode) => (panel.mode === 'sql' && panel.sql.trim() !== '' ? setLeaving(mode) : switchTo(mode))}
        />
        {'format' in panel && (
          <RadioButtonGroup
            aria-label="Format"
            size="sm"
            options={panel.mode === 'sql' ? FORMATS : FORMATS.filter(({ value }) => value !== 'logs')}
            value={panel.format}
            onChange={(format) => setPanel({ ...panel, format } as PanelQuery)}
          />
        )}
        <Button size="sm" icon="play" onClick={onRunQuery}>
          Run query
        </Button>
      </Stack>
      <ModeEditor {...{ query, panel, datasource, catalogue, check, span, setPanel, onRunQuery }} />
      <Options query={query} app={app} onChange={(change) => {
        set(change);
        onRunQuery();
      }} />
      <Preview check={check} />
      <ConfirmModal
        isOpen={leaving !== undefined}
        title="Leave the statement?"
        body="The statement cannot be turned back into a builder query. It is lost."
        confirmText="Leave it"
        onConfirm={() => {
          switchTo(leaving ?? 'builder');
          setLeaving(undefined);
        }}
        onDismiss={() => setLeaving(undefined)}
      />
    </Stack>
  );
}

/** The statement of a query, with macros where the server says it so. */
function asSql(panel: PanelQuery, { checked }: Check): PanelQuery {
  const format: Format = 'format' in panel ? panel.format : panel.mode === 'logs' ? 'logs' : panel.mode === 'metrics' ? 'timeSeries' : 'table';
  const sql = checked?.template ?? checked?.sql ?? '';
  try {
    return { mode: 'sql', format, sql: formatSql(sql) };
  } catch {
    return { mode: 'sql', format, sql };
  }
}

interface ModeEditorProps {
  query: HengeQuery;
  panel: PanelQuery;
  datasource: HengeDatasource;
  catalogue: React.ComponentProps<typeof BuilderEditor>['catalogue'];
  check: Check;
  span: Range;
  setPanel: (panel: PanelQuery) => void;
  onRunQuery: () => void;
}

function ModeEditor({ panel, datasource, catalogue, check, span, setPanel, onRunQuery }: ModeEditorProps) {
  const variables = datasource.templateSrv.getVariables().map(({ name }) => name);
  const named = 'datasource' in panel ? panel.datasource : '';
  const values = (column: string, search: string) =>
    panel.mode === 'metrics'
      ? datasource.api.values({ dataset: panel.dataset, metric: panel.metric, label: column, search, range: span })
      : datasource.api.values({ datasource: named, column, search, range: span });
  const common = { catalogue, variables, values, onChange: setPanel };
  switch (panel.mode) {
    case 'builder':
      return <BuilderEditor query={panel} {...common} />;
    case 'top':
      return <TopEditor query={panel} {...common} />;
    case 'logs':
      return <LogsEditor query={panel} {...common} />;
    case 'metrics':
      return <MetricsEditor query={panel} {...common} />;
    case 'sql':
      return (
        <SqlEditor
          sql={panel.sql}
          catalogue={catalogue}
          variables={variables}
          problem={check.problem}
          onChange={(sql) => sql !== panel.sql && setPanel({ ...panel, sql })}
          onRun={onRunQuery}
        />
      );
  }
}

function Options({ query, app, onChange }: { query: HengeQuery; app?: CoreApp; onChange: (change: Partial<HengeQuery>) => void }) {
  const isSeries = query.query.mode === 'metrics' || ('format' in query.query && query.query.format === 'timeSeries');
  return (
    <Stack direction="row" gap={1} wrap="wrap" alignItems="center">
      {isSeries && (
        <Input
          aria-label="Legend"
          width={30}
          placeholder="legend: {{label}}"
          defaultValue={query.legend ?? ''}
          onBlur={({ currentTarget }) => currentTarget.value !== (query.legend ?? '') && onChange({ legend: currentTarget.value || undefined })}
        />
      )}
      <InlineSwitch
        id={`partial-${query.refId}`}
        aria-label="Include partial bucket"
        label="Include partial bucket"
        showLabel
        value={query.includePartialBucket ?? false}
        onChange={({ currentTarget }) => onChange({ includePartialBucket: currentTarget.checked })}
      />
      {!isSeries && app !== CoreApp.UnifiedAlerting && (
        <InlineSwitch
          id={`live-${query.refId}`}
          aria-label="Live"
          label="Live"
          showLabel
          value={query.live ?? false}
          onChange={({ currentTarget }) => onChange({ live: currentTarget.checked })}
        />
      )}
    </Stack>
  );
}
