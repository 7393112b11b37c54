import { DeviceLinks, LinkIndex } from '@moorage/core';
import { openTestRegistry } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const UNKNOWN = '00000000-0000-4000-8000-0000000000ff';

let t: TestServer;
let a: string;
let b: string;

beforeEach(async () => {
  const registry = await openTestRegistry();
  const { repositories, crypto, clock, locks } = registry;
  const links = new DeviceLinks({
    repositories,
    index: new LinkIndex(),
    engine: { resultOf: () => ({ outcome: 'OFFLINE', time: 17 }), forget: () => undefined },
    deviceRef: (id) => registry.deviceRef(id),
    crypto,
    clock,
    locks,
    report: (error) => registry.reports.push(error),
  });
  t = await openTestServer({ platform: { ...(await registryPlatform(registry, fakeClaims())), links } });
  a = await t.device('A');
  b = await t.device('B');
});
afterEach(() => t.server.close());

describe('device link routes', () => {
  it('create a link from ids as objects or as text, and answer with both ends and the last outcome', async () => {
    const body = {
      name: 'button to lamp',
      source: { deviceId: { entityType: 'DEVICE', id: a }, key: 'pressed' },
      target: { deviceId: b.toUpperCase(), method: 'setLamp' },
      map: { true: 'on' },
    };
    const saved = await t.call('POST', '/api/link', body);
    expect([saved.statusCode, saved.json()]).toEqual([
      200,
      {
        id: { entityType: 'DEVICE_LINK', id: expect.any(String) },
        createdTime: expect.any(Number),
        tenantId: { entityType: 'TENANT', id: expect.any(String) },
        name: 'button to lamp',
        enabled: true,
        source: { deviceId: { entityType: 'DEVICE', id: a }, key: 'pressed' },
        target: { deviceId: { entityType: 'DEVICE', id: b }, method: 'setLamp', attribute: null },
        map: { true: 'on' },
        lastOutcome: 'OFFLINE',
        lastTime: 17,
        version: 1,
      },
    ]);
    const link = saved.json();
    const { id } = link;
    expect((await t.call('GET', `/api/link/${id.id}`)).json()).toEqual(saved.json());
    const page = await t.call('GET', '/api/links?pageSize=10&page=0');
    expect(page.json()).toEqual({ data: [saved.json()], totalPages: 1, totalElements: 1, hasNext: false });
    expect((await t.call('GET', '/api/links')).json()).toEqual(page.json());
    const changed = await t.call('POST', '/api/link', {
      ...link,
      target: { deviceId: b, attribute: 'lamp' },
      map: null,
      enabled: false,
    });
    expect(changed.json()).toMatchObject({ id, version: 2, enabled: false, map: null });
    expect(changed.json().target).toEqual({
      deviceId: { entityType: 'DEVICE', id: b },
      method: null,
      attribute: 'lamp',
    });
  });

  it('keep the map as it was sent', async () => {
    const map = { '': 1.5, ключ: { deep: [{ x: null }] } };
    const body = { name: 'l', source: { deviceId: a, key: 'k' }, target: { deviceId: b, method: 'm' }, map };
    const saved = await t.call('POST', '/api/link', body);
    expect(saved.json().map).toEqual(map);
    const poisoned = JSON.stringify(body).replace('"map":{', '"map":{"__proto__":"p",');
    expect((await t.call('POST', '/api/link', poisoned)).statusCode).toBe(400);
  });

  it('delete a link', async () => {
    const body = { name: 'l', source: { deviceId: a, key: 'k' }, target: { deviceId: b, method: 'm' } };
    const { id } = (await t.call('POST', '/api/link', body)).json();
    const removed = await t.call('DELETE', `/api/link/${id.id}`);
    expect([removed.statusCode, removed.body]).toEqual([200, '']);
    expect((await t.call('GET', `/api/link/${id.id}`)).json()).toMatchObject({ status: 404, errorCode: 32 });
  });

  it('TBS-17 refuse with the error object what no link can be', async () => {
    const source = { deviceId: a, key: 'k' };
    const target = { deviceId: b, method: 'm' };
    const cases: [object, number, number][] = [
      [{ source, target }, 400, 31],
      [{ name: 'l', source: { key: 'k' }, target }, 400, 31],
      [{ name: 'l', source: { deviceId: 'no uuid', key: 'k' }, target }, 400, 31],
      [{ name: 'l', source, target: { deviceId: b } }, 400, 31],
      [{ name: 'l', source, target: { ...target, attribute: 'x' } }, 400, 31],
      [{ name: 'l', source, target: { deviceId: { id: UNKNOWN }, method: 'm' } }, 404, 32],
      [{ id: { id: UNKNOWN }, name: 'l', source, target }, 404, 32],
      [{ name: 'l', source, target, map: [1] }, 400, 31],
    ];
    for (const [body, status, errorCode] of cases) {
      const answer = await t.call('POST', '/api/link', body);
      expect(answer.json(), JSON.stringify(body)).toEqual({
        status,
        message: expect.any(String),
        errorCode,
        timestamp: expect.any(Number),
      });
    }
  });
});
