import { Input, Stack } from '@grafana/ui';
import React from 'react';

import { LogsQuery } from '../types';
import { ModeProps } from './BuilderEditor';
import { Conditions } from './Conditions';
import { DatasourcePicker } from './DatasourcePicker';
import { MultiBox } from './MultiBox';
import { NumberInput } from './NumberInput';
import { Row } from './Row';
import { columnsOf, option } from './useCatalogue';

const LOG_ROWS_MAX = 10_000;

export function LogsEditor({ query, catalogue, variables, values, onChange }: ModeProps<LogsQuery>) {
  const columns = columnsOf(catalogue, query.datasource).filter(({ kind }) => kind !== 'time');
  return (
    <Stack direction="column" gap={0.5}>
      <Row label="Datasource">
        <DatasourcePicker catalogue={catalogue} value={query.datasource} onChange={(datasource) => onChange({ ...query, datasource })} />
      </Row>
      <Row label="Columns" tooltip="None means all.">
        <MultiBox
          label="Columns"
          placeholder="all columns"
          options={columns.map(({ name, type }) => option(name, type))}
          value={query.columns}
          onChange={(names) => onChange({ ...query, columns: names })}
        />
      </Row>
      <Row label="Search">
        <Input
          aria-label="Search"
          width={40}
          placeholder="text in any column of strings"
          defaultValue={query.search ?? ''}
          onBlur={({ currentTarget }) => currentTarget.value !== (query.search ?? '') && onChange({ ...query, search: currentTarget.value })}
        />
        <NumberInput label="Limit" value={query.limit} max={LOG_ROWS_MAX} onChange={(limit) => onChange({ ...query, limit })} />
      </Row>
      <Row label="Filter">
        <Conditions
          where={query.where}
          columns={columns.map(({ name }) => name)}
          values={values}
          variables={variables}
          onChange={(where) => onChange({ ...query, where })}
        />
      </Row>
    </Stack>
  );
}
