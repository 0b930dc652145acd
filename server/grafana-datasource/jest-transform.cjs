// Translates TypeScript and ES modules for jest with the bundler that we have anyway. `jest.mock` is not moved to the top.
const { createHash } = require('node:crypto');
const { transformSync, version } = require('esbuild');

module.exports = {
  getCacheKey: (source, path) => createHash('sha256').update(`${version}\0${path}\0${source}`).digest('hex'),
  process(source, path) {
    const loader = /\.tsx?$/.test(path) ? (path.endsWith('x') ? 'tsx' : 'ts') : 'jsx';
    return transformSync(source, { loader, format: 'cjs', target: 'es2022', jsx: 'transform', sourcemap: 'inline', sourcefile: path });
  },
};
