// Builds dist/: module.js as Grafana loads it (AMD), plugin.json with version and date, logo, README and licence.
//
// What Grafana itself brings (React, its own packages) stays outside; the rest may have so many bytes compressed:
const GZIPPED_BYTES_MAX = 250_000;

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const read = (...path) => readFileSync(join(root, ...path), 'utf8');

const EXTERNAL = ['@emotion/css', '@grafana/data', '@grafana/runtime', '@grafana/ui', 'react', 'react-dom', 'rxjs'];

/** The version of the workspace, which is ours too. */
function version() {
  const workspace = /\[workspace\.package\][^[]*?\nversion = "([^"]+)"/.exec(read('..', '..', 'Cargo.toml'))?.[1];
  const own = JSON.parse(read('package.json')).version;
  if (workspace !== own) {
    throw new Error(`package.json has version ${own}, the workspace ${workspace}: make them equal`);
  }
  return own;
}

/** esbuild knows no AMD: its CommonJS is put into a `define` that hands it what it requires. */
async function bundle() {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'src', 'module.ts')],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'cjs',
    platform: 'browser',
    target: 'es2022',
    jsx: 'transform',
    external: EXTERNAL,
    legalComments: 'eof',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  const used = [...new Set(imports)].sort();
  const names = used.map((_, index) => `m${index}`);
  const table = used.map((path, index) => `${JSON.stringify(path)}:m${index}`).join(',');
  return {
    used,
    code: `define(${JSON.stringify(used)},function(${names.join(',')}){var t={${table}};` +
      `var require=function(n){return t[n]},module={exports:{}},exports=module.exports;\n${outputFiles[0].text}\nreturn module.exports});\n`,
  };
}

rmSync(join(dist, 'module.js'), { force: true });
mkdirSync(dist, { recursive: true });
const { code, used } = await bundle();
writeFileSync(join(dist, 'module.js'), code);
const today = new Date().toISOString().slice(0, 10);
writeFileSync(join(dist, 'plugin.json'), read('src', 'plugin.json').replace('%VERSION%', version()).replace('%TODAY%', today));
cpSync(join(root, 'src', 'img'), join(dist, 'img'), { recursive: true });
cpSync(join(root, 'README.md'), join(dist, 'README.md'));
cpSync(join(root, 'CHANGELOG.md'), join(dist, 'CHANGELOG.md'));
cpSync(join(root, '..', '..', 'LICENSE'), join(dist, 'LICENSE'));

const gzipped = gzipSync(code, { level: 9 }).length;
console.log(`module.js: ${code.length} bytes, ${gzipped} gzipped (at most ${GZIPPED_BYTES_MAX}); from Grafana: ${used.join(', ')}`);
if (gzipped > GZIPPED_BYTES_MAX) {
  throw new Error('module.js is too large: find out what came in with `esbuild --analyze`');
}
