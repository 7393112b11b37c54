import { defineConfig } from 'vitest/config';

/** The long forms of the durability and abuse suites; `npm test` runs their short forms. */
export default defineConfig({
  test: {
    reporters: ['default', './tools/closing-line-reporter.ts'],
    include: ['test/durability/**/*.test.ts', 'test/abuse/**/*.test.ts'],
    env: { LONG_SUITES: '1' },
    fileParallelism: false,
    globalSetup: ['./test/harness/real-clients.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
  },
});
