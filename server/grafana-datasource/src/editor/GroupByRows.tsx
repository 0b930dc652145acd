import { Button, Combobox, IconButton, InlineSwitch, Stack } from '@grafana/ui';
import React from 'react';

import { Column } from '../api';
import { GroupBy } from '../types';
import { NumberInput } from './NumberInput';
import { option } from './useCatalogue';

const TOP_DEFAULT = 5;
const TOP_MAX = 1000;

interface Props {
  groupBy: GroupBy[];
  columns: Column[];
  onChange: (groupBy: GroupBy[]) => void;
}

export function GroupByRows({ groupBy, columns, onChange }: Props) {
  const set = (index: number, group: GroupBy) => onChange(groupBy.map((one, at) => (at === index ? group : one)));
  const dimensions = columns.filter(({ kind }) => kind === 'dimension');
  return (
    <Stack direction="row" gap={1} wrap="wrap">
      {groupBy.map((group, index) => (
        <Stack key={index} direction="row" gap={0.5} alignItems="center">
          <Combobox
            aria-label={`Group ${index + 1}: column`}
            width={22}
            placeholder="column"
            options={dimensions.map(({ name, type }) => option(name, type))}
            value={group.column || null}
            onChange={({ value }) => set(index, { ...group, column: value })}
            createCustomValue
          />
          <InlineSwitch
            id={`top-${index}`}
            aria-label={`Group ${index + 1}: only the top`}
            label="only top"
            showLabel
            value={group.top !== undefined}
            onChange={({ currentTarget }) => set(index, { column: group.column, ...(currentTarget.checked ? { top: TOP_DEFAULT, other: true } : {}) })}
          />
          {group.top !== undefined && (
            <>
              <NumberInput label={`Group ${index + 1}: how many`} value={group.top} max={TOP_MAX} onChange={(top) => set(index, { ...group, top })} />
              <InlineSwitch
                id={`other-${index}`}
                aria-label={`Group ${index + 1}: the rest as other`}
                label="and other"
                showLabel
                value={group.other ?? false}
                onChange={({ currentTarget }) => set(index, { ...group, other: currentTarget.checked })}
              />
            </>
          )}
          <IconButton name="times" tooltip={`Remove group ${index + 1}`} onClick={() => onChange(groupBy.filter((_, at) => at !== index))} />
        </Stack>
      ))}
      <Button variant="secondary" icon="plus" aria-label="Add group" onClick={() => onChange([...groupBy, { column: '' }])} />
    </Stack>
  );
}
