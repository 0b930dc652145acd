import { TimeRange } from '@grafana/data';

import { Range } from './api';

/** Grafana's time range in milliseconds since 1970. */
export function rangeOf(range?: TimeRange): Range | undefined {
  return range && { from: range.from.valueOf(), to: range.to.valueOf() };
}
