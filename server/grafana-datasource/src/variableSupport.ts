/** Variables whose values come from the server: tables, columns, values of a column, or a statement. */

import { CustomVariableSupport, DataQueryRequest, DataQueryResponse, FieldType, toDataFrame } from '@grafana/data';
import { DataQuery } from '@grafana/schema';
import { from, map, Observable } from 'rxjs';

import { VariableRequest } from './api';
import type { HengeDatasource } from './datasource';
import { VariableEditor } from './editor/VariableEditor';
import { rangeOf } from './range';
import { variablesOf } from './variables';

/** `datasource` is Grafana's reference in a query, so the table has another name here. */
export interface HengeVariableQuery extends DataQuery {
  kind: VariableRequest['kind'];
  table?: string;
  column?: string;
  /** `$__searchFilter` is what a person typed into the variable's box. */
  search?: string;
  sql?: string;
}

const SEARCH_FILTER = '$__searchFilter';

export class HengeVariableSupport extends CustomVariableSupport<HengeDatasource, HengeVariableQuery> {
  editor = VariableEditor;

  constructor(private readonly datasource: HengeDatasource) {
    super();
  }

  getDefaultQuery(): Partial<HengeVariableQuery> {
    return { kind: 'values', table: this.datasource.defaultDatasource };
  }

  query = (request: DataQueryRequest<HengeVariableQuery>): Observable<DataQueryResponse> =>
    from(this.options(request)).pipe(
      map((options) => ({
        data: [
          toDataFrame({
            fields: [
              { name: 'text', type: FieldType.string, values: options.map(({ text }) => text) },
              { name: 'value', type: FieldType.string, values: options.map(({ value }) => value) },
            ],
          }),
        ],
      }))
    );

  private async options({ targets, range, scopedVars }: DataQueryRequest<HengeVariableQuery>) {
    const [target] = targets;
    if (!target?.kind) {
      return [];
    }
    const { kind, column, search, sql } = target;
    const datasource = target.table || this.datasource.defaultDatasource;
    const typed = String(scopedVars?.__searchFilter?.value ?? '');
    return this.datasource.api.variable({
      kind, datasource, column, sql,
      search: search?.replace(SEARCH_FILTER, typed),
      range: rangeOf(range),
      variables: variablesOf({ datasource, column, sql }, this.datasource.templateSrv, scopedVars),
    });
  }
}
