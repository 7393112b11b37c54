import { defineConfig } from 'vitest/config';

/** Clients that must be fetched from other package registries than npm's; `npm test` needs none of them. */
export default defineConfig({
  test: {
    reporters: ['default', './tools/closing-line-reporter.ts'],
    include: ['test/clients/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
