// Icons are fetched from the Grafana server, which a test has not.
module.exports = { __esModule: true, default: () => null, cacheStore: { isLoaded: () => true } };
