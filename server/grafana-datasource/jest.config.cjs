// Dates are UTC, wherever the tests run.
process.env.TZ = 'UTC';

// Packages that come as ES modules only; jest wants them translated.
const esModules = [
  '@react-hookz', '@ver0',
  '@grafana/schema', '@wojtekmaj/date-utils', 'd3', 'd3-color', 'd3-force', 'd3-interpolate', 'd3-scale-chromatic',
  'get-user-locale', 'marked', 'memoize', 'mimic-function', 'ol', 'react-calendar', 'react-colorful', 'rxjs', 'uuid',
];

module.exports = {
  testEnvironment: 'jsdom',
  testMatch: ['<rootDir>/src/**/*.test.{ts,tsx}'],
  setupFilesAfterEnv: ['<rootDir>/jest-setup.cjs'],
  moduleNameMapper: { '\\.(css|scss)$': '<rootDir>/jest-setup.cjs', 'react-inlinesvg': '<rootDir>/jest-icon.cjs' },
  transform: { '^.+\\.m?(t|j)sx?$': '<rootDir>/jest-transform.cjs' },
  transformIgnorePatterns: [`node_modules/(?!.*(${esModules.join('|')})/.*)`],
};
