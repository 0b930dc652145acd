import { Button, Combobox, IconButton, Stack } from '@grafana/ui';
import React from 'react';

import { Catalogue } from '../api';
import { BuilderQuery, Fill, OrderBy } from '../types';
import { Conditions } from './Conditions';
import { DatasourcePicker } from './DatasourcePicker';
import { GroupByRows } from './GroupByRows';
import { MeasureRow } from './MeasureRow';
import { NumberInput } from './NumberInput';
import { Row } from './Row';
import { columnsOf, option } from './useCatalogue';

/** The server answers no more rows. */
export const ROWS_MAX = 1_000_000;

const NO_BUCKET = 'none';
const BUCKETS = [
  { value: 'auto', label: 'automatic', description: 'the interval of the panel' },
  ...['PT1S', 'PT10S', 'PT1M', 'PT5M', 'PT15M', 'PT1H', 'PT6H', 'P1D', 'P1W', 'P1M'].map((period) => option(period)),
  { value: NO_BUCKET, label: 'none', description: 'one row for the whole range' },
];

const FILLS: Array<{ value: Fill; label: string }> = [
  { value: 'none', label: 'leave out' },
  { value: 'null', label: 'null' },
  { value: 'zero', label: 'zero' },
  { value: 'previous', label: 'previous value' },
  { value: 'linear', label: 'straight line' },
];

export interface ModeProps<Q> {
  query: Q;
  catalogue: Catalogue;
  variables: string[];
  values: (column: string, search: string) => Promise<string[]>;
  onChange: (query: Q) => void;
}

export function BuilderEditor({ query, catalogue, variables, values, onChange }: ModeProps<BuilderQuery>) {
  const columns = columnsOf(catalogue, query.datasource);
  const set = (change: Partial<BuilderQuery>) => onChange({ ...query, ...change });
  return (
    <Stack direction="column" gap={0.5}>
      <Row label="Datasource">
        <DatasourcePicker catalogue={catalogue} value={query.datasource} onChange={(datasource) => set({ datasource })} />
      </Row>
      <Row label="Measures">
        {query.measures.map((measure, index) => (
          <Stack key={index} direction="row" gap={0.5} alignItems="center">
            <MeasureRow
              label={`Measure ${index + 1}`}
              measure={measure}
              columns={columns}
              onChange={(changed) => set({ measures: query.measures.map((one, at) => (at === index ? changed : one)) })}
            />
            {query.measures.length > 1 && (
              <IconButton
                name="times"
                tooltip={`Remove measure ${index + 1}`}
                onClick={() => set({ measures: query.measures.filter((_, at) => at !== index) })}
              />
            )}
          </Stack>
        ))}
        <Button variant="secondary" icon="plus" aria-label="Add measure" onClick={() => set({ measures: [...query.measures, { aggregate: 'sum' }] })} />
      </Row>
      <Row label="Group by" tooltip="With top, only the groups with the largest first measure over the whole range; the rest can be one more group.">
        <GroupByRows groupBy={query.groupBy} columns={columns} onChange={(groupBy) => set({ groupBy })} />
      </Row>
      <Row label="Filter">
        <Conditions
          where={query.where}
          columns={columns.filter(({ kind }) => kind !== 'time').map(({ name }) => name)}
          values={values}
          variables={variables}
          onChange={(where) => set({ where })}
        />
      </Row>
      <Row label="Time bucket">
        <Combobox
          aria-label="Time bucket"
          width={20}
          options={BUCKETS}
          value={query.timeBucket ?? NO_BUCKET}
          onChange={({ value }) => set({ timeBucket: value === NO_BUCKET ? null : value })}
          createCustomValue
        />
        <Combobox aria-label="Empty buckets" width={22} options={FILLS} value={query.fill} onChange={({ value }) => set({ fill: value })} />
      </Row>
      <Row label="Order and limit">
        <Order query={query} onChange={(orderBy) => set({ orderBy })} />
        <NumberInput label="Limit" value={query.limit} max={ROWS_MAX} onChange={(limit) => set({ limit })} />
      </Row>
    </Stack>
  );
}

const AS_IT_IS = '';

function Order({ query, onChange }: { query: BuilderQuery; onChange: (orderBy: OrderBy[]) => void }) {
  const names = [
    ...query.measures.flatMap(({ alias, column }) => alias ?? column ?? []),
    ...query.groupBy.map(({ column }) => column).filter((column) => column !== ''),
  ];
  const [first] = query.orderBy;
  return (
    <>
      <Combobox
        aria-label="Order by"
        width={22}
        options={[{ value: AS_IT_IS, label: 'as it comes' }, ...[...new Set(names)].map((name) => option(name))]}
        value={first?.name ?? AS_IT_IS}
        onChange={({ value }) => onChange(value === AS_IT_IS ? [] : [{ name: value, descending: first?.descending ?? true }])}
      />
      {first && (
        <Button
          variant="secondary"
          icon={first.descending ? 'arrow-down' : 'arrow-up'}
          aria-label={first.descending ? 'Largest first' : 'Smallest first'}
          onClick={() => onChange([{ ...first, descending: !first.descending }])}
        />
      )}
    </>
  );
}
