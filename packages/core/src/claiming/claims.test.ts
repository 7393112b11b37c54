import { callerOf, deviceInput, openTestRegistry, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import type { CustomerInput } from '../platform.ts';
import type { OnboardingOptions } from '../registry/onboarding.ts';
import { ValueKind } from '../values/value.ts';
import { FakeServerAttributes } from './test-attributes.ts';

const DAY = 86_400_000;

const customerInput = (title: string): CustomerInput => ({
  id: null,
  title,
  country: null,
  state: null,
  city: null,
  address: null,
  address2: null,
  zip: null,
  phone: null,
  email: null,
  additionalInfo: null,
  version: null,
});

/** One device without a customer, and users of two customers. */
async function scene(options: Partial<OnboardingOptions> = {}) {
  const t = await openTestRegistry();
  const attributes = new FakeServerAttributes();
  const { claims, deviceClaims } = await t.openOnboarding({ attributes, ...options });
  const { id } = succeeded(await t.devices.save(t.admin, deviceInput('boat'), { accessToken: null }));
  const device = t.deviceRef(id);
  if (device === undefined) throw new TypeError('the device is missing');
  const userOf = async (title: string) => {
    const customer = succeeded(await t.customers.save(t.admin, customerInput(title)));
    return callerOf('CUSTOMER_USER', t.admin.tenantId, customer.id);
  };
  const [ann, bob] = [await userOf('Ann'), await userOf('Bob')];
  const open = (secretKey: string, durationMs: number | null = null) =>
    deviceClaims.open(device, secretKey, durationMs);
  const write = (value: object) =>
    attributes.set(id, 'claimingData', { kind: ValueKind.Json, value: JSON.stringify(value) });
  const claim = async (secretKey: string, caller = ann) => succeeded(await claims.claim(caller, 'boat', secretKey));
  return { ...t, attributes, claims, deviceClaims, id, device, ann, bob, open, write, claim };
}

const FAILURE = { response: 'FAILURE' };
const CLAIMED = { response: 'CLAIMED' };

describe('claiming', () => {
  it('TB-62 TBS-41 assigns the device to the customer of who knows the secret', async () => {
    const s = await scene();
    expect(await s.open('secret', 60_000)).toBe('stored');
    expect(await s.claim('secret')).toMatchObject({ response: 'SUCCESS', device: { customerId: s.ann.customerId } });
    expect((await s.devices.get(s.ann, s.id)).ok).toBe(true);
    expect(s.deviceData(s.ann, s.id).ok).toBe(true);
    expect(s.deviceData(s.bob, s.id).ok).toBe(false);
    expect(s.attributes.get(s.id, 'claimingData')).toBeUndefined();
  });

  it('TB-63 TBS-41 refuses a wrong secret, which closes the window of the device', async () => {
    const s = await scene();
    await s.open('secret');
    expect(await s.claim('wrong')).toEqual(FAILURE);
    expect(s.attributes.get(s.id, 'claimingData')).toBeUndefined();
    expect(await s.claim('secret')).toEqual(FAILURE);
    expect(succeeded(await s.devices.get(s.admin, s.id)).customerId).toBe(NULL_ID);
  });

  it('TB-63 TBS-41 answers CLAIMED for a device that has a customer, whatever the secret', async () => {
    const s = await scene();
    await s.open('secret');
    await s.claim('secret');
    expect(await s.claim('secret', s.bob)).toEqual(CLAIMED);
    expect(await s.claim('wrong', s.ann)).toEqual(CLAIMED);
    expect(await s.open('again')).toBe('stored');
    expect(s.attributes.get(s.id, 'claimingData')).toBeUndefined();
  });

  it('TB-64 takes an empty secret and the usual window', async () => {
    const s = await scene();
    await s.open('');
    const data = JSON.parse(String(s.attributes.get(s.id, 'claimingData')));
    expect(data).toEqual({ secretKey: '', expirationTime: s.clock.now() + DAY, openedBy: 'device' });
    s.clock.advance(DAY - 1);
    expect(await s.claim('')).toMatchObject({ response: 'SUCCESS' });
  });

  it.each([null, 0, -5])('takes the configured window for a duration of %s', async (duration) => {
    const s = await scene({ claimDurationMs: 1000 });
    await s.open('', duration);
    expect(String(s.attributes.get(s.id, 'claimingData'))).toContain(`"expirationTime":${s.clock.now() + 1000}`);
  });

  it('TB-65 TBS-42 refuses after the window', async () => {
    const s = await scene();
    await s.open('secret', 60_000);
    s.clock.advance(60_000);
    expect(await s.claim('secret')).toEqual(FAILURE);
    expect(s.attributes.get(s.id, 'claimingData')).toBeUndefined();
  });

  it('lets the newest secret replace an older one', async () => {
    const s = await scene();
    await s.open('first');
    await s.open('second');
    expect(await s.claim('second')).toMatchObject({ response: 'SUCCESS' });
  });

  it('takes a window that a user wrote; a wrong secret does not close it, and guesses are limited', async () => {
    const s = await scene({ claimingAllowed: false });
    s.write({ secretKey: 'written', expirationTime: s.clock.now() + DAY });
    for (let guess = 0; guess < 10; guess += 1) expect(await s.claim(`guess ${guess}`)).toEqual(FAILURE);
    expect(await s.claims.claim(s.ann, 'boat', 'written')).toMatchObject({ code: 'tooManyRequests' });
    expect(await s.claim('written', s.bob)).toMatchObject({ response: 'SUCCESS' });
  });

  it.each([{}, { secretKey: 5, expirationTime: 1e15 }, { secretKey: '', expirationTime: 'never' }, []])(
    'opens nothing for a user that wrote %j',
    async (data) => {
      const s = await scene();
      s.write(data);
      expect(await s.claim('')).toEqual(FAILURE);
    },
  );

  it('is for customer users, and by a name that exists', async () => {
    const s = await scene();
    await s.open('secret');
    expect(await s.claims.claim(s.admin, 'boat', 'secret')).toMatchObject({ code: 'permissionDenied' });
    expect(await s.claims.claim(s.ann, 'ship', 'secret')).toMatchObject({ code: 'notFound' });
    const foreign = callerOf('CUSTOMER_USER', '00000000-0000-4000-8000-0000000000bb', s.ann.customerId);
    expect(await s.claims.claim(foreign, 'boat', 'secret')).toMatchObject({ code: 'notFound' });
  });

  it('gives the device to one of two who claim at once', async () => {
    const s = await scene();
    await s.open('secret');
    const both = await Promise.all([s.claim('secret', s.ann), s.claim('secret', s.bob)]);
    expect(both.map(({ response }) => response).sort()).toEqual(['CLAIMED', 'SUCCESS']);
  });

  it('tells the device when its window could not be kept, and opens none for a secret without measure', async () => {
    const s = await scene();
    s.attributes.troubles.push('full');
    expect(await s.open('secret')).toBe('full');
    expect(await s.open('x'.repeat(4097))).toBe('stored');
    expect(s.attributes.get(s.id, 'claimingData')).toBeUndefined();
  });
});

describe('claiming that is closed by default', () => {
  const allow = (s: Awaited<ReturnType<typeof scene>>, value: boolean) =>
    s.attributes.set(s.id, 'claimingAllowed', { kind: ValueKind.Boolean, value });

  it('TB-67 takes only devices whose attribute claimingAllowed is true', async () => {
    const s = await scene({ claimingAllowed: false });
    expect(await s.open('secret')).toBe('stored');
    expect(await s.claim('secret')).toEqual(FAILURE);
    allow(s, true);
    await s.open('secret');
    allow(s, false);
    expect(await s.claim('secret')).toEqual(FAILURE);
    allow(s, true);
    await s.open('secret');
    expect(await s.claim('secret')).toMatchObject({ response: 'SUCCESS' });
    expect(s.attributes.get(s.id, 'claimingAllowed')).toBeUndefined();
  });

  it('allows a device again that was given back', async () => {
    const s = await scene({ claimingAllowed: false });
    allow(s, true);
    await s.open('secret');
    await s.claim('secret');
    expect((await s.claims.reclaim(s.ann, 'boat')).ok).toBe(true);
    expect(s.attributes.get(s.id, 'claimingAllowed')).toBe(true);
  });
});

describe('giving a claimed device back', () => {
  it('TB-66 TBS-42 takes it from the customer, by the owner or the administrator', async () => {
    const s = await scene();
    for (const caller of [s.ann, s.admin]) {
      await s.open('secret');
      await s.claim('secret');
      expect(await s.claims.reclaim(s.bob, 'boat')).toMatchObject({ code: 'permissionDenied' });
      expect(await s.claims.reclaim(caller, 'boat')).toEqual({ ok: true, value: null });
      expect(succeeded(await s.devices.get(s.admin, s.id)).customerId).toBe(NULL_ID);
    }
    expect(await s.claims.reclaim(s.ann, 'boat')).toEqual({ ok: true, value: null });
    expect(await s.claims.reclaim(s.ann, 'ship')).toMatchObject({ code: 'notFound' });
    expect(s.attributes.get(s.id, 'claimingAllowed')).toBeUndefined();
  });

  it('closes what was left of an earlier window', async () => {
    const s = await scene();
    await s.open('secret');
    await s.claim('secret');
    s.write({ secretKey: 'secret', expirationTime: s.clock.now() + DAY });
    await s.claims.reclaim(s.ann, 'boat');
    expect(await s.claim('secret', s.bob)).toEqual(FAILURE);
  });
});
