import { AlarmListeners, AlarmRecords, DeviceOriginators, PlatformAlarms } from '@moorage/core';
import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const NULL_ID = '13814000-1dd2-11b2-8080-808080808080';
const UNKNOWN = '11111111-2222-4333-8444-555555555555';

let t: TestServer;
let device: string;

beforeAll(async () => {
  const registry = await openTestRegistry();
  const { repositories, crypto, clock, locks } = registry;
  const originators = new DeviceOriginators(repositories);
  const listeners = new AlarmListeners(() => {});
  const records = new AlarmRecords({ repositories, crypto, clock, locks, originators, listeners });
  const alarms = new PlatformAlarms({ records, repositories, originators, crypto, clock });
  t = await openTestServer({ platform: { ...(await registryPlatform(registry, fakeClaims())), alarms } });
  device = await t.device('T1');
});
afterAll(() => t.server.close());

const save = async (parts: object = {}) =>
  t.call('POST', '/api/alarm', {
    originator: { entityType: 'DEVICE', id: device },
    type: 'High',
    severity: 'CRITICAL',
    ...parts,
  });
const get = async (path: string) => (await t.call('GET', path)).json();

describe('alarms', () => {
  it('have the shape of ThingsBoard', async () => {
    const answer = await save({ details: { data: 'x' }, unknown: 1 });
    expect(answer.statusCode).toBe(200);
    const alarm = answer.json();
    expect(alarm).toEqual({
      id: { entityType: 'ALARM', id: expect.any(String) },
      createdTime: expect.any(Number),
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      customerId: { entityType: 'CUSTOMER', id: NULL_ID },
      name: 'High',
      type: 'High',
      originator: { entityType: 'DEVICE', id: device },
      severity: 'CRITICAL',
      acknowledged: false,
      cleared: false,
      status: 'ACTIVE_UNACK',
      assigneeId: null,
      startTs: alarm.createdTime,
      endTs: alarm.createdTime,
      ackTs: 0,
      clearTs: 0,
      assignTs: 0,
      details: { data: 'x' },
      propagate: false,
      propagateToOwner: false,
      propagateToTenant: false,
      propagateRelationTypes: [],
      originatorName: 'T1',
      originatorLabel: null,
      originatorDisplayName: 'T1',
      assignee: null,
    });
    expect(await get(`/api/alarm/info/${alarm.id.id}`)).toEqual(alarm);
    const { originatorName: _n, originatorLabel: _l, originatorDisplayName: _d, assignee: _a, ...bare } = alarm;
    expect(await get(`/api/alarm/${alarm.id.id}`)).toEqual(bare);
    const again = (await save({ severity: 'MINOR' })).json();
    expect(again).toMatchObject({ id: alarm.id, severity: 'MINOR', details: { data: 'x' } });
    const removed = await t.call('DELETE', `/api/alarm/${alarm.id.id}`);
    expect([removed.statusCode, removed.body]).toEqual([200, 'true']);
    expect(await get(`/api/alarm/${alarm.id.id}`)).toMatchObject({ status: 404, errorCode: 32 });
  });

  it('TBS-98 are acknowledged and cleared once, and their status takes the four values', async () => {
    const { id } = (await save({ type: 'Once' })).json().id;
    const post = async (action: string) => t.call('POST', `/api/alarm/${id}/${action}`);
    expect((await post('ack')).json()).toMatchObject({ status: 'ACTIVE_ACK', originatorName: 'T1' });
    const ackTwice = await post('ack');
    expect(ackTwice.json()).toMatchObject({ status: 400, errorCode: 31, message: 'Alarm was already acknowledged!' });
    expect((await post('clear')).json()).toMatchObject({ status: 'CLEARED_ACK', cleared: true });
    const clearTwice = await post('clear');
    expect(clearTwice.json()).toMatchObject({ status: 400, errorCode: 31, message: 'Alarm was already cleared!' });
    const second = (await save({ type: 'Once' })).json();
    expect(second).toMatchObject({ status: 'ACTIVE_UNACK' });
    expect(second.id.id).not.toBe(id);
    expect((await t.call('POST', `/api/alarm/${second.id.id}/clear`)).json()).toMatchObject({
      status: 'CLEARED_UNACK',
    });
  });

  it('TBS-99 are listed by one way of naming their status, ACTIVE being those that are not cleared', async () => {
    const cleared = (await save({ type: 'Listed', cleared: true })).json().id.id;
    const active = (await save({ type: 'Listed', acknowledged: true })).json().id.id;
    const list = `/api/alarm/DEVICE/${device}?pageSize=50&page=0&sortProperty=createdTime&textSearch=Listed`;
    const ids = async (query: string) =>
      (await get(`${list}${query}`)).data.map(({ id }: { id: { id: string } }) => id.id).sort();
    expect(await get(`${list}&searchStatus=ACTIVE&status=ACTIVE_ACK`)).toMatchObject({
      status: 400,
      message:
        "Invalid alarms search query: Both parameters 'searchStatus' and 'status' can't be specified at the same time!",
    });
    expect(await ids('')).toEqual([cleared, active].sort());
    expect(await ids('&searchStatus=ANY')).toEqual([cleared, active].sort());
    expect(await ids('&searchStatus=ACTIVE')).toEqual([active]);
    expect(await ids('&searchStatus=CLEARED')).toEqual([cleared]);
    expect(await ids('&searchStatus=ACK')).toEqual([active]);
    expect(await ids('&status=CLEARED_UNACK')).toEqual([cleared]);
    expect(await ids('&endTime=1')).toEqual([]);
    expect(await get(`/api/alarm/device/${device}?pageSize=1&page=0`)).toMatchObject({ totalElements: 4 });
  });

  it('are listed by lists of statuses, severities and types', async () => {
    await save({ type: 'V2', severity: 'WARNING' });
    const total = async (query: string) => (await get(`/api/v2/alarms?pageSize=1&page=0${query}`)).totalElements;
    expect(await total('&typeList=V2')).toBe(1);
    expect(await total('&typeList=V2,Once')).toBe(3);
    expect(await total('&typeList=V2&typeList=Once&statusList=ACTIVE')).toBe(1);
    expect(await total('&severityList=WARNING,MINOR')).toBe(1);
    expect(await total('&statusList=CLEARED,UNACK&typeList=Once')).toBe(1);
    expect(await get('/api/v2/alarms?pageSize=1&page=0&statusList=ODD')).toMatchObject({ status: 400 });
    const own = await get(`/api/v2/alarm/DEVICE/${device}?pageSize=9&page=0&typeList=V2`);
    expect(own.data).toMatchObject([{ severity: 'WARNING' }]);
    expect((await get('/api/alarms?pageSize=50&page=0&sortProperty=severity')).data.at(-1).severity).toBe('WARNING');
  });

  it('say their worst severity and their types', async () => {
    const highest = await t.call('GET', `/api/alarm/highestSeverity/DEVICE/${device}?searchStatus=ACTIVE`);
    expect([highest.statusCode, highest.body]).toEqual([200, '"CRITICAL"']);
    const other = await t.device('quiet');
    const none = await t.call('GET', `/api/alarm/highestSeverity/DEVICE/${other}`);
    expect([none.statusCode, none.body]).toEqual([200, '']);
    const types = await get('/api/alarm/types?pageSize=10&page=0&sortProperty=type&textSearch=o');
    expect(types).toMatchObject({ data: [{ entityType: 'ALARM', type: 'Once' }], totalElements: 1 });
  });

  it('are assigned to a user and taken back', async () => {
    const { id } = (await save({ type: 'Mine' })).json().id;
    const user = (await get('/api/auth/user')).id.id;
    const assigned = await t.call('POST', `/api/alarm/${id}/assign/${user}`);
    expect(assigned.json()).toMatchObject({
      assigneeId: { entityType: 'USER', id: user },
      assignee: { id: { entityType: 'USER', id: user }, email: 'admin@example.org' },
    });
    expect(await get(`/api/alarms?pageSize=9&page=0&assigneeId=${user}`)).toMatchObject({ totalElements: 1 });
    expect((await t.call('POST', `/api/alarm/${id}/assign/${user}`)).statusCode).toBe(400);
    expect((await t.call('POST', `/api/alarm/${id}/assign/${UNKNOWN}`)).statusCode).toBe(404);
    const back = await t.call('DELETE', `/api/alarm/${id}/assign`);
    expect(back.json()).toMatchObject({ assigneeId: null, assignee: null, assignTs: 0 });
    expect((await t.call('DELETE', `/api/alarm/${id}/assign`)).statusCode).toBe(400);
  });

  it('are refused with the reason', async () => {
    const refused = async (parts: object) => (await save(parts)).json();
    expect(await refused({ severity: 'BAD' })).toMatchObject({ status: 400, errorCode: 31 });
    expect(await refused({ type: ' ' })).toMatchObject({ status: 400, message: 'Alarm type should be specified!' });
    expect(await refused({ type: '<b>' })).toMatchObject({ status: 400 });
    expect(await refused({ originator: { entityType: 'DEVICE', id: UNKNOWN } })).toMatchObject({ status: 404 });
    expect(await refused({ originator: { entityType: 'ASSET', id: UNKNOWN } })).toMatchObject({
      status: 400,
      message: 'Alarms of ASSET are not supported!',
    });
    expect(await refused({ details: { data: 'x'.repeat(100_001) } })).toMatchObject({ status: 400 });
    expect(await get('/api/alarm/x')).toMatchObject({ status: 400, message: 'Invalid UUID string: x' });
    expect(await get('/api/alarms?pageSize=1&page=0&sortProperty=details')).toMatchObject({ status: 400 });
  });

  it('have no calls for what is not offered', async () => {
    for (const path of [`/api/alarm/${UNKNOWN}/comment`, '/api/alarm/rules', `/api/alarm/rule/${UNKNOWN}`]) {
      expect((await t.call('GET', path)).statusCode, path).toBe(501);
    }
    expect((await t.call('POST', '/api/alarm/rule', {})).statusCode).toBe(501);
    expect((await t.call('POST', `/api/alarm/${UNKNOWN}/comment`, {})).statusCode).toBe(501);
  });

  it('rules that could not be run are refused with the profile', async () => {
    const answer = await t.call('POST', '/api/deviceProfile', {
      name: 'P',
      profileData: { alarms: [{ alarmType: 'A' }] },
    });
    expect(answer.json()).toMatchObject({
      status: 400,
      message: 'Validation error: profileData.alarms[0].createRules must be an object of severities',
    });
  });
});
