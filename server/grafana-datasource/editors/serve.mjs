// Serves the page of the editors on loopback, and hands what it asks for under /api to plugin-host.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const icons = join(root, 'node_modules/@grafana/ui/dist/public/img/icons');

const HTML = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Henge editors</title>
<link rel="stylesheet" href="/page/main.css"></head><body><div id="root"></div><script>
window.__grafana_public_path__ = '/public/';
window.MonacoEnvironment = { getWorkerUrl: () => '/page/editor.worker.js' };
</script><script src="/page/main.js"></script></body></html>`;

const TYPES = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', ttf: 'font/ttf' };

/** The page and Monaco's worker, built in memory: contents by name. */
async function pageFiles() {
  const { outputFiles } = await build({
    entryPoints: { main: join(root, 'editors/page/main.tsx'), 'editor.worker': join(root, 'node_modules/monaco-editor/esm/vs/editor/editor.worker.js') },
    bundle: true, write: false, outdir: '/page', format: 'iife', platform: 'browser', target: 'es2022', jsx: 'transform', minify: true,
    loader: { '.ttf': 'dataurl', '.svg': 'dataurl', '.png': 'dataurl' },
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis', 'process.env': '{}' },
    logLevel: 'error',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path, Buffer.from(contents)]));
}

async function forward(request, response, host) {
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  const answer = await fetch(host + request.url, {
    method: request.method, headers: { 'Content-Type': 'application/json' }, body: body.length > 0 ? body : undefined,
  });
  response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? 'application/json' });
  response.end(Buffer.from(await answer.arrayBuffer()));
}

/** Starts; answers the URL and how to stop. */
export async function serve(host) {
  const page = await pageFiles();
  const find = (path) => {
    if (path.startsWith('/plugin/')) {
      return readFileSync(join(root, 'dist', normalize(path.slice('/plugin'.length))));
    }
    if (path.startsWith('/public/build/img/icons/')) {
      return readFileSync(join(icons, normalize(path.slice('/public/build/img/icons'.length))));
    }
    return page.get(path);
  };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    try {
      if (pathname.startsWith('/api/')) {
        return await forward(request, response, host);
      }
      const content = pathname === '/' ? HTML : find(pathname);
      const type = pathname === '/' ? 'text/html' : TYPES[pathname.split('.').pop()] ?? 'application/octet-stream';
      response.writeHead(content ? 200 : 404, { 'Content-Type': type });
      response.end(content ?? '');
    } catch (error) {
      response.writeHead(500);
      response.end(String(error));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}
