/** What Grafana's frontend gives to plugins, as far as the editors ask for it. */

import { ScopedVars } from '@grafana/data';
import { BackendSrv, BackendSrvRequest, TemplateSrv } from '@grafana/runtime';
import { from } from 'rxjs';

/** Sends requests to the server of this page, which hands them to plugin-host. */
export function forwardingBackendSrv(): BackendSrv {
  const send = async ({ url, method, data, headers }: BackendSrvRequest) => {
    const answer = await fetch(url.startsWith('/') ? url : `/${url}`, {
      method, headers: { 'Content-Type': 'application/json', ...headers }, body: data === undefined ? undefined : JSON.stringify(data),
    });
    const response = { status: answer.status, statusText: answer.statusText, ok: answer.ok, data: await answer.json(), headers: answer.headers };
    if (!answer.ok) {
      throw response;
    }
    return response;
  };
  return { fetch: (request: BackendSrvRequest) => from(send(request)) } as unknown as BackendSrv;
}

/** A dashboard with these variables. */
export function fakeTemplateSrv(values: Record<string, string[]>): TemplateSrv {
  return {
    getVariables: () => Object.keys(values).map((name) => ({ name, current: { value: values[name] } })),
    replace: (text: string, _scoped: ScopedVars, format: (value: unknown) => string) =>
      typeof format === 'function' ? format(values[/\w+/.exec(text)?.[0] ?? '']) : text,
  } as unknown as TemplateSrv;
}
