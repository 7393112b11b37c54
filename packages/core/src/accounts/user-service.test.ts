import {
  callerOf,
  listQuery,
  MemoryRepositories,
  openTestRegistry,
  succeeded,
  type TestRegistry,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import type { UserInput } from '../platform.ts';

const HERE = '192.0.2.1';
const PASSWORD = 'correct horse';
const DAY = 86_400_000;

const input = (email: string, parts: Partial<UserInput> = {}): UserInput => ({
  id: null,
  email,
  authority: 'TENANT_ADMIN',
  customerId: null,
  firstName: null,
  lastName: null,
  additionalInfo: null,
  version: null,
  ...parts,
});

async function customerOf(t: TestRegistry, title: string): Promise<string> {
  const contact = { country: null, state: null, city: null, address: null, address2: null, zip: null, phone: null };
  const parts = { ...contact, email: null, additionalInfo: null, version: null };
  return succeeded(await t.customers.save(t.admin, { id: null, title, ...parts })).id;
}

/** An administrator's registry with one customer user who has not activated yet. */
async function scene() {
  const t = await openTestRegistry({ repositories: new MemoryRepositories() });
  const customerId = await customerOf(t, 'Yard');
  const parts = { authority: 'CUSTOMER_USER', customerId } as const;
  const user = succeeded(await t.users.save(t.admin, input('Ann@Example.org', parts)));
  const activate = async (password = PASSWORD) =>
    t.users.activate(succeeded(await t.users.activationToken(t.admin, user.id)), password);
  const self = { ...callerOf('CUSTOMER_USER', t.admin.tenantId, customerId), userId: user.id };
  return { ...t, customerId, user, activate, self };
}

const denied = { code: 'permissionDenied' };
const badRequest = { code: 'badRequest' };

describe('users', () => {
  it('are created without a password, so nobody signs in yet', async () => {
    const s = await scene();
    expect(s.user).toMatchObject({ email: 'ann@example.org', customerId: s.customerId, enabled: false, version: 1 });
    expect(succeeded(await s.users.get(s.admin, s.user.id))).toEqual(s.user);
    expect(s.user).not.toHaveProperty('passwordHash');
    expect((await s.accounts.login('ann@example.org', '', HERE)).ok).toBe(false);
    expect((await s.accounts.login('ann@example.org', PASSWORD, HERE)).ok).toBe(false);
  });

  it('belong to a customer that exists, or are administrators', async () => {
    const s = await scene();
    const missing = '00000000-0000-4000-8000-000000000001';
    const save = (parts: Partial<UserInput>) => s.users.save(s.admin, input('new@example.org', parts));
    expect(await save({ authority: 'CUSTOMER_USER' })).toMatchObject(badRequest);
    expect(await save({ authority: 'CUSTOMER_USER', customerId: NULL_ID })).toMatchObject(badRequest);
    expect(await save({ authority: 'CUSTOMER_USER', customerId: missing })).toMatchObject(badRequest);
    expect(await save({ customerId: s.customerId })).toMatchObject(badRequest);
    expect(await save({ authority: 'SYS_ADMIN' })).toMatchObject(denied);
    expect(succeeded(await save({})).authority).toBe('TENANT_ADMIN');
  });

  it('have an e-mail that is unique on the server', async () => {
    const s = await scene();
    expect(await s.users.save(s.admin, input('ANN@example.org'))).toMatchObject({
      code: 'badRequest',
      message: 'User with such email already exists!',
    });
    for (const email of ['', 'nobody', 'a@b@c'])
      expect(await s.users.save(s.admin, input(email))).toMatchObject(badRequest);
  });

  it('change their names and e-mail, never their authority or customer', async () => {
    const s = await scene();
    const save = (parts: Partial<UserInput>, caller = s.admin) =>
      s.users.save(caller, input('ann@example.org', { id: s.user.id, authority: 'CUSTOMER_USER', ...parts }));
    expect(succeeded(await save({ firstName: 'Ann', version: 1 }))).toMatchObject({ firstName: 'Ann', version: 2 });
    expect(await save({ firstName: 'Eve', version: 1 })).toMatchObject({ code: 'versionConflict' });
    expect(await save({ authority: 'TENANT_ADMIN' })).toMatchObject(badRequest);
    expect(await save({ customerId: await customerOf(s, 'Dock') })).toMatchObject(badRequest);
    expect(succeeded(await save({ email: 'new@example.org' }, s.self)).email).toBe('new@example.org');
    expect(await save({ authority: 'TENANT_ADMIN' }, s.self)).toMatchObject(badRequest);
  });

  it('are listed in the tenant, and of a customer', async () => {
    const s = await scene();
    await s.users.save(s.admin, input('admin@example.org'));
    const all = succeeded(await s.users.list(s.admin, { ...listQuery(), sortProperty: 'email' }));
    expect(all.data.map(({ email }) => email)).toEqual(['admin@example.org', 'ann@example.org']);
    expect(JSON.stringify(all)).not.toContain('passwordHash');
    const found = succeeded(await s.users.ofCustomer(s.admin, s.customerId, listQuery()));
    expect(found.data.map(({ id }) => id)).toEqual([s.user.id]);
    expect(succeeded(await s.users.list(s.self, listQuery())).data.map(({ id }) => id)).toEqual([s.user.id]);
    const missing = '00000000-0000-4000-8000-000000000001';
    expect(await s.users.ofCustomer(s.admin, missing, listQuery())).toMatchObject({ code: 'notFound' });
  });

  it('of a customer see themselves and govern nobody', async () => {
    const s = await scene();
    const other = succeeded(await s.users.save(s.admin, input('admin@example.org')));
    expect((await s.users.get(s.self, s.user.id)).ok).toBe(true);
    const calls = [
      s.users.get(s.self, other.id),
      s.users.save(s.self, input('x@example.org')),
      s.users.save(s.self, input('x@example.org', { id: other.id })),
      s.users.remove(s.self, s.user.id),
      s.users.setEnabled(s.self, s.user.id, true),
      s.users.actAs(s.self, s.user.id),
      s.users.activationToken(s.self, s.user.id),
      s.users.resetToken(s.self, s.user.id),
      s.users.ofCustomer(s.self, s.customerId, listQuery()),
    ];
    for (const result of await Promise.all(calls)) expect(result).toMatchObject(denied);
    const foreign = callerOf('TENANT_ADMIN', '00000000-0000-4000-8000-0000000000bb');
    expect(await s.users.get(foreign, s.user.id)).toMatchObject(denied);
    expect(await s.users.activationToken(foreign, s.user.id)).toMatchObject(denied);
  });
});

describe('activation', () => {
  it('sets the password and lets the user in, once', async () => {
    const s = await scene();
    const token = succeeded(await s.users.activationToken(s.admin, s.user.id));
    expect(await s.users.isToken(token, 'activation')).toBe(true);
    expect(await s.users.isToken(token, 'reset')).toBe(false);
    expect(succeeded(await s.users.activate(token, PASSWORD))).toMatchObject({ id: s.user.id, enabled: true });
    expect((await s.accounts.login('ann@example.org', PASSWORD, HERE)).ok).toBe(true);
    expect(await s.users.isToken(token, 'activation')).toBe(false);
    expect(await s.users.activate(token, 'another horse')).toMatchObject(badRequest);
    expect(await s.users.activationToken(s.admin, s.user.id)).toMatchObject({ message: 'User is already activated!' });
  });

  it('is for one of two who use the link at once', async () => {
    const s = await scene();
    const token = succeeded(await s.users.activationToken(s.admin, s.user.id));
    const results = await Promise.all([s.users.activate(token, PASSWORD), s.users.activate(token, 'another horse')]);
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('is not needed by whom the operator gives a password', async () => {
    const s = await scene();
    await s.users.save(s.admin, input('boss@example.org'));
    expect((await s.accounts.setFirstAdministrator('boss@example.org', PASSWORD)).ok).toBe(true);
    expect((await s.accounts.login('boss@example.org', PASSWORD, HERE)).ok).toBe(true);
  });

  it('ends after a day, with a newer link, and when the user is disabled', async () => {
    const s = await scene();
    const token = async () => succeeded(await s.users.activationToken(s.admin, s.user.id));
    const late = await token();
    s.clock.advance(DAY);
    expect(await s.users.isToken(late, 'activation')).toBe(false);
    expect(await s.users.activate(late, PASSWORD)).toMatchObject(badRequest);
    const [first, second] = [await token(), await token()];
    expect(await s.users.isToken(first, 'activation')).toBe(false);
    expect(await s.users.isToken(second, 'activation')).toBe(true);
    expect((await s.users.setEnabled(s.admin, s.user.id, false)).ok).toBe(true);
    expect(await s.users.activate(second, PASSWORD)).toMatchObject(badRequest);
  });

  it('keeps to the password policy and costs nothing with a bad token', async () => {
    const s = await scene();
    const token = succeeded(await s.users.activationToken(s.admin, s.user.id));
    expect(await s.users.activate(token, 'short')).toMatchObject({ code: 'passwordViolation' });
    expect(await s.users.isToken(token, 'activation')).toBe(true);
    const { hashes } = s.crypto;
    for (const bad of ['', 'x'.repeat(40), `${token}x`, token.toLowerCase(), '%']) {
      expect(await s.users.activate(bad, PASSWORD)).toMatchObject(badRequest);
    }
    expect(s.crypto.hashes).toBe(hashes);
  });

  it('never keeps the token itself', async () => {
    const s = await scene();
    const kept: string[] = [];
    const commit = s.repositories.commit.bind(s.repositories);
    Object.assign(s.repositories, {
      commit: (changes: Parameters<typeof commit>[0]) => {
        kept.push(JSON.stringify(changes));
        return commit(changes);
      },
    });
    const token = succeeded(await s.users.activationToken(s.admin, s.user.id));
    expect(kept.join()).toContain('user_token');
    expect(kept.join()).not.toContain(token);
  });
});

describe('a link for a new password', () => {
  it('changes the password, voids the tokens, and holds once', async () => {
    const s = await scene();
    const before = succeeded(await s.activate());
    const token = succeeded(await s.users.resetToken(s.admin, s.user.id));
    expect(await s.users.isToken(token, 'reset')).toBe(true);
    expect(await s.users.resetPassword(token, PASSWORD)).toMatchObject({
      message: 'New password should be different from existing!',
    });
    const after = succeeded(await s.users.resetPassword(token, 'another horse'));
    expect(after.tokensValidFrom).toBeGreaterThan(before.tokensValidFrom);
    expect((await s.accounts.login('ann@example.org', 'another horse', HERE)).ok).toBe(true);
    expect(await s.users.resetPassword(token, 'third horse')).toMatchObject(badRequest);
  });

  it('is for users who have a password and are enabled', async () => {
    const s = await scene();
    expect(await s.users.resetToken(s.admin, s.user.id)).toMatchObject({ message: 'User is not activated!' });
    await s.activate();
    const token = succeeded(await s.users.resetToken(s.admin, s.user.id));
    await s.users.setEnabled(s.admin, s.user.id, false);
    expect(await s.users.resetPassword(token, 'another horse')).toMatchObject(badRequest);
    const later = succeeded(await s.users.resetToken(s.admin, s.user.id));
    expect(await s.users.resetPassword(later, 'another horse')).toMatchObject({ code: 'accountDisabled' });
  });
});

describe('disabling and deleting users', () => {
  it('disabled users are kept out at once, and their tokens stay void when they are let in again', async () => {
    const s = await scene();
    const before = succeeded(await s.activate());
    await s.accounts.user(s.user.id);
    const disabled = succeeded(await s.users.setEnabled(s.admin, s.user.id, false));
    expect(succeeded(await s.accounts.user(s.user.id))).toMatchObject({ enabled: false });
    expect(disabled.tokensValidFrom).toBeGreaterThan(before.tokensValidFrom);
    expect(await s.accounts.login('ann@example.org', PASSWORD, HERE)).toMatchObject({ code: 'accountDisabled' });
    expect(await s.users.actAs(s.admin, s.user.id)).toMatchObject(badRequest);
    const enabled = succeeded(await s.users.setEnabled(s.admin, s.user.id, true));
    expect(enabled.tokensValidFrom).toBe(disabled.tokensValidFrom);
    expect((await s.accounts.login('ann@example.org', PASSWORD, HERE)).ok).toBe(true);
    expect(succeeded(await s.users.actAs(s.admin, s.user.id)).id).toBe(s.user.id);
  });

  it('users without a password cannot be enabled', async () => {
    const s = await scene();
    expect(await s.users.setEnabled(s.admin, s.user.id, true)).toMatchObject({
      message: 'Enabled user credentials should have password!',
    });
  });

  it('deleted users are gone at once, with their links', async () => {
    const s = await scene();
    await s.activate();
    const token = succeeded(await s.users.resetToken(s.admin, s.user.id));
    await s.accounts.user(s.user.id);
    expect(await s.users.remove(s.admin, s.user.id)).toEqual({ ok: true, value: null });
    expect(await s.accounts.user(s.user.id)).toMatchObject({ code: 'notFound' });
    expect(await s.users.resetPassword(token, 'another horse')).toMatchObject(badRequest);
    expect((await s.accounts.login('ann@example.org', PASSWORD, HERE)).ok).toBe(false);
    expect(await s.users.remove(s.admin, s.user.id)).toMatchObject({ code: 'notFound' });
  });

  it('administrators neither delete nor disable themselves', async () => {
    const s = await scene();
    const { id } = succeeded(await s.accounts.setFirstAdministrator('admin@example.org', PASSWORD));
    const self = { ...s.admin, userId: id };
    expect(await s.users.remove(self, id)).toMatchObject(badRequest);
    expect(await s.users.setEnabled(self, id, false)).toMatchObject(badRequest);
    expect((await s.accounts.login('admin@example.org', PASSWORD, HERE)).ok).toBe(true);
  });
});
