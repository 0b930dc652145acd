import { Button, Combobox, ComboboxOption, IconButton, Stack } from '@grafana/ui';
import React from 'react';

import { Condition } from '../types';
import { MultiBox } from './MultiBox';
import { option } from './useCatalogue';

const OPERATORS = ['=', '!=', '=~', '!~', '<', '>', '<=', '>='];

interface Props {
  where: Condition[];
  columns: string[];
  /** Values of a column that have a text in them. */
  values: (column: string, search: string) => Promise<string[]>;
  variables: string[];
  onChange: (where: Condition[]) => void;
}

export function Conditions({ where, columns, values, variables, onChange }: Props) {
  const set = (index: number, condition: Condition) => onChange(where.map((one, at) => (at === index ? condition : one)));
  const complete = async (column: string, typed: string): Promise<Array<ComboboxOption<string>>> => {
    const found = column ? await values(column, typed) : [];
    const named = variables.map((name) => `$${name}`).filter((name) => name.includes(typed));
    return [...named.map((name) => option(name, 'variable')), ...found.map((value) => option(value))];
  };
  return (
    <Stack direction="row" gap={1} wrap="wrap">
      {where.map((condition, index) => (
        <Stack key={index} direction="row" gap={0.5} alignItems="center">
          <Combobox
            aria-label={`Filter ${index + 1}: column`}
            width={22}
            placeholder="column"
            options={columns.map((name) => option(name))}
            value={condition.column || null}
            onChange={({ value }) => set(index, { ...condition, column: value, values: [] })}
            createCustomValue
          />
          <Combobox
            aria-label={`Filter ${index + 1}: operator`}
            width={10}
            options={OPERATORS.map((operator) => option(operator))}
            value={condition.operator}
            onChange={({ value }) => set(index, { ...condition, operator: value })}
          />
          <MultiBox
            label={`Filter ${index + 1}: values`}
            placeholder="values"
            options={(typed) => complete(condition.column, typed)}
            value={condition.values}
            onChange={(chosen) => set(index, { ...condition, values: chosen })}
            createCustomValue
          />
          <IconButton name="times" tooltip={`Remove filter ${index + 1}`} onClick={() => onChange(where.filter((_, at) => at !== index))} />
        </Stack>
      ))}
      <Button variant="secondary" icon="plus" aria-label="Add filter" onClick={() => onChange([...where, { column: '', operator: '=', values: [] }])} />
    </Stack>
  );
}
