import { InlineLabel, Stack } from '@grafana/ui';
import React, { ReactNode } from 'react';

/** A line of an editor: what it is about, and its controls. */
export function Row({ label, tooltip, children }: { label: string; tooltip?: string; children: ReactNode }) {
  return (
    <Stack direction="row" gap={0.5} alignItems="flex-start">
      <InlineLabel as="span" width={16} tooltip={tooltip}>
        {label}
      </InlineLabel>
      <Stack direction="row" gap={1} wrap="wrap" alignItems="center">
        {children}
      </Stack>
    </Stack>
  );
}
