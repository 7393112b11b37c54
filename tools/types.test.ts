import { expect, it } from 'vitest';
import { runTool } from './run-tool.ts';

it('all code passes the type check', { timeout: 120_000 }, async () => {
  const { code, output } = await runTool('tsc', ['-p', 'tsconfig.json']);
  expect(code, output).toBe(0);
});

it('codec, broker, core, dialects and their host need nothing from Node', { timeout: 120_000 }, async () => {
  const { code, output } = await runTool('tsc', ['-p', 'tsconfig.pure.json']);
  expect(code, output).toBe(0);
});
