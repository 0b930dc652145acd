import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Alert, useStyles2 } from '@grafana/ui';
import React from 'react';

import { formatSql } from '../sql/format';
import { Check } from './useCheck';

/** The statement that a query stands for, or what is wrong with it. */
export function Preview({ check: { checked, problem } }: { check: Check }) {
  const styles = useStyles2(stylesOf);
  if (problem) {
    return <Alert severity="error" title={problem.message} />;
  }
  return checked ? (
    // Long statements scroll, and what scrolls has to be reachable by keyboard.
    <pre className={styles.sql} aria-label="SQL of this query" role="region" tabIndex={0}>
      {laidOut(checked.template ?? checked.sql)}
    </pre>
  ) : null;
}

function laidOut(sql: string): string {
  try {
    return formatSql(sql);
  } catch {
    return sql;
  }
}

const stylesOf = (theme: GrafanaTheme2) => ({
  sql: css({
    fontSize: theme.typography.bodySmall.fontSize,
    margin: theme.spacing(0.5, 0, 0, 0),
    maxHeight: 240,
    overflow: 'auto',
  }),
});
