import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: ['default', './tools/closing-line-reporter.ts'],
    globalSetup: ['./test/harness/real-clients.ts'],
    setupFiles: ['./tools/property-seed.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['{packages,dialects,adapters,apps}/*/src/**/*.test.ts', 'bench/**/*.test.ts', 'tools/**/*.test.ts'],
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: ['test/clients/**'],
          isolate: true,
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
