import { callerOf, FakeCrypto, FakeTime, listQuery, MemoryRepositories, sampleUser, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { NULL_ID } from '../model/entities.ts';
import { AUDIT_LOG } from './audit-collection.ts';
import type { AuditEntry, AuditQuery, AuditScope } from './audit-log.ts';
import { AuditLog, type AuditLogOptions } from './audit-service.ts';

const TENANT = '00000000-0000-4000-8000-0000000000aa';
const OTHER = '00000000-0000-4000-8000-0000000000bb';
const USER = '00000000-0000-4000-8000-0000000000cc';
const DEVICE = '00000000-0000-4000-8000-0000000000dd';
const DAY = 86_400_000;
const ADMIN = callerOf('TENANT_ADMIN', TENANT);

function scene(parts: Partial<AuditLogOptions> = {}) {
  const repositories = new MemoryRepositories();
  const time = new FakeTime();
  const counted = new Map<string, number>();
  const reports: unknown[] = [];
  const log = new AuditLog({
    repositories,
    crypto: new FakeCrypto(),
    clock: time,
    scheduler: time,
    soleTenantId: () => null,
    count: (event, amount) => void counted.set(event, (counted.get(event) ?? 0) + amount),
    report: (error) => reports.push(error),
    ...parts,
  });
  const record = (entry: Partial<AuditEntry> = {}) =>
    log.record({
      ts: time.now(),
      tenantId: TENANT,
      customerId: NULL_ID,
      userId: USER,
      userName: 'ann@example.org',
      entityType: 'DEVICE',
      entityId: DEVICE,
      entityName: 'Boiler',
      actionType: 'UPDATED',
      actionData: { entity: { name: 'Boiler' } },
      failure: null,
      ...entry,
    });
  const list = async (scope: AuditScope = { of: 'tenant' }, query: Partial<AuditQuery> = {}, caller = ADMIN) =>
    log.list(caller, scope, { ...listQuery(), startTime: null, endTime: null, actionTypes: null, ...query });
  const names = async (...of: Parameters<typeof list>) =>
    succeeded(await list(...of)).data.map(({ entityName }) => entityName);
  const stored = async () => {
    const window = { textSearch: null, sort: 'createdTime', descending: false, offset: 0, limit: 100_000 };
    return (await repositories.documents(AUDIT_LOG, { ...window, tenantId: null, conditions: [] })).total;
  };
  /** Lets what was begun in the background come to its end. */
  const turns = async () => {
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  };
  return { log, repositories, time, counted, reports, record, list, names, stored, turns };
}

describe('the audit log', () => {
  it('lists what was recorded, newest first, also what was recorded just before', async () => {
    const s = scene();
    s.record({ entityName: 'first' });
    s.time.advance(10);
    s.record({ entityName: 'second', failure: 'Version conflict' });
    expect(await s.names()).toEqual(['second', 'first']);
    const [line] = succeeded(await s.list()).data;
    expect(line).toEqual({
      id: expect.any(String),
      createdTime: s.time.now(),
      tenantId: TENANT,
      customerId: NULL_ID,
      userId: USER,
      userName: 'ann@example.org',
      entityType: 'DEVICE',
      entityId: DEVICE,
      entityName: 'second',
      actionType: 'UPDATED',
      actionData: { entity: { name: 'Boiler' } },
      failure: 'Version conflict',
    });
  });

  it('narrows to customer, user, entity, time, action and text', async () => {
    const s = scene();
    const start = s.time.now();
    s.record({ entityName: 'a', customerId: USER });
    s.time.advance(10);
    s.record({ entityName: 'b', userId: OTHER, actionType: 'DELETED' });
    s.time.advance(10);
    s.record({ entityName: 'c', entityId: OTHER, entityType: 'CUSTOMER' });
    s.record({ entityName: 'x', tenantId: OTHER });
    expect(await s.names({ of: 'customer', customerId: USER })).toEqual(['a']);
    expect(await s.names({ of: 'user', userId: OTHER })).toEqual(['b']);
    expect(await s.names({ of: 'entity', entityType: 'CUSTOMER', entityId: OTHER })).toEqual(['c']);
    expect(await s.names({ of: 'entity', entityType: 'DEVICE', entityId: OTHER })).toEqual([]);
    expect(await s.names({ of: 'tenant' }, { startTime: start + 10 })).toEqual(['c', 'b']);
    expect(await s.names({ of: 'tenant' }, { startTime: start + 1, endTime: start + 10 })).toEqual(['b']);
    expect(await s.names({ of: 'tenant' }, { actionTypes: ['DELETED', 'ADDED'] })).toEqual(['b']);
    expect(await s.names({ of: 'tenant' }, { textSearch: 'C' })).toContain('c');
    expect(await s.names({ of: 'tenant' }, { sortProperty: 'entityName', pageSize: 2 })).toEqual(['a', 'b']);
    expect(await s.names({ of: 'tenant' }, {}, callerOf('TENANT_ADMIN', OTHER))).toEqual(['x']);
  });

  it('is for administrators of the tenant alone', async () => {
    const s = scene();
    for (const caller of [callerOf('SYS_ADMIN', NULL_ID), callerOf('CUSTOMER_USER', TENANT, OTHER)]) {
      expect(await s.list({ of: 'tenant' }, {}, caller)).toMatchObject({ code: 'permissionDenied' });
    }
  });

  it('writes in batches behind the calls, and is not kept waiting by the store', async () => {
    const s = scene();
    const sizes: number[] = [];
    const commit = s.repositories.commit.bind(s.repositories);
    s.repositories.commit = (changes) => {
      sizes.push(changes.length);
      return commit(changes);
    };
    for (let count = 0; count < 450; count += 1) s.record();
    expect(sizes).toEqual([]);
    s.time.advance(500);
    await s.turns();
    expect(sizes).toEqual([200, 200, 50]);
    expect(s.time.timers).toBe(0);
  });

  it('keeps what the store refuses, in their order, and counts what is too much', async () => {
    const s = scene();
    s.repositories.troubles.push('full', 'failed');
    s.record({ entityName: 'first' });
    s.time.advance(500);
    await s.turns();
    expect(await s.stored()).toBe(0);
    s.time.advance(5000);
    await s.turns();
    for (let count = 0; count < 10_000; count += 1) s.record();
    expect(s.counted.get('audit.dropped')).toBe(1);
    s.time.advance(5000);
    await s.turns();
    await s.log.close();
    expect(await s.stored()).toBe(10_000);
  });

  it('writes what waits when it is closed, and takes nothing afterwards', async () => {
    const s = scene();
    s.log.start();
    s.record();
    await s.log.close();
    expect(await s.stored()).toBe(1);
    s.record();
    expect(s.counted.get('audit.dropped')).toBe(1);
    expect(s.time.timers).toBe(0);
  });

  it('shows a failed log-in to the tenant of the user, and an unknown name to the only tenant', async () => {
    const s = scene();
    const user = sampleUser(TENANT, { email: 'ann@example.org' });
    await s.repositories.commit([{ kind: 'putUser', record: user, expectedVersion: null }]);
    const login = { tenantId: null, userId: null, entityType: null, entityId: null, actionType: 'LOGIN' };
    s.record({ ...login, entityName: 'known', userName: ' Ann@example.org' });
    s.record({ ...login, entityName: 'unknown', userName: 'nobody' });
    expect(await s.names()).toEqual(['known']);
    const sole = scene({ soleTenantId: () => TENANT });
    sole.record({ ...login, entityName: 'unknown', userName: 'nobody' });
    expect(await sole.names()).toEqual(['unknown']);
  });

  it('is not filled by strangers', async () => {
    const s = scene({ soleTenantId: () => TENANT });
    for (let count = 0; count < 100; count += 1) s.record({ tenantId: null, userId: null });
    s.record({ entityName: 'mine' });
    await s.log.close();
    expect(await s.stored()).toBe(61);
    expect(s.counted.get('audit.dropped')).toBe(40);
  });

  it('removes lines after the retention, and the oldest of too many, in slices', async () => {
    const s = scene({ retentionDays: 2, maxLines: 300 });
    s.log.start();
    for (let count = 0; count < 1200; count += 1) s.record({ ts: s.time.now() - 3 * DAY });
    for (let count = 0; count < 400; count += 1) s.record({ ts: s.time.now() + count });
    expect(succeeded(await s.list()).totalElements).toBe(1600);
    const counts: number[] = [];
    for (const wait of [60_000, 100, 100, 100, 3_600_000]) {
      s.time.advance(wait);
      await s.turns();
      counts.push(await s.stored());
    }
    expect(counts).toEqual([1100, 600, 400, 300, 300]);
    await s.log.close();
  });

  it('reports a store that cannot be read, and goes on', async () => {
    const s = scene();
    s.repositories.userByEmail = () => Promise.reject(new TypeError('gone'));
    s.record({ tenantId: null, userId: null });
    s.time.advance(500);
    await s.turns();
    expect(s.reports).toHaveLength(1);
    expect(s.time.timers).toBe(1);
  });
});
