import { useEffect, useState } from 'react';

import { Catalogue, Column, HengeApi } from '../api';

const NOTHING: Catalogue = { version: '', datasources: [], datasets: [], functions: [], macros: [] };

/** What there is; nothing while it is being asked for. */
export function useCatalogue(api: HengeApi): { catalogue: Catalogue; problem?: string } {
  const [state, setState] = useState<{ catalogue: Catalogue; problem?: string }>({ catalogue: NOTHING });
  useEffect(() => {
    let isCurrent = true;
    api.catalogue().then(
      (catalogue) => isCurrent && setState({ catalogue }),
      (error: Error) => isCurrent && setState({ catalogue: NOTHING, problem: error.message })
    );
    return () => {
      isCurrent = false;
    };
  }, [api]);
  return state;
}

export function columnsOf({ datasources }: Catalogue, datasource: string): Column[] {
  return datasources.find(({ name }) => name === datasource)?.columns ?? [];
}

export function option<T extends string>(value: T, description?: string, label: string = value) {
  return { value, label, description };
}
