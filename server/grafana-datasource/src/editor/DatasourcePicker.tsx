import { Combobox } from '@grafana/ui';
import React from 'react';

import { Catalogue } from '../api';
import { option } from './useCatalogue';

interface Props {
  catalogue: Catalogue;
  value: string;
  onChange: (datasource: string) => void;
}

export function DatasourcePicker({ catalogue, value, onChange }: Props) {
  return (
    <Combobox
      aria-label="Datasource"
      width={30}
      placeholder="datasource"
      options={catalogue.datasources.map(({ name, columns }) => option(name, `${columns.length} columns`))}
      value={value || null}
      onChange={({ value }) => onChange(value)}
      createCustomValue
    />
  );
}
