import { defineConfig } from 'vitest/config';

/** The long forms of the durability suites; `npm test` runs their short forms. */
export default defineConfig({
  test: {
    reporters: ['default', './tools/closing-line-reporter.ts'],
    include: ['test/durability/**/*.long.ts'],
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
  },
});
