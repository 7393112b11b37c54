import type { AttributeChange, AttributeScope, Scalar } from '@moorage/core';
import { ValueKind } from '@moorage/core';
import { expect, it } from 'vitest';
import type { Subject } from './describe-telemetry-store.ts';

/** The cases of `AttributeStore`. */
export function attributeCases(subject: Subject, crash: () => Promise<void>): void {
  const change = (scope: AttributeScope, key: string, kind: ValueKind, value: Scalar, ts = 1): AttributeChange => {
    return { owner: subject.owner, scope, key, attribute: { kind, value, lastUpdateTs: ts } };
  };

  it('reads attributes by scope and key, in that order, with every kind of value', async () => {
    const changes = [
      change('SERVER', 'z', ValueKind.Double, -0),
      change('SERVER', 'a', ValueKind.Long, 9007199254740993n),
      change('SHARED', 'a', ValueKind.String, ''),
      change('CLIENT', '\ud800', ValueKind.Json, '{"a":1}'),
      change('CLIENT', '__proto__', ValueKind.Boolean, false),
      change('CLIENT', 'b', ValueKind.String, 'a\u0000\udc00'),
    ];
    expect(await subject.store.save(changes)).toBe('stored');
    const expected = [changes[4], changes[5], changes[3], changes[2], changes[1], changes[0]].map((entry) => ({
      scope: entry?.scope,
      key: entry?.key,
      ...entry?.attribute,
    }));
    for (let pass = 0; pass < 2; pass++) {
      expect(await subject.store.read(subject.owner, null, null)).toEqual(expected);
      expect(await subject.store.read(subject.owner, 'SERVER', ['a', 'missing'])).toEqual([expected[4]]);
      expect(await subject.store.read(subject.owner, null, ['a'])).toEqual([expected[3], expected[4]]);
      await crash();
    }
  });

  it('applies changes in order, removals included, and sees every resolved save', async () => {
    const { store } = subject;
    expect(await store.read(subject.owner, null, null)).toEqual([]);
    const remove = { owner: subject.owner, scope: 'SERVER', key: 'a', attribute: null } as const;
    await store.save([change('SERVER', 'a', ValueKind.Long, 1), remove, change('SERVER', 'a', ValueKind.Long, 2, 7)]);
    expect(await store.read(subject.owner, 'SERVER', null)).toEqual([
      { scope: 'SERVER', key: 'a', kind: ValueKind.Long, value: 2, lastUpdateTs: 7 },
    ]);
    await store.save([remove, change('SHARED', 'a', ValueKind.Long, 3)]);
    expect(await store.read(subject.owner, 'SERVER', null)).toEqual([]);
    for (let value = 0; value < 20; value++) {
      const reading = store.read(subject.owner, 'SHARED', ['a']);
      await store.save([change('SHARED', 'a', ValueKind.Long, value)]);
      await reading;
      expect(await store.read(subject.owner, 'SHARED', ['a'])).toMatchObject([{ value }]);
    }
    await crash();
    expect(await subject.store.read(subject.owner, null, null)).toMatchObject([{ scope: 'SHARED', value: 19 }]);
  });

  it('saves all changes of a call or none', async () => {
    const changes = [change('SERVER', 'a', ValueKind.Long, 1), change('SERVER', 'b', ValueKind.Double, Number.NaN)];
    expect(await subject.store.save(changes)).toBe('failed');
    expect(await subject.store.read(subject.owner, null, null)).toEqual([]);
  });
}
