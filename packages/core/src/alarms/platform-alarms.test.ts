import { callerOf, openTestRegistry, succeeded } from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '../model/entities.ts';
import type { Caller } from '../platform.ts';
import type { AlarmEvent } from './alarm-events.ts';
import { AlarmListeners } from './alarm-events.ts';
import { AlarmRecords } from './alarm-records.ts';
import type { AlarmInput } from './alarm-service.ts';
import { DeviceOriginators } from './originators.ts';
import { ALL_ALARMS, alarmQuery, openTestAlarms, type TestAlarms } from './testing/test-alarms.ts';

let t: TestAlarms;
let admin: Caller;
let device: Device;

beforeEach(async () => {
  t = await openTestAlarms();
  admin = t.registry.admin;
  device = await t.device('D1', await t.profile('plain', []));
});

function input(parts: Partial<AlarmInput> = {}): AlarmInput {
  return {
    id: null,
    originator: { entityType: 'DEVICE', id: device.id },
    type: 'High',
    severity: 'MAJOR',
    acknowledged: false,
    cleared: false,
    assigneeId: null,
    startTs: null,
    endTs: null,
    ackTs: null,
    clearTs: null,
    details: null,
    ...parts,
  };
}

const save = async (parts: Partial<AlarmInput> = {}) => succeeded(await t.alarms.save(admin, input(parts)));

async function customer(title: string): Promise<Caller> {
  const contact = {
    country: null,
    state: null,
    city: null,
    address: null,
    address2: null,
    zip: null,
    phone: null,
    email: null,
  };
  const given = { id: null, title, ...contact, additionalInfo: null, version: null };
  const { id } = succeeded(await t.registry.customers.save(admin, given));
  return callerOf('CUSTOMER_USER', admin.tenantId, id);
}

const assign = async (to: Caller) =>
  succeeded(await t.registry.customers.assignDevice(admin, to.customerId, device.id));

describe('alarms', () => {
  it('are at most one that is active for an originator and a type, however many ask at once', async () => {
    const saved = await Promise.all(Array.from({ length: 20 }, () => save()));
    expect(new Set(saved.map(({ id }) => id)).size).toBe(1);
    const [first] = saved;
    await save({ type: 'Low' });
    expect(succeeded(await t.alarms.list(admin, alarmQuery())).totalElements).toBe(2);
    succeeded(await t.alarms.clear(admin, first?.id ?? ''));
    expect((await save()).id).not.toBe(first?.id);
  });

  it('tell of every change, in its order', async () => {
    const { id } = await save();
    await save({ severity: 'CRITICAL' });
    await save({ severity: 'CRITICAL', details: { a: 1 } });
    await t.alarms.acknowledge(admin, id);
    await t.alarms.clear(admin, id);
    await t.alarms.remove(admin, id);
    await save({ acknowledged: true, cleared: true, ackTs: 5, clearTs: 6 });
    expect(t.events.map(({ kind }) => kind)).toEqual([
      'created',
      'severityChanged',
      'updated',
      'acknowledged',
      'cleared',
      'deleted',
      'created',
      'acknowledged',
      'cleared',
    ]);
    expect(t.events[1]).toMatchObject({ formerSeverity: 'MAJOR', alarm: { severity: 'CRITICAL' } });
    expect(t.events.at(-1)?.alarm).toMatchObject({ ackTs: 5, clearTs: 6, cleared: true, acknowledged: true });
  });

  it('are updated by their id also when they are cleared, but never change what they are about', async () => {
    const { id } = await save({ cleared: true });
    expect(await save({ id, severity: 'MINOR', endTs: 9 })).toMatchObject({
      id,
      severity: 'MINOR',
      cleared: true,
      endTs: 9,
    });
    expect(await t.alarms.save(admin, input({ id, type: 'Low' }))).toMatchObject({ ok: false, code: 'badRequest' });
    const missing = '99999999-9999-4999-8999-999999999999';
    expect(await t.alarms.save(admin, input({ id: missing }))).toMatchObject({
      code: 'notFound',
      message: `Alarm with id [${missing}] is not found`,
    });
  });

  it('are seen and handled by the customer of their device, who cannot delete them', async () => {
    const [own, other] = [await customer('Own'), await customer('Other')];
    await assign(own);
    const { id } = await save();
    for (const call of [
      (who: Caller) => t.alarms.get(who, id),
      (who: Caller) => t.alarms.ofOriginator(who, { entityType: 'DEVICE', id: device.id }, alarmQuery()),
      (who: Caller) => t.alarms.highestSeverity(who, { entityType: 'DEVICE', id: device.id }, ALL_ALARMS),
      (who: Caller) => t.alarms.save(who, input()),
      (who: Caller) => t.alarms.acknowledge(who, id),
      (who: Caller) => t.alarms.clear(who, id),
    ]) {
      expect(await call(other)).toMatchObject({ ok: false, code: 'permissionDenied' });
      expect(await call(callerOf('SYS_ADMIN', admin.tenantId))).toMatchObject({ ok: false, code: 'permissionDenied' });
      expect(await call(callerOf('TENANT_ADMIN', device.id))).toMatchObject({ ok: false });
      expect(await call(own)).toMatchObject({ ok: true });
    }
    expect(await t.alarms.remove(own, id)).toMatchObject({ code: 'permissionDenied' });
    expect(succeeded(await t.alarms.list(own, alarmQuery())).totalElements).toBe(1);
    expect(succeeded(await t.alarms.list(other, alarmQuery())).data).toEqual([]);
  });

  it('follow their device to another customer', async () => {
    const [first, second] = [await customer('First'), await customer('Second')];
    await assign(first);
    await save();
    await assign(second);
    expect(succeeded(await t.alarms.list(first, alarmQuery())).data).toEqual([]);
    await t.records.refreshOwner(device.id);
    expect(succeeded(await t.alarms.list(first, alarmQuery())).totalElements).toBe(0);
    expect(succeeded(await t.alarms.list(second, alarmQuery())).data).toMatchObject([{ originatorName: 'D1' }]);
  });

  it('are assigned to somebody who may see them', async () => {
    const own = await customer('Own');
    const { id } = await save();
    const user = async (email: string, customerId: string | null) => {
      const names = { firstName: null, lastName: 'L', additionalInfo: null, version: null };
      const authority = customerId === null ? 'TENANT_ADMIN' : 'CUSTOMER_USER';
      return succeeded(await t.registry.users.save(admin, { id: null, email, authority, customerId, ...names })).id;
    };
    const [colleague, guest] = [await user('a@example.org', null), await user('b@example.org', own.customerId)];
    expect(await t.alarms.assign(admin, id, guest)).toMatchObject({ code: 'badRequest' });
    await assign(own);
    expect(await t.alarms.assign(own, id, colleague)).toMatchObject({ code: 'notFound' });
    expect(succeeded(await t.alarms.assign(own, id, guest))).toMatchObject({
      assignee: { email: 'b@example.org', lastName: 'L' },
    });
    expect(await t.alarms.assign(own, id, guest)).toMatchObject({
      message: 'Alarm was already assigned to this user!',
    });
    expect(succeeded(await t.alarms.unassign(own, id))).toMatchObject({ assigneeId: null, assignTs: 0 });
    expect(await t.alarms.unassign(own, id)).toMatchObject({ message: 'Alarm was already unassigned!' });
  });

  it('go with their device, in slices, and their types with the last of them', async () => {
    for (let i = 0; i < 1100; i++) await save({ type: i < 3 ? 'Few' : 'Many', cleared: true });
    const other = await t.device('D2', await t.profile('other', []));
    await save({ type: 'Few', originator: { entityType: 'DEVICE', id: other.id } });
    expect(await t.records.removeAll(device.id)).toBe('stored');
    expect(succeeded(await t.alarms.list(admin, alarmQuery())).totalElements).toBe(1);
    const page = { pageSize: 10, page: 0, textSearch: null, sortProperty: 'type', sortOrder: 'ASC' } as const;
    expect(succeeded(await t.alarms.types(admin, page)).data).toEqual(['Few']);
  });

  it('are stored together with what belongs to their events, or not at all', async () => {
    const registry = await openTestRegistry();
    const { repositories, crypto, clock, locks } = registry;
    const listeners = new AlarmListeners(() => {});
    const told: AlarmEvent[] = [];
    listeners.add({ alarmChanged: (event) => told.push(event) });
    const originators = new DeviceOriginators(repositories);
    const beside = ({ kind, alarm }: AlarmEvent) => [{ kind: 'putSetting' as const, key: kind, value: alarm.type }];
    const records = new AlarmRecords({ repositories, crypto, clock, locks, originators, listeners, beside });
    const { createStep } = await import('./alarm-steps.ts');
    const owner = {
      id: device.id,
      tenantId: registry.defaultTenant.id,
      customerId: device.customerId,
      name: 'D',
      label: null,
    };
    const step = createStep(
      {
        id: crypto.uuid(),
        originator: input().originator,
        type: 'T',
        severity: 'MINOR',
        startTs: 1,
        endTs: 1,
        details: null,
      },
      owner,
      1,
    );
    expect(await records.commit([step])).toBe('done');
    expect(await repositories.setting('created')).toBe('T');
    expect(await records.commit([step])).toMatchObject({ kind: 'exists' });
    expect(told).toHaveLength(1);
  });
});
