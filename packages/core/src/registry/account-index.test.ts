import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import { AccountIndex } from './account-index.ts';
import { Registration } from './registration.ts';

function registrationOf(id: string, accountId: string | null, name: string): Registration {
  const device = {
    id,
    tenantId: 'tenant',
    name: id,
    profileId: 'p',
    gateway: false,
    settings: DEFAULT_PROFILE_SETTINGS,
  };
  const parts = { credentialsType: 'THINGSCALE', dialect: 'thingscale', application: null, sealedValue: null } as const;
  const identity = { device, customerId: NULL_ID, username: null, clientId: null };
  return new Registration({ ...parts, ...identity, membership: { accountId, name } }, (sealed) => sealed);
}

describe('the devices of accounts', () => {
  it('are found by account and name, those of the default account by the tenant', () => {
    const index = new AccountIndex();
    const [one, two, three] = [
      registrationOf('1', 'a', 'x'),
      registrationOf('2', 'b', 'x'),
      registrationOf('3', null, 'x'),
    ];
    for (const registration of [one, two, three]) index.enter(registration);
    expect([index.device('a', 'x'), index.device('b', 'x'), index.device('tenant', 'x')]).toEqual([one, two, three]);
    expect(index.devicesOf('a')).toEqual([one]);
    index.leave(one);
    index.leave(registrationOf('2', 'b', 'x'));
    expect(index.device('a', 'x')).toBeUndefined();
    expect(index.device('b', 'x')).toBe(two);
  });

  it('nobody gets a name that another device has or is about to get', () => {
    const index = new AccountIndex();
    index.enter(registrationOf('1', 'a', 'x'));
    expect(index.reserve('a', 'x', '2')).toBe('taken');
    expect(index.reserve('b', 'x', '2')).toBeTypeOf('function');
    const own = index.reserve('a', 'x', '1');
    expect(own).toBeTypeOf('function');
    const next = index.reserve('a', 'y', '2');
    expect(index.reserve('a', 'y', '3')).toBe('taken');
    if (typeof next === 'function') next();
    expect(index.reserve('a', 'y', '3')).toBeTypeOf('function');
  });

  it('an account is closed only while it is empty and nothing is about to enter', () => {
    const index = new AccountIndex();
    const entering = index.reserve('a', 'x', '1');
    expect(index.close('a')).toBeNull();
    if (typeof entering === 'function') entering();
    const reopen = index.close('a');
    expect(reopen).not.toBeNull();
    expect(index.reserve('a', 'x', '1')).toBe('closed');
    reopen?.();
    expect(index.reserve('a', 'x', '1')).toBeTypeOf('function');
    index.enter(registrationOf('2', 'b', 'x'));
    expect(index.close('b')).toBeNull();
  });
});
