/** What may stand at a place of a statement: a table after FROM, else columns, functions, macros and variables. */

import { Catalogue, Datasource } from '../api';

export type Kind = 'table' | 'column' | 'function' | 'macro' | 'variable' | 'keyword';

export interface Completion {
  label: string;
  kind: Kind;
  /** Text to insert; `$0` is where the cursor goes. */
  insert: string;
  isSnippet: boolean;
  detail: string;
  documentation: string;
}

export interface Completions {
  /** How many characters before the cursor are replaced. */
  replaces: number;
  items: Completion[];
}

const KEYWORDS = [
  'SELECT', 'FROM', 'WHERE', 'GROUP BY', 'ORDER BY', 'HAVING', 'LIMIT', 'AND', 'OR', 'NOT', 'IN', 'LIKE', 'BETWEEN', 'AS', 'DESC',
  'ASC', 'CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'IS NULL', 'IS NOT NULL', 'DISTINCT', 'WITH', 'UNION ALL', 'FILTER',
];

/** The word under the cursor: a name, or a macro or variable with its `$`. */
const WORD = /\$?\{?[\w$]*$/;
const AFTER_FROM = /\b(?:from|join)\s+"?\w*$/i;
const TABLES = /\b(?:from|join)\s+"?(\w+)"?/gi;

export function completionsAt(sql: string, offset: number, catalogue: Catalogue, variables: string[]): Completions {
  const before = sql.slice(0, offset);
  if (isInsideTextOrComment(before)) {
    // Variables may stand in texts; nothing else.
    const typed = /\$\{?\w*$/.exec(before)?.[0];
    return { replaces: typed?.length ?? 0, items: typed ? variables.map(ofVariable) : [] };
  }
  const word = WORD.exec(before)?.[0] ?? '';
  if (word.startsWith('$')) {
    return { replaces: word.length, items: [...catalogue.macros.map(ofMacro), ...variables.map(ofVariable)] };
  }
  if (AFTER_FROM.test(before)) {
    return { replaces: word.length, items: catalogue.datasources.map(ofTable) };
  }
  return {
    replaces: word.length,
    items: [
      ...tablesIn(sql, catalogue).flatMap(ofColumns),
      ...catalogue.functions.map(({ name, signature, description }) =>
        item('function', name, signature.includes('(') ? `${name}($0)` : name, signature, description)),
      ...catalogue.macros.map(ofMacro),
      ...KEYWORDS.map((keyword) => item('keyword', keyword, `${keyword} `)),
    ],
  };
}

/** The datasources that the statement names; all, as long as it names none. */
function tablesIn(sql: string, { datasources }: Catalogue): Datasource[] {
  const named = new Set([...sql.matchAll(TABLES)].map((match) => match[1].toLowerCase()));
  const found = datasources.filter(({ name }) => named.has(name.toLowerCase()));
  return found.length > 0 ? found : datasources;
}

function isInsideTextOrComment(before: string): boolean {
  const rest = before.replace(/'(?:[^']|'')*'|--[^\n]*\n|\/\*[\s\S]*?\*\//g, '');
  return /'|--|\/\*/.test(rest);
}

function ofTable({ name, columns }: Datasource): Completion {
  return item('table', name, quoted(name), `${columns.length} columns`);
}

function ofColumns({ name: table, columns }: Datasource): Completion[] {
  return columns.map(({ name, type, kind }) => item('column', name, quoted(name), type, `${kind} of ${table}`));
}

function ofMacro({ name, signature, description }: { name: string; signature: string; description: string }): Completion {
  const label = name.startsWith('$__') ? name : `$__${name}`;
  // A `$` would begin a place to fill in.
  const text = label.replaceAll('$', '\\$');
  return item('macro', label, signature.includes('(') ? `${text}($0)` : text, signature, description);
}

function ofVariable(name: string): Completion {
  return item('variable', `\${${name}}`, `\\$\{${name}\\}`, 'variable of the dashboard');
}

function item(kind: Kind, label: string, insert: string, detail = '', documentation = ''): Completion {
  return { label, kind, insert, isSnippet: kind === 'function' || kind === 'macro' || kind === 'variable', detail, documentation };
}

/** A name as SQL wants it: in quotes unless it is a plain word. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
