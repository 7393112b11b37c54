import { describe, expect, it } from 'vitest';
import { ownMember, textMember } from './json-members.ts';

describe('members of parsed JSON', () => {
  it('are those of the object itself', () => {
    expect(ownMember({ a: [1] }, 'a')).toEqual([1]);
    expect(ownMember(JSON.parse('{"__proto__":{"a":1}}'), 'a')).toBeUndefined();
    expect(ownMember(JSON.parse('{"__proto__":7}'), '__proto__')).toBe(7);
    for (const name of ['toString', 'constructor', '__proto__']) expect(ownMember({}, name)).toBeUndefined();
    for (const value of [undefined, null, 'text', 7, ['a']]) expect(ownMember(value, 'length')).toBeUndefined();
  });

  it('are texts only where they are strings and not empty', () => {
    const value = { text: 'a', empty: '', number: 7, none: null, object: {} };
    expect(Object.keys(value).map((name) => textMember(value, name))).toEqual(['a', null, null, null, null]);
    expect([textMember(value, 'other'), textMember(undefined, 'text')]).toEqual([null, null]);
  });
});
