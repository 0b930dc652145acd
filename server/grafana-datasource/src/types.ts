/** What a query and the settings look like; the members of `query` are those of `POST /henge/v1/panel/query`. */

import { DataSourceJsonData } from '@grafana/data';
import { DataQuery } from '@grafana/schema';

export type Aggregate =
  | 'sum' | 'count' | 'avg' | 'min' | 'max' | 'countDistinct' | 'approxCountDistinct'
  | 'p50' | 'p90' | 'p95' | 'p99' | 'first' | 'last' | 'rate' | 'increase';

export interface Measure {
  aggregate: Aggregate;
  /** Absent where rows are counted. */
  column?: string;
  alias?: string;
}

export interface GroupBy {
  column: string;
  /** Only so many, with the largest first measure over the time range. */
  top?: number;
  /** The rest as one more group. */
  other?: boolean;
}

export interface Condition {
  column: string;
  operator: string;
  /** `$name` stands for a variable. */
  values: string[];
}

export interface OrderBy {
  name: string;
  descending: boolean;
}

export type Fill = 'none' | 'null' | 'zero' | 'previous' | 'linear';
export type Format = 'timeSeries' | 'table' | 'logs';

export interface BuilderQuery {
  mode: 'builder';
  format: 'timeSeries' | 'table';
  datasource: string;
  measures: Measure[];
  groupBy: GroupBy[];
  /** `auto` is the interval of the panel, null no buckets. */
  timeBucket: string | null;
  fill: Fill;
  where: Condition[];
  orderBy: OrderBy[];
  limit: number;
}

export interface SqlQuery {
  mode: 'sql';
  format: Format;
  sql: string;
}

export interface TopQuery {
  mode: 'top';
  datasource: string;
  dimension: string;
  measure: Measure;
  where: Condition[];
  limit: number;
}

export interface LogsQuery {
  mode: 'logs';
  datasource: string;
  columns: string[];
  where: Condition[];
  search?: string;
  limit: number;
}

export interface MetricsQuery {
  mode: 'metrics';
  dataset: string;
  metric: string;
  aggregate: Aggregate;
  groupBy: string[];
  where: Condition[];
  granularity: string;
  limit: number;
}

export type PanelQuery = BuilderQuery | SqlQuery | TopQuery | LogsQuery | MetricsQuery;
export type Mode = PanelQuery['mode'];

export interface VariableValue {
  values: string[];
  isAll: boolean;
}

export type Variables = Record<string, VariableValue>;

export interface Filter {
  key: string;
  operator: string;
  values: string[];
}

export interface HengeQuery extends DataQuery {
  query: PanelQuery;
  /** Buckets that are still being filled are shown too. */
  includePartialBucket?: boolean;
  /** What a series is called: `{{label}}` stands for the value of a label. */
  legend?: string;
  /** Rows that come later are wanted too. */
  live?: boolean;
  /** Filled in when the query is sent. */
  variables?: Variables;
  filters?: Filter[];
  timeZone?: string;
}

/** How requests prove who sends them; `forward` is Grafana's `oauthPassThru`. */
export type Authentication = 'none' | 'bearer' | 'basic' | 'forward';

export interface HengeOptions extends DataSourceJsonData {
  authentication?: Authentication;
  defaultDatasource?: string;
  forwardUser?: boolean;
  oauthPassThru?: boolean;
  timeout?: number;
  tlsAuth?: boolean;
  tlsAuthWithCACert?: boolean;
  tlsSkipVerify?: boolean;
  serverName?: string;
}

export interface HengeSecrets {
  key?: string;
  basicAuthPassword?: string;
  tlsCACert?: string;
  tlsClientCert?: string;
  tlsClientKey?: string;
}
