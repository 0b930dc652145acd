import { Combobox, Input, Stack } from '@grafana/ui';
import React from 'react';

import { Column } from '../api';
import { Aggregate, Measure } from '../types';
import { option } from './useCatalogue';

const AGGREGATES: Array<{ value: Aggregate; label: string }> = [
  { value: 'count', label: 'count of rows' },
  { value: 'sum', label: 'sum' },
  { value: 'avg', label: 'average' },
  { value: 'min', label: 'minimum' },
  { value: 'max', label: 'maximum' },
  { value: 'rate', label: 'rate per second' },
  { value: 'increase', label: 'increase' },
  { value: 'countDistinct', label: 'count distinct' },
  { value: 'approxCountDistinct', label: 'count distinct (approximate)' },
  { value: 'p50', label: '50th percentile' },
  { value: 'p90', label: '90th percentile' },
  { value: 'p95', label: '95th percentile' },
  { value: 'p99', label: '99th percentile' },
  { value: 'first', label: 'first' },
  { value: 'last', label: 'last' },
];

export const aggregateOptions = AGGREGATES;

interface Props {
  /** Begins the names that screen readers say. */
  label: string;
  measure: Measure;
  columns: Column[];
  onChange: (measure: Measure) => void;
}

export function MeasureRow({ label, measure, columns, onChange }: Props) {
  // Distinct values are counted of dimensions too.
  const isDistinct = measure.aggregate === 'countDistinct' || measure.aggregate === 'approxCountDistinct';
  const fitting = columns.filter(({ kind }) => kind === 'measure' || (isDistinct && kind === 'dimension'));
  return (
    <Stack direction="row" gap={0.5}>
      <Combobox
        aria-label={`${label}: how`}
        width={26}
        options={AGGREGATES}
        value={measure.aggregate}
        onChange={({ value }) => onChange({ ...measure, aggregate: value, column: value === 'count' ? undefined : measure.column })}
      />
      {measure.aggregate !== 'count' && (
        <Combobox
          aria-label={`${label}: column`}
          width={26}
          placeholder="column"
          options={fitting.map(({ name, type }) => option(name, type))}
          value={measure.column || null}
          onChange={({ value }) => onChange({ ...measure, column: value })}
          createCustomValue
        />
      )}
      <Input
        aria-label={`${label}: name`}
        width={16}
        placeholder="name"
        defaultValue={measure.alias ?? ''}
        onBlur={({ currentTarget }) => currentTarget.value !== (measure.alias ?? '') && onChange({ ...measure, alias: currentTarget.value || undefined })}
      />
    </Stack>
  );
}
