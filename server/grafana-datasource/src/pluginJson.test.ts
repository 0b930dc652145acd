import plugin from './plugin.json';

// Grafana publishes no schema of plugin.json as a package; these are the rules of it that a slip would break.
test('plugin.json keeps the rules of Grafana', () => {
  expect(plugin.id).toMatch(/^[0-9a-z]+-([0-9a-z]+-)?datasource$/);
  expect(plugin.info.version).toMatch(/^((0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)|%VERSION%)$/);
  expect(plugin.info.updated).toMatch(/^(\d{4}-\d{2}-\d{2}|%TODAY%)$/);
  expect(plugin.info.keywords.length).toBeGreaterThan(0);
  expect(plugin.info.logos).toEqual({ small: 'img/logo.svg', large: 'img/logo.svg' });
  expect(plugin.dependencies.grafanaDependency).toMatch(/^>=\d+\.\d+\.\d+$/);
  // Alerting and streaming are legal only with a backend, which needs an executable.
  expect([plugin.backend, plugin.executable, plugin.alerting, plugin.streaming]).toEqual([true, 'gpx_henge', true, true]);
});
