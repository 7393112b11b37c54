import { expect, it } from 'vitest';
import { runTool } from './run-tool.ts';

it('the whole repository is formatted and free of lint findings', { timeout: 60_000 }, async () => {
  const { code, output } = await runTool('biome', ['check', '--error-on-warnings', '--max-diagnostics=50', '.']);
  expect(output, output).not.toMatch(/Found \d+ (error|warning)/);
  expect(code, output).toBe(0);
});
