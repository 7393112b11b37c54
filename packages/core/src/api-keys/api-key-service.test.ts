import { callerOf, listQuery, openTestRegistry, sampleUser, succeeded, type TestRegistry } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { type EntityId, NULL_ID, type User } from '../model/entities.ts';
import type { Caller } from '../platform.ts';
import type { ApiKeyInput } from './api-key.ts';

const HERE = '192.0.2.1';
const WRONG = `tb_${'A'.repeat(86)}`;

async function enter(t: TestRegistry, parts: Partial<User>): Promise<User> {
  const user = sampleUser(t.admin.tenantId, parts);
  await t.repositories.commit([{ kind: 'putUser', record: user, expectedVersion: null }]);
  return user;
}

const input = (userId: EntityId, parts: Partial<ApiKeyInput> = {}): ApiKeyInput => ({
  id: null,
  userId,
  description: 'a script',
  enabled: true,
  expirationTime: 0,
  ...parts,
});
const asCaller = ({ id, authority, tenantId, customerId }: User): Caller => ({
  userId: id,
  authority,
  tenantId,
  customerId,
});

async function scene() {
  const t = await openTestRegistry();
  const owner = await enter(t, {});
  const customerUser = await enter(t, { authority: 'CUSTOMER_USER', customerId: crypto.randomUUID() });
  const make = async (userId = owner.id, parts: Partial<ApiKeyInput> = {}) => {
    const { key, value } = succeeded(await t.apiKeys.save(t.admin, input(userId, parts)));
    return { key, value: value ?? '' };
  };
  return { ...t, owner, customerUser, make };
}

const badCredentials = { code: 'badCredentials' };

describe('API keys', () => {
  it('TBS-12 act for their user; disabled, expired and unknown ones are refused', async () => {
    const s = await scene();
    const { key, value } = await s.make();
    const use = (text = value) => s.apiKeys.authenticate(text, HERE);
    expect(succeeded(await use()).id).toBe(s.owner.id);
    expect(await use(WRONG)).toEqual({ ok: false, code: 'badCredentials', message: 'Invalid username or password' });
    succeeded(await s.apiKeys.setEnabled(s.admin, key.id, false));
    expect(await use()).toMatchObject({ code: 'accountDisabled', message: 'User account is not active' });
    succeeded(await s.apiKeys.setEnabled(s.admin, key.id, true));
    expect((await use()).ok).toBe(true);
    const late = await s.make(s.owner.id, { expirationTime: s.clock.now() + 1000 });
    expect((await use(late.value)).ok).toBe(true);
    s.clock.advance(1000);
    expect(await use(late.value)).toMatchObject({ code: 'authentication' });
    succeeded(await s.apiKeys.remove(s.admin, key.id));
    expect(await use()).toMatchObject(badCredentials);
  });

  it('TBS-13 show their text to their maker once, and no store ever has it', async () => {
    const s = await scene();
    const kept: string[] = [];
    const commit = s.repositories.commit.bind(s.repositories);
    Object.assign(s.repositories, {
      commit: (changes: Parameters<typeof commit>[0]) => {
        kept.push(JSON.stringify(changes));
        return commit(changes);
      },
    });
    const { key, value } = await s.make();
    expect(value).toMatch(/^tb_[A-Za-z0-9_-]{86}$/);
    expect((await s.make()).value).not.toBe(value);
    const list = succeeded(await s.apiKeys.list(s.admin, s.owner.id, listQuery()));
    const changed = await s.apiKeys.save(s.admin, input(s.owner.id, { id: key.id, description: 'renamed' }));
    expect(succeeded(changed)).toMatchObject({ value: null, key: { description: 'renamed', version: 2 } });
    expect(kept.join()).toContain('api_key');
    for (const text of [kept.join(), JSON.stringify(list), JSON.stringify(changed)]) {
      expect(text).not.toContain(value.slice(3));
    }
    expect(JSON.stringify(list)).not.toContain('hash');
  });

  it('stop with their user, disabled or removed', async () => {
    const s = await scene();
    const { value } = await s.make();
    await s.users.setEnabled(s.admin, s.owner.id, false);
    expect(await s.apiKeys.authenticate(value, HERE)).toMatchObject({ code: 'accountDisabled' });
    succeeded(await s.users.remove(s.admin, s.owner.id));
    expect(await s.apiKeys.authenticate(value, HERE)).toMatchObject(badCredentials);
    const next = await openTestRegistry({ repositories: s.repositories, crypto: s.crypto });
    expect(await next.apiKeys.authenticate(value, HERE)).toMatchObject(badCredentials);
    expect(await s.repositories.tenantDocuments(s.admin.tenantId)).toBe(0);
  });

  it('work after a restart', async () => {
    const s = await scene();
    const { value } = await s.make();
    const next = await openTestRegistry({ repositories: s.repositories, crypto: s.crypto });
    expect(succeeded(await next.apiKeys.authenticate(value, HERE)).id).toBe(s.owner.id);
  });

  it('slow a guesser down, and nobody whose key was right from there before', async () => {
    const s = await scene();
    const [used, fresh] = [await s.make(), await s.make()];
    const use = (value: string, from = HERE) => s.apiKeys.authenticate(value, from);
    expect((await use(used.value)).ok).toBe(true);
    for (let guess = 0; guess < 10; guess += 1) expect(await use(`tb_${guess}`)).toMatchObject(badCredentials);
    expect(await use(WRONG)).toMatchObject({ code: 'accountLocked' });
    expect(await use(fresh.value)).toMatchObject({ code: 'accountLocked' });
    expect((await use(used.value)).ok).toBe(true);
    expect((await use(fresh.value, '192.0.2.2')).ok).toBe(true);
    s.clock.advance(60_000);
    expect((await use(fresh.value)).ok).toBe(true);
  });

  it('are made for oneself, and by tenant administrators for users of their tenant', async () => {
    const s = await scene();
    const denied = { code: 'permissionDenied' };
    const self = asCaller(s.customerUser);
    const own = succeeded(await s.apiKeys.save(self, input(s.customerUser.id))).key;
    expect(own).toMatchObject({ userId: s.customerUser.id, tenantId: s.admin.tenantId });
    const { key } = await s.make();
    const foreign = callerOf('TENANT_ADMIN', '00000000-0000-4000-8000-0000000000bb');
    const system = callerOf('SYS_ADMIN', NULL_ID);
    const publicCaller = { ...self, isPublic: true };
    for (const caller of [self, foreign, system, publicCaller]) {
      expect(await s.apiKeys.save(caller, input(s.owner.id))).toMatchObject(denied);
      expect(await s.apiKeys.list(caller, s.owner.id, listQuery())).toMatchObject(denied);
      expect(await s.apiKeys.setEnabled(caller, key.id, false)).toMatchObject(denied);
      expect(await s.apiKeys.setDescription(caller, key.id, 'x')).toMatchObject(denied);
      expect(await s.apiKeys.remove(caller, key.id)).toMatchObject(denied);
    }
    expect((await s.apiKeys.remove(self, own.id)).ok).toBe(true);
    expect(await s.apiKeys.remove(self, own.id)).toMatchObject({ code: 'notFound' });
  });

  it('need a description, a time, and room among the keys of their user', async () => {
    const s = await scene();
    for (const parts of [
      { description: ' ' },
      { description: '<b>' },
      { expirationTime: -1 },
      { expirationTime: 0.5 },
    ]) {
      expect(await s.apiKeys.save(s.admin, input(s.owner.id, parts))).toMatchObject({ code: 'badRequest' });
    }
    for (let count = 0; count < 100; count += 1) await s.make();
    expect(await s.apiKeys.save(s.admin, input(s.owner.id))).toMatchObject({ code: 'limitExceeded' });
    const page = { ...listQuery(), sortProperty: 'description', textSearch: 'SCRIPT' };
    expect(succeeded(await s.apiKeys.list(s.admin, s.owner.id, page)).totalElements).toBe(100);
  });
});
