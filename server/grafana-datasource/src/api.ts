/** What the editors ask the server, through the backend of the plugin: `/henge/v1/panel/*`. */

import { Filter, HengeQuery, Variables } from './types';

export interface Column {
  name: string;
  type: string;
  kind: 'time' | 'dimension' | 'measure';
}

export interface Datasource {
  name: string;
  columns: Column[];
  newestEvent: number | null;
  completeUntil: number | null;
}

export interface Metric {
  name: string;
  unit?: string;
  kind?: string;
  description?: string;
  labels: string[];
}

export interface Described {
  name: string;
  signature: string;
  description: string;
}

export interface Catalogue {
  version: string;
  datasources: Datasource[];
  datasets: Array<{ name: string; metrics: Metric[] }>;
  functions: Described[];
  macros: Described[];
}

/** Where in the text that was sent a mistake is: from one, in characters. */
export interface Position {
  line: number;
  column: number;
  length: number;
}

export interface Checked {
  sql: string;
  /** The statement with macros in place of times, where the server can say it. */
  template?: string;
  columns: Array<{ name: string; type: string }>;
}

export interface Range {
  from: number;
  to: number;
}

export interface ValuesRequest {
  datasource?: string;
  column?: string;
  dataset?: string;
  metric?: string;
  label?: string;
  search?: string;
  range?: Range;
  filters?: Filter[];
  variables?: Variables;
  limit?: number;
}

export interface VariableRequest {
  kind: 'datasources' | 'columns' | 'values' | 'sql';
  datasource?: string;
  column?: string;
  search?: string;
  sql?: string;
  range?: Range;
  variables?: Variables;
}

/** An answer of the server that says what is wrong. */
export class Problem extends Error {
  constructor(message: string, readonly position?: Position) {
    super(message);
  }
}

/** Sends a request to the backend of the plugin. */
export interface Transport {
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
}

/** How long what there is counts as known. */
const CATALOGUE_MS = 30_000;

export class HengeApi {
  private known?: { at: number; catalogue: Promise<Catalogue> };

  constructor(private readonly transport: Transport, private readonly now: () => number = Date.now) {}

  /** Asked at most each half minute, however many editors are open; a failure is not kept. */
  catalogue(): Promise<Catalogue> {
    if (!this.known || this.now() - this.known.at > CATALOGUE_MS) {
      const catalogue = this.send('catalogue') as Promise<Catalogue>;
      this.known = { at: this.now(), catalogue };
      catalogue.catch(() => (this.known = undefined));
    }
    return this.known.catalogue;
  }

  check(query: HengeQuery, range: Range, intervalMs = 60_000): Promise<Checked> {
    const { query: panel, variables, filters, timeZone, includePartialBucket } = query;
    return this.send('check', {
      query: panel, variables, filters, timeZone, includePartialBucket, range, intervalMs,
    }) as Promise<Checked>;
  }

  async values(request: ValuesRequest): Promise<string[]> {
    return ((await this.send('values', { limit: 100, ...request })) as { values: string[] }).values;
  }

  async variable(request: VariableRequest): Promise<Array<{ text: string; value: string }>> {
    return ((await this.send('variable', request)) as { options: Array<{ text: string; value: string }> }).options;
  }

  private async send(path: string, body?: unknown): Promise<unknown> {
    try {
      return await (body === undefined ? this.transport.get(path) : this.transport.post(path, body));
    } catch (error) {
      throw problemOf(error);
    }
  }
}

function problemOf(error: unknown): Problem {
  const { data, message, statusText } = (error ?? {}) as {
    data?: { errorMessage?: string; message?: string; position?: Position };
    message?: string;
    statusText?: string;
  };
  return new Problem(data?.errorMessage ?? data?.message ?? message ?? statusText ?? 'the server cannot be asked', data?.position);
}
