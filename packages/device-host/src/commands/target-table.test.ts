import { describe, expect, it } from 'vitest';
import type { CommandTarget } from './command-target.ts';
import { TargetTable } from './target-table.ts';

function target(kind: CommandTarget['kind']): CommandTarget {
  return { kind, hear: () => 'sent' };
}

describe('TargetTable', () => {
  it('tells the first presence of a principal and the last, whatever listens beside it', () => {
    const table = new TargetTable<CommandTarget>();
    const [poll, first, second] = [target('listener'), target('connection'), target('subDevice')];
    table.add('d', poll);
    expect(table.add('d', first)).toBe(true);
    expect(table.add('d', second)).toBe(false);
    expect(table.connections).toBe(1);
    expect(table.remove('d', first)).toBe(false);
    expect(table.remove('d', first)).toBe(false);
    expect(table.remove('d', second)).toBe(true);
    expect(table.connections).toBe(0);
    expect(table.of('d')).toEqual([poll]);
    table.remove('d', poll);
    expect(table.of('d')).toEqual([]);
    expect([...table]).toEqual([]);
  });

  it('gives the targets in the order in which they came', () => {
    const table = new TargetTable<CommandTarget>();
    const targets = [target('connection'), target('subDevice'), target('connection')];
    for (const one of targets) table.add('d', one);
    expect(table.of('d')).toEqual(targets);
    expect([...table]).toEqual(targets);
    expect(table.remove('other', target('connection'))).toBe(false);
    expect(table.remove('d', target('connection'))).toBe(false);
    expect(table.connections).toBe(2);
  });
});
