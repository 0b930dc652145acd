/** A link from each value to the statement that it came from. */

import { DataFrame, DataLink, DataQueryResponse, DataSourceRef } from '@grafana/data';

import { HengeQuery } from './types';

export function linkToSql(response: DataQueryResponse, datasource: DataSourceRef, name: string): DataQueryResponse {
  const statements = new Map<string | undefined, string>();
  for (const { refId, meta } of response.data as DataFrame[]) {
    if (meta?.executedQueryString) {
      statements.set(refId, meta.executedQueryString);
    }
  }
  for (const frame of response.data as DataFrame[]) {
    const sql = statements.get(frame.refId);
    if (sql) {
      const link = explore(sql, frame.refId ?? 'A', datasource, name);
      frame.fields.forEach((field) => (field.config = { ...field.config, links: [...(field.config.links ?? []), link] }));
    }
  }
  return response;
}

function explore(sql: string, refId: string, datasource: DataSourceRef, name: string): DataLink {
  const query: HengeQuery = { refId, datasource, query: { mode: 'sql', format: 'table', sql } };
  return { title: 'SQL behind this value', url: '', internal: { datasourceUid: datasource.uid ?? '', datasourceName: name, query } };
}
