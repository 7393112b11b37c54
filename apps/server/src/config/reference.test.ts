import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DOCUMENT, withReference } from './reference.ts';
import { SETTINGS } from './setting.ts';
import { readYaml } from './yaml-source.ts';

const page = readFileSync(DOCUMENT, 'utf8');

describe('docs/configuration.md', () => {
  it('has the table that the schema makes', () => {
    expect(page).toBe(withReference(page));
    expect(page.match(/^\| `[\w.]+` \|/gm)).toHaveLength(SETTINGS.length);
  });

  it('shows a file that is accepted', () => {
    const example = /```yaml\n([^`]+)```/.exec(page)?.[1] ?? '';
    const { values, problems } = readYaml('example', example);
    expect(problems).toEqual([]);
    expect(values.size).toBe(4);
  });
});
