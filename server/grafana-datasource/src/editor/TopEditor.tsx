import { Combobox, Stack } from '@grafana/ui';
import React from 'react';

import { TopQuery } from '../types';
import { ModeProps } from './BuilderEditor';
import { Conditions } from './Conditions';
import { DatasourcePicker } from './DatasourcePicker';
import { MeasureRow } from './MeasureRow';
import { NumberInput } from './NumberInput';
import { Row } from './Row';
import { columnsOf, option } from './useCatalogue';

const TOP_MAX = 10_000;

export function TopEditor({ query, catalogue, variables, values, onChange }: ModeProps<TopQuery>) {
  const columns = columnsOf(catalogue, query.datasource);
  const dimensions = columns.filter(({ kind }) => kind === 'dimension').map(({ name }) => name);
  return (
    <Stack direction="column" gap={0.5}>
      <Row label="Datasource">
        <DatasourcePicker catalogue={catalogue} value={query.datasource} onChange={(datasource) => onChange({ ...query, datasource })} />
      </Row>
      <Row label="Largest">
        <NumberInput label="How many" value={query.limit} max={TOP_MAX} onChange={(limit) => onChange({ ...query, limit })} />
        <Combobox
          aria-label="Dimension"
          width={26}
          placeholder="column"
          options={dimensions.map((name) => option(name))}
          value={query.dimension || null}
          onChange={({ value }) => onChange({ ...query, dimension: value })}
          createCustomValue
        />
      </Row>
      <Row label="By">
        <MeasureRow label="Measure" measure={query.measure} columns={columns} onChange={(measure) => onChange({ ...query, measure })} />
      </Row>
      <Row label="Filter">
        <Conditions where={query.where} columns={dimensions} values={values} variables={variables} onChange={(where) => onChange({ ...query, where })} />
      </Row>
    </Stack>
  );
}
