/** The data source as Grafana's frontend knows it. What a query means is the server's alone. */

import {
  AdHocVariableFilter, AnnotationQuery, DataQueryRequest, DataQueryResponse, DataSourceGetTagKeysOptions,
  DataSourceGetTagValuesOptions, DataSourceInstanceSettings, MetricFindValue, ScopedVars,
} from '@grafana/data';
import { DataSourceWithBackend, getTemplateSrv, TemplateSrv } from '@grafana/runtime';
import { map, Observable } from 'rxjs';

import { HengeApi } from './api';
import { defaultQuery, isComplete } from './defaults';
import { AnnotationEditor } from './editor/AnnotationEditor';
import { rangeOf } from './range';
import { linkToSql } from './sqlLink';
import { HengeOptions, HengeQuery } from './types';
import { filtersOf, variablesOf } from './variables';
import { HengeVariableSupport } from './variableSupport';

export class HengeDatasource extends DataSourceWithBackend<HengeQuery, HengeOptions> {
  readonly api: HengeApi;
  readonly defaultDatasource: string;

  constructor(settings: DataSourceInstanceSettings<HengeOptions>, readonly templateSrv: TemplateSrv = getTemplateSrv()) {
    super(settings);
    this.defaultDatasource = settings.jsonData.defaultDatasource ?? '';
    this.api = new HengeApi({
      get: (path) => this.getResource(path, undefined, { showErrorAlert: false }),
      post: (path, body) => this.postResource(path, body, { showErrorAlert: false }),
    });
    this.variables = new HengeVariableSupport(this);
    this.annotations = {
      QueryEditor: AnnotationEditor,
      getDefaultQuery: () => ({ query: { mode: 'sql', format: 'table', sql: '' } }),
      prepareQuery: (annotation: AnnotationQuery<HengeQuery>) =>
        annotation.target && { ...annotation.target, refId: annotation.name, queryType: 'annotations' },
    };
  }

  getDefaultQuery(): Partial<HengeQuery> {
    return defaultQuery(this.defaultDatasource);
  }

  getQueryDisplayText({ query }: HengeQuery): string {
    switch (query?.mode) {
      case 'sql':
        return query.sql;
      case 'metrics':
        return `${query.aggregate} ${query.metric}`;
      case undefined:
        return '';
      default:
        return `${query.mode} of ${query.datasource}`;
    }
  }

  filterQuery({ hide, query }: HengeQuery): boolean {
    return !hide && isComplete(query);
  }

  query(request: DataQueryRequest<HengeQuery>): Observable<DataQueryResponse> {
    const timeZone = timeZoneName(request.timezone);
    const targets = request.targets.map((target) => ({
      ...target, timeZone, ...(request.liveStreaming ? { live: true } : {}),
    }));
    return super.query({ ...request, targets }).pipe(map((response) => linkToSql(response, this.getRef(), this.name)));
  }

  applyTemplateVariables(query: HengeQuery, scopedVars: ScopedVars, filters?: AdHocVariableFilter[]): HengeQuery {
    return {
      ...query,
      // In Explore there are no variables; the query brought along what they were.
      variables: { ...query.variables, ...variablesOf(query.query, this.templateSrv, scopedVars) },
      filters: [...(query.filters ?? []), ...filtersOf(filters)],
    };
  }

  interpolateVariablesInQueries(queries: HengeQuery[], scopedVars: ScopedVars, filters?: AdHocVariableFilter[]): HengeQuery[] {
    return queries.map((query) => ({ ...this.applyTemplateVariables(query, scopedVars, filters), datasource: this.getRef() }));
  }

  async getTagKeys(options?: DataSourceGetTagKeysOptions<HengeQuery>): Promise<MetricFindValue[]> {
    const { datasources } = await this.api.catalogue();
    const asked = this.datasourcesOf(options?.queries);
    const of = datasources.filter(({ name }) => asked.length === 0 || asked.includes(name));
    const names = of.flatMap(({ columns }) => columns.filter(({ kind }) => kind === 'dimension').map(({ name }) => name));
    return [...new Set(names)].map((text) => ({ text, value: text }));
  }

  async getTagValues(options: DataSourceGetTagValuesOptions<HengeQuery>): Promise<MetricFindValue[]> {
    const { datasources } = await this.api.catalogue();
    const asked = this.datasourcesOf(options.queries);
    const having = datasources.filter(({ name, columns }) =>
      (asked.length === 0 || asked.includes(name)) && columns.some((column) => column.name === options.key));
    const answers = await Promise.all(having.map(({ name }) => this.api.values({
      datasource: name, column: options.key, range: rangeOf(options.timeRange), filters: filtersOf(options.filters),
    })));
    return [...new Set(answers.flat())].map((text) => ({ text, value: text }));
  }

  /** Which datasources filters are about: those of the queries, or the default; none of both means all. */
  private datasourcesOf(queries: HengeQuery[] = []): string[] {
    const named = queries.flatMap(({ query }) => (query && 'datasource' in query ? [query.datasource] : []));
    return named.length > 0 ? named : [this.defaultDatasource].filter((name) => name !== '');
  }
}

/** Grafana says `browser` or `utc`; the server wants a name of the IANA. */
function timeZoneName(zone?: string): string {
  return !zone || zone === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone === 'utc' ? 'UTC' : zone;
}
