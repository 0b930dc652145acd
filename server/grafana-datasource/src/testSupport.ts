/** What tests put in the place of Grafana's services. */

import { ScopedVars } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';

type Formatter = (value: unknown) => string;

/** Stands for Grafana's service: a format function is handed the value as it is. */
export function templateSrv(values: Record<string, string | string[]>, all: string[] = []): TemplateSrv {
  return {
    getVariables: () => Object.keys(values).map((name) => ({ name, current: { value: all.includes(name) ? ['$__all'] : values[name] } })),
    replace: (text: string, scopedVars: ScopedVars, format: Formatter) => {
      const [, name] = /^\$\{(\w+)\}$/.exec(text) ?? [];
      return format(scopedVars?.[name]?.value ?? values[name]);
    },
  } as unknown as TemplateSrv;
}
