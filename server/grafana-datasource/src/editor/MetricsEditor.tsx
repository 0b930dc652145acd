import { Combobox, Stack } from '@grafana/ui';
import React from 'react';

import { Aggregate, MetricsQuery } from '../types';
import { ModeProps } from './BuilderEditor';
import { Conditions } from './Conditions';
import { aggregateOptions } from './MeasureRow';
import { MultiBox } from './MultiBox';
import { NumberInput } from './NumberInput';
import { Row } from './Row';
import { option } from './useCatalogue';

const SERIES_MAX = 1000;
const GRANULARITIES = ['auto', 'PT1M', 'PT5M', 'PT15M', 'PT30M', 'PT1H', 'PT4H', 'PT6H', 'PT12H', 'P1D', 'ALL'];
const AGGREGATES: Aggregate[] = ['sum', 'avg', 'min', 'max', 'count'];

export function MetricsEditor({ query, catalogue, variables, values, onChange }: ModeProps<MetricsQuery>) {
  const set = (change: Partial<MetricsQuery>) => onChange({ ...query, ...change });
  const metrics = catalogue.datasets.find(({ name }) => name === query.dataset)?.metrics ?? [];
  const labels = metrics.find(({ name }) => name === query.metric)?.labels ?? [];
  return (
    <Stack direction="column" gap={0.5}>
      <Row label="Metric">
        <Combobox
          aria-label="Dataset"
          width={20}
          placeholder="dataset"
          options={catalogue.datasets.map(({ name }) => option(name))}
          value={query.dataset || null}
          onChange={({ value }) => set({ dataset: value, metric: '' })}
        />
        <Combobox
          aria-label="Metric"
          width={50}
          placeholder="metric"
          options={metrics.map(({ name, description }) => option(name, description))}
          value={query.metric || null}
          onChange={({ value }) => set({ metric: value })}
        />
        <Combobox
          aria-label="Aggregate"
          width={20}
          options={aggregateOptions.filter(({ value }) => AGGREGATES.includes(value))}
          value={query.aggregate}
          onChange={({ value }) => set({ aggregate: value })}
        />
      </Row>
      <Row label="Group by">
        <MultiBox
          label="Labels"
          placeholder="labels"
          options={labels.map((name) => option(name))}
          value={query.groupBy}
          onChange={(groupBy) => set({ groupBy })}
        />
      </Row>
      <Row label="Filter">
        <Conditions where={query.where} columns={labels} values={values} variables={variables} onChange={(where) => set({ where })} />
      </Row>
      <Row label="Granularity">
        <Combobox
          aria-label="Granularity"
          width={16}
          options={GRANULARITIES.map((name) => option(name))}
          value={query.granularity}
          onChange={({ value }) => set({ granularity: value })}
        />
        <NumberInput label="Limit" value={query.limit} max={SERIES_MAX} onChange={(limit) => set({ limit })} />
      </Row>
    </Stack>
  );
}
