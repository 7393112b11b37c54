import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditEntry, AuditLog, NULL_ID, RevokedSessions } from '@moorage/core';
import { callerOf, deviceInput, FakeCrypto, FakeTime, listQuery, openTestRegistry, succeeded } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { SqliteRepositories } from './sqlite-repositories.ts';

const SYSTEM = { ...callerOf('SYS_ADMIN', NULL_ID), userId: '00000000-0000-4000-8000-00000000cccc' };
const CONTACT = { country: null, state: null, city: null, address: null, address2: null, zip: null, phone: null };
const NO_EXTRAS = { ...CONTACT, email: null, additionalInfo: null, version: null };

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function newFile() {
  const directory = mkdtempSync(join(tmpdir(), 'moorage-administration-'));
  directories.push(directory);
  return () =>
    SqliteRepositories.open({
      path: join(directory, 'core.sqlite'),
      report: (error) => expect.unreachable(error.message),
    });
}

describe('administration on SQLite', () => {
  it('keeps API keys, log-outs and the audit log across a restart', async () => {
    const open = newFile();
    const crypto = new FakeCrypto();
    let repositories = await open();
    const first = await openTestRegistry({ repositories, crypto });
    const admin = succeeded(await first.accounts.setFirstAdministrator('admin@example.org', 'correct horse'));
    const key = { id: null, userId: admin.id, description: 'script', enabled: true, expirationTime: 0 };
    const value = succeeded(await first.apiKeys.save(first.admin, key)).value ?? '';
    await first.revokedSessions.add(crypto.uuid(), first.clock.now() + 1000);
    const session = crypto.uuid();
    await first.revokedSessions.add(session, first.clock.now() + 2000);
    const time = new FakeTime();
    const options = { crypto, clock: time, scheduler: time, soleTenantId: () => null, count: () => undefined };
    const logOn = (store: SqliteRepositories) =>
      new AuditLog({ ...options, repositories: store, report: (error) => expect.unreachable(String(error)) });
    const entry: AuditEntry = {
      ts: 1000,
      tenantId: admin.tenantId,
      customerId: NULL_ID,
      userId: admin.id,
      userName: admin.email,
      entityType: 'DEVICE',
      entityId: session,
      entityName: 'Boiler',
      actionType: 'ADDED',
      actionData: { body: { name: 'Boiler' } },
      failure: null,
    };
    const log = logOn(repositories);
    for (let count = 0; count < 300; count += 1) log.record({ ...entry, ts: 1000 + count });
    log.record({ ...entry, ts: 5000, actionType: 'DELETED', failure: 'Version conflict' });
    log.record({ ...entry, tenantId: null, userId: null, ts: 6000, actionType: 'LOGIN', entityId: null });
    await log.close();
    await repositories.close();

    repositories = await open();
    const next = await openTestRegistry({ repositories, crypto });
    expect(succeeded(await next.apiKeys.authenticate(value, '192.0.2.1')).id).toBe(admin.id);
    expect(next.revokedSessions.has(session)).toBe(true);
    const sessions = await RevokedSessions.open(repositories, { now: () => first.clock.now() + 2000 });
    expect(sessions.has(session)).toBe(false);
    const query = { ...listQuery(), pageSize: 2, startTime: null, endTime: null, actionTypes: null };
    const lines = async (parts: object, scope: Parameters<AuditLog['list']>[1] = { of: 'tenant' }) =>
      succeeded(await logOn(repositories).list(next.admin, scope, { ...query, ...parts }));
    expect(await lines({})).toMatchObject({
      totalElements: 302,
      data: [{ actionType: 'LOGIN' }, { actionType: 'DELETED', failure: 'Version conflict', entityName: 'Boiler' }],
    });
    expect((await lines({ startTime: 1100, endTime: 1109, textSearch: 'boil' })).totalElements).toBe(10);
    expect((await lines({ actionTypes: ['LOGIN', 'DELETED'] })).totalElements).toBe(2);
    expect((await lines({}, { of: 'entity', entityType: 'DEVICE', entityId: session })).totalElements).toBe(301);
    expect((await lines({ sortProperty: 'failure', sortOrder: 'DESC' })).data[0]?.actionType).toBe('DELETED');
    await next.settled();
    await repositories.close();
  });

  it('takes a tenant apart, also after a restart in between', async () => {
    const open = newFile();
    const crypto = new FakeCrypto();
    let repositories = await open();
    const first = await openTestRegistry({ repositories, crypto });
    const tenant = succeeded(await first.tenants.save(SYSTEM, { id: null, title: 'Acme', region: null, ...NO_EXTRAS }));
    const admin = callerOf('TENANT_ADMIN', tenant.id);
    for (let count = 0; count < 20; count += 1) {
      succeeded(await first.devices.save(admin, deviceInput(`d${count}`), { accessToken: null }));
    }
    succeeded(await first.customers.save(admin, { id: null, title: 'Yard', ...NO_EXTRAS }));
    const removing = first.tenants.remove(SYSTEM, tenant.id);
    expect((await removing).ok).toBe(true);
    await first.settled();
    await repositories.close();

    repositories = await open();
    const next = await openTestRegistry({ repositories, crypto });
    await next.finishRemovals();
    expect(next.reports).toEqual([]);
    expect(await repositories.tenant(tenant.id)).toBeNull();
    expect(await repositories.tenantDocuments(tenant.id)).toBe(0);
    expect((await next.devices.list(admin, listQuery())).ok).toBe(true);
    expect(succeeded(await next.devices.list(admin, listQuery())).totalElements).toBe(0);
    expect(await repositories.removals()).toEqual([]);
    expect(succeeded(await next.tenants.list(SYSTEM, listQuery())).totalElements).toBe(1);
    await next.settled();
    await repositories.close();
  });
});
