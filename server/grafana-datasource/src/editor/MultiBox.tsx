import { css } from '@emotion/css';
import { ComboboxOption, MultiCombobox } from '@grafana/ui';
import React, { useId } from 'react';

interface Props {
  /** What screen readers say; `MultiCombobox` takes it only from another element. */
  label: string;
  placeholder: string;
  options: Array<ComboboxOption<string>> | ((typed: string) => Promise<Array<ComboboxOption<string>>>);
  value: string[];
  createCustomValue?: boolean;
  onChange: (values: string[]) => void;
}

/** A box for several values. */
export function MultiBox({ label, value, onChange, ...rest }: Props) {
  const id = useId();
  return (
    <>
      <span id={id} className={unseen}>
        {label}
      </span>
      <MultiCombobox
        aria-labelledby={id}
        width="auto"
        minWidth={26}
        maxWidth={100}
        value={value.map((one) => ({ value: one, label: one }))}
        onChange={(options) => onChange(options.map((one) => one.value))}
        {...rest}
      />
    </>
  );
}

const unseen = css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)', whiteSpace: 'nowrap' });
