import { QueryEditorProps } from '@grafana/data';
import { Combobox, Input, Stack } from '@grafana/ui';
import React from 'react';

import type { HengeDatasource } from '../datasource';
import { HengeOptions, HengeQuery } from '../types';
import type { HengeVariableQuery } from '../variableSupport';
import { DatasourcePicker } from './DatasourcePicker';
import { Row } from './Row';
import { SqlEditor } from './SqlEditor';
import { columnsOf, option, useCatalogue } from './useCatalogue';

const KINDS: Array<{ value: HengeVariableQuery['kind']; label: string }> = [
  { value: 'values', label: 'values of a column' },
  { value: 'columns', label: 'columns of a datasource' },
  { value: 'datasources', label: 'datasources' },
  { value: 'sql', label: 'rows of a statement' },
];

export function VariableEditor({ datasource, query, onChange }: QueryEditorProps<HengeDatasource, HengeQuery, HengeOptions, HengeVariableQuery>) {
  const { catalogue } = useCatalogue(datasource.api);
  const kind = query.kind ?? 'values';
  const table = query.table || datasource.defaultDatasource;
  const set = (change: Partial<HengeVariableQuery>) => onChange({ ...query, kind, table, ...change });
  return (
    <Stack direction="column" gap={0.5}>
      <Row label="Kind">
        <Combobox aria-label="Kind" width={30} options={KINDS} value={kind} onChange={({ value }) => set({ kind: value })} />
      </Row>
      {(kind === 'values' || kind === 'columns') && (
        <Row label="Datasource">
          <DatasourcePicker catalogue={catalogue} value={table} onChange={(name) => set({ table: name, column: undefined })} />
        </Row>
      )}
      {kind === 'values' && (
        <Row label="Column">
          <Combobox
            aria-label="Column"
            width={30}
            placeholder="column"
            options={columnsOf(catalogue, table).filter(({ kind }) => kind === 'dimension').map(({ name, type }) => option(name, type))}
            value={query.column || null}
            onChange={({ value }) => set({ column: value })}
            createCustomValue
          />
        </Row>
      )}
      {kind === 'sql' ? (
        <SqlEditor
          sql={query.sql ?? ''}
          catalogue={catalogue}
          variables={datasource.templateSrv.getVariables().map(({ name }) => name)}
          onChange={(sql) => sql !== query.sql && set({ sql })}
        />
      ) : (
        <Row label="Search" tooltip="Only what has this text; $__searchFilter is what a person types into the variable's box.">
          <Input aria-label="Search" width={30} defaultValue={query.search ?? ''} onBlur={({ currentTarget }) => set({ search: currentTarget.value || undefined })} />
        </Row>
      )}
    </Stack>
  );
}
