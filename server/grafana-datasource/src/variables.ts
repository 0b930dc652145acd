/** Variables of a dashboard travel beside a query as values; its text is left alone. */

import { AdHocVariableFilter, ScopedVars } from '@grafana/data';
import { TemplateSrv } from '@grafana/runtime';

import { Filter, Variables } from './types';

/** `$name`, `${name}` and `${name:format}`. */
const REFERENCE = /\$(?:(\w+)|\{(\w+)(?::[^}]*)?\})/g;

/** The value that Grafana stores for "All". */
const ALL = '$__all';

/** Names that a text may mean a variable by, each once. */
export function namesIn(text: string): string[] {
  return [...new Set([...text.matchAll(REFERENCE)].map((match) => match[1] ?? match[2]))];
}

/** The values of those variables that the query mentions anywhere. */
export function variablesOf(query: unknown, templateSrv: TemplateSrv, scopedVars: ScopedVars = {}): Variables {
  const variables: Variables = {};
  const known = templateSrv.getVariables();
  for (const name of namesIn(JSON.stringify(query) ?? '')) {
    const model = known.find((variable) => variable.name === name);
    if (model || name in scopedVars) {
      variables[name] = { values: valuesOf(name, templateSrv, scopedVars), isAll: !(name in scopedVars) && isAll(model) };
    }
  }
  return variables;
}

function valuesOf(name: string, templateSrv: TemplateSrv, scopedVars: ScopedVars): string[] {
  let values: string[] = [];
  // A format function is handed the value itself, so that nothing has to be taken apart again.
  templateSrv.replace(`\${${name}}`, scopedVars, (value: unknown) => {
    values = (Array.isArray(value) ? value : [value]).map(String);
    return '';
  });
  return values;
}

function isAll(model: unknown): boolean {
  const value = (model as { current?: { value?: unknown } } | undefined)?.current?.value;
  return Array.isArray(value) ? value.includes(ALL) : value === ALL;
}

/** Ad hoc filters in the server's shape; ones that are not filled in yet are left out. */
export function filtersOf(filters: AdHocVariableFilter[] = []): Filter[] {
  return filters
    .filter((filter) => filter.key !== '' && filter.operator !== '')
    .map(({ key, operator, value, values }) => ({ key, operator, values: values?.length ? values : [value] }));
}
