import { useEffect, useState } from 'react';

import { Checked, HengeApi, Problem, Range } from '../api';
import { isComplete } from '../defaults';
import { HengeQuery } from '../types';

export interface Check {
  checked?: Checked;
  problem?: Problem;
}

/** How long nobody has to type before the server is asked. */
const QUIET_MS = 400;

/** What the server says of a query without running it: its statement, or its mistake. */
export function useCheck(api: HengeApi, query: HengeQuery, range: Range): Check {
  const [check, setCheck] = useState<Check>({});
  const text = JSON.stringify(query);
  useEffect(() => {
    const asked = JSON.parse(text) as HengeQuery;
    if (!isComplete(asked.query)) {
      setCheck({});
      return;
    }
    let isCurrent = true;
    const timer = setTimeout(() => {
      api.check(asked, range).then(
        (checked) => isCurrent && setCheck({ checked }),
        (problem: Problem) => isCurrent && setCheck({ problem })
      );
    }, QUIET_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
    // The range moves with each refresh of a dashboard; that changes nothing about the text.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [api, text]);
  return check;
}
