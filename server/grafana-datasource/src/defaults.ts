/** What a new query of each mode is, and what of one mode is kept when another is chosen. */

import { BuilderQuery, Condition, HengeQuery, Measure, Mode, PanelQuery } from './types';

export const LIMITS = { builder: 10_000, top: 10, logs: 500, metrics: 100 };

export function defaultQuery(datasource: string): Partial<HengeQuery> {
  return { query: startOf('builder', datasource) };
}

/** An empty query of a mode. */
export function startOf(mode: Mode, datasource: string, where: Condition[] = []): PanelQuery {
  switch (mode) {
    case 'builder':
      return {
        mode, format: 'timeSeries', datasource, measures: [{ aggregate: 'count' }], groupBy: [], timeBucket: 'auto',
        fill: 'none', where, orderBy: [], limit: LIMITS.builder,
      } satisfies BuilderQuery;
    case 'top':
      return { mode, datasource, dimension: '', measure: { aggregate: 'count' }, where, limit: LIMITS.top };
    case 'logs':
      return { mode, datasource, columns: [], where, search: '', limit: LIMITS.logs };
    case 'metrics':
      return { mode, dataset: '', metric: '', aggregate: 'sum', groupBy: [], where: [], granularity: 'auto', limit: LIMITS.metrics };
    case 'sql':
      return { mode, format: 'timeSeries', sql: '' };
  }
}

/** The query in another mode: datasource and filters stay where both have them. */
export function inMode(query: PanelQuery, mode: Mode, defaultDatasource: string): PanelQuery {
  const datasource = 'datasource' in query ? query.datasource : defaultDatasource;
  const where = 'where' in query && query.mode !== 'metrics' ? query.where : [];
  return startOf(mode, datasource, where);
}

/** Whether there is enough of a query to ask the server: nothing that was added is still empty. */
export function isComplete(query: PanelQuery | undefined): boolean {
  switch (query?.mode) {
    case 'builder':
      return (
        query.datasource !== '' && query.measures.length > 0 && query.measures.every(isFilledIn) &&
        query.groupBy.every(({ column }) => column !== '') && areFilledIn(query.where)
      );
    case 'top':
      return query.datasource !== '' && query.dimension !== '' && isFilledIn(query.measure) && areFilledIn(query.where);
    case 'logs':
      return query.datasource !== '' && areFilledIn(query.where);
    case 'metrics':
      return query.dataset !== '' && query.metric !== '' && areFilledIn(query.where);
    case 'sql':
      return query.sql.trim() !== '';
    default:
      return false;
  }
}

function isFilledIn({ aggregate, column }: Measure): boolean {
  return aggregate === 'count' || !!column;
}

function areFilledIn(where: Condition[]): boolean {
  return where.every(({ column, values }) => column !== '' && values.length > 0);
}
