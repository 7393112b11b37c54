import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numbersOf, report } from './conformance.ts';
import { repositoryRoot } from './run-tool.ts';

describe('docs/conformance.md', () => {
  it('agrees with the names of the tests; `npm run conformance` writes it anew', { timeout: 120_000 }, async () => {
    expect(readFileSync(join(repositoryRoot, 'docs/conformance.md'), 'utf8')).toBe(await report(repositoryRoot));
  });

  it('reads numbers, ranges and clauses of both standards', () => {
    expect(numbersOf('TB-28 to TB-30, REC-1 and [MQTT-3.1.0-2]')).toEqual([
      'TB-28',
      'TB-29',
      'TB-30',
      'REC-1',
      'MQTT-3.1.0-2',
    ]);
    expect(numbersOf('[v3.1.1 MQTT-3.1.2-22] U-4')).toEqual(['U-4', 'v3.1.1 MQTT-3.1.2-22']);
  });
});
