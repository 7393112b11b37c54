import { Compile } from 'typebox/compile';
import { describe, expect, it } from 'vitest';
import { NAMED_SCHEMAS } from './named-schemas.ts';

function references(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([member, value]) =>
    member === '$ref' && typeof value === 'string' ? [value] : references(value),
  );
}

describe('named schemas', () => {
  it('are listed under their own name', () => {
    for (const [name, schema] of Object.entries(NAMED_SCHEMAS)) expect(schema.$id).toBe(name);
  });

  it('refer to named schemas only', () => {
    const unknown = Object.values(NAMED_SCHEMAS)
      .flatMap(references)
      .filter((name) => !(name in NAMED_SCHEMAS));
    expect(unknown).toEqual([]);
  });

  it('accept a minimal device and refuse one without a name', () => {
    const device = Compile(NAMED_SCHEMAS, NAMED_SCHEMAS.DeviceInput);
    expect(device.Check({ name: 'T1' })).toBe(true);
    expect(device.Check({ name: 'T1', id: null, label: null, unknownMember: 1 })).toBe(true);
    expect(device.Check({ label: 'x' })).toBe(false);
    expect(device.Check({ name: 'T1', deviceProfileId: { id: 'no uuid' } })).toBe(false);
  });

  it('TBS-38 accept the profile body of the Python example', () => {
    const profile = Compile(NAMED_SCHEMAS, NAMED_SCHEMAS.DeviceProfileInput);
    const body = {
      name: 'Thermostat',
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
    };
    expect(profile.Check(body)).toBe(true);
  });
});
