/** Lays a statement out, macros and variables left as they are. */

import { formatDialect, postgresql } from 'sql-formatter';

const MACRO_OR_VARIABLE = String.raw`\$\{[^}]*\}|\$\w+`;

export function formatSql(sql: string): string {
  return formatDialect(sql, {
    dialect: postgresql,
    keywordCase: 'upper',
    paramTypes: { custom: [{ regex: MACRO_OR_VARIABLE }] },
  }).replace(/(\$\w+) \(/g, '$1(');
}
