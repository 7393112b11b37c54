import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Ends every run with the plain line `N passed, N failed`. A module that cannot be loaded and an unhandled error count
 * as failures; so does, in CI, a test that was skipped.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
        else skipped++;
      }
    }
    if (skipped > 0) {
      process.stdout.write(`${skipped} tests did not run\n`);
      if (process.env.CI) failed += skipped;
    }
    if (failed > 0) process.exitCode = 1;
    process.on('exit', () => {
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
      if (failed > 0) process.exitCode = 1;
    });
  }
}
