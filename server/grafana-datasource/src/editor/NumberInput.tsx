import { Input } from '@grafana/ui';
import React from 'react';

interface Props {
  label: string;
  value: number;
  max: number;
  onChange: (value: number) => void;
}

/** A whole number of at least one; what is none is put back. */
export function NumberInput({ label, value, max, onChange }: Props) {
  return (
    <Input
      key={value}
      aria-label={label}
      type="number"
      width={12}
      min={1}
      max={max}
      defaultValue={value}
      onBlur={({ currentTarget }) => {
        const number = Math.trunc(Number(currentTarget.value));
        if (number >= 1 && number <= max) {
          onChange(number);
        } else {
          currentTarget.value = String(value);
        }
      }}
    />
  );
}
