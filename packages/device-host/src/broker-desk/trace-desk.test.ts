import type { RawClient } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { EVERYTHING, type Scene, TENANT } from './test-scene.ts';
import { endScenes, open, value } from './testing/desk-scene.ts';

endScenes();

describe('a trace', () => {
  const types = (scene: Scene<RawClient>, id: string) =>
    value(scene.desk.trace(TENANT, id, EVERYTHING)).packets.data.map(({ direction, type }) => `${direction} ${type}`);

  it('records both ways until its time is over, and can be read for a while', async () => {
    const { scene, time } = await open();
    const client = scene.plain(scene.device('d2'), 'one');
    const startedAt = time.now();
    const trace = value(await scene.run(scene.desk.startTrace(TENANT, { clientId: 'one' }, 5_000)));
    expect(trace).toEqual({
      id: 'uuid-1',
      deviceId: null,
      clientId: 'one',
      startedAt,
      endsAt: startedAt + 5_000,
      endedAt: null,
      endedBy: null,
      packets: 0,
    });
    client.publish('t', { qos: 1, payload: 'x' });
    client.ping();
    expect(types(scene, trace.id)).toEqual(['in PUBLISH', 'out PUBACK', 'in PINGREQ', 'out PINGRESP']);
    const page = value(scene.desk.trace(TENANT, trace.id, { pageSize: 3, page: 1 }));
    expect(page.packets).toMatchObject({
      data: [{ type: 'PINGRESP', clientId: 'one', ts: startedAt }],
      hasNext: false,
    });
    time.advance(5_000);
    client.ping();
    expect(scene.desk.traces(TENANT)).toMatchObject([{ endedAt: startedAt + 5_000, endedBy: 'time', packets: 4 }]);
    expect(scene.broker.traced()).toEqual([]);
    time.advance(899_999);
    expect(types(scene, trace.id)).toHaveLength(4);
    time.advance(1);
    expect(scene.desk.trace(TENANT, trace.id, EVERYTHING)).toMatchObject({ ok: false, code: 'notFound' });
  });

  it('shows nothing of CONNECT', async () => {
    const { scene } = await open();
    const device = scene.device('d2', 'pushed');
    const trace = value(await scene.run(scene.desk.startTrace(TENANT, { device }, 5_000)));
    scene.pushed(device);
    expect(types(scene, trace.id)).toEqual(['out CONNACK']);
  });

  it('of a device finds connections that come later, also behind a lost one', async () => {
    const { scene, time } = await open();
    const device = scene.device('d2');
    const trace = value(await scene.run(scene.desk.startTrace(TENANT, { device }, 60_000)));
    expect(trace).toMatchObject({ deviceId: 'd2', clientId: null });
    const one = scene.plain(device, 'one');
    time.advance(1_000);
    one.ping();
    const other = scene.plain(device, 'two');
    scene.plain(scene.device('d20'), 'stranger').ping();
    time.advance(1_000);
    other.ping();
    one.lose();
    scene.plain(device, 'one');
    const clients = value(scene.desk.trace(TENANT, trace.id, EVERYTHING)).packets.data;
    expect(clients.map(({ clientId, type }) => `${clientId} ${type}`)).toEqual([
      'one PINGREQ',
      'one PINGRESP',
      'two PINGREQ',
      'two PINGRESP',
      'one CONNACK',
    ]);
  });

  it('of a device takes absent Sessions along', async () => {
    const { scene } = await open();
    const device = scene.device('d2');
    scene.plain(device, 'one').lose();
    const trace = value(await scene.run(scene.desk.startTrace(TENANT, { device }, 60_000)));
    scene.plain(device, 'one');
    expect(types(scene, trace.id)).toEqual(['out CONNACK']);
  });

  it('ends by itself when it is full', async () => {
    const { scene } = await open({ tracePackets: 3, traceBytes: 1_000 });
    const client = scene.plain(scene.device('d2'), 'one');
    const first = value(await scene.run(scene.desk.startTrace(TENANT, { clientId: 'one' }, 60_000)));
    for (let index = 0; index < 3; index++) client.ping();
    expect(types(scene, first.id)).toHaveLength(3);
    const second = value(await scene.run(scene.desk.startTrace(TENANT, { clientId: 'one' }, 60_000)));
    scene.describe = () => 'x'.repeat(2_000);
    client.ping();
    expect(types(scene, second.id)).toHaveLength(1);
    expect(scene.desk.traces(TENANT).map(({ endedBy }) => endedBy)).toEqual(['bytes', 'packets']);
    expect(scene.broker.traced()).toEqual([]);
  });

  it('that cannot read a packet ends, and the client notices nothing', async () => {
    const { scene } = await open();
    const client = scene.plain(scene.device('d2'), 'one');
    value(await scene.run(scene.desk.startTrace(TENANT, { clientId: 'one' }, 60_000)));
    scene.describe = () => {
      throw new TypeError('unreadable');
    };
    client.receive();
    client.ping();
    expect(client.receive()).toHaveLength(1);
    expect(scene.desk.traces(TENANT)).toMatchObject([{ endedBy: 'failed', packets: 0 }]);
    expect(scene.faults).toHaveLength(1);
  });

  it('is of one tenant, and may be ended', async () => {
    const { scene } = await open();
    const client = scene.plain(scene.device('d2'), 'one');
    expect(await scene.run(scene.desk.startTrace('tenant2', { clientId: 'one' }, 5_000))).toMatchObject({
      code: 'notFound',
      message: expect.stringContaining('No client with this Client Identifier'),
    });
    const { id } = value(await scene.run(scene.desk.startTrace(TENANT, { clientId: 'one' }, 60_000)));
    expect(scene.desk.trace('tenant2', id, EVERYTHING)).toMatchObject({ code: 'notFound' });
    expect(scene.desk.removeTrace('tenant2', id)).toMatchObject({ code: 'notFound' });
    expect(scene.desk.traces('tenant2')).toEqual([]);
    expect(scene.desk.removeTrace(TENANT, id)).toMatchObject({ ok: true });
    client.ping();
    expect(scene.desk.trace(TENANT, id, EVERYTHING)).toMatchObject({ code: 'notFound' });
    expect(scene.broker.traced()).toEqual([]);
  });

  it('is one of few, and old ones make room', async () => {
    const { scene, time } = await open({ tracesRunning: 3, tenantTracesRunning: 2, tenantTraces: 2 });
    const device = scene.device('d2', 'pushed');
    const foreign = scene.device('d3', 'pushed', 'tenant2');
    const start = (tenantId: string, durationMs: number) =>
      scene.run(scene.desk.startTrace(tenantId, { device: tenantId === TENANT ? device : foreign }, durationMs));
    value(await start(TENANT, 1_000));
    value(await start(TENANT, 60_000));
    expect(await start(TENANT, 60_000)).toMatchObject({ code: 'tooManyRequests' });
    value(await start('tenant2', 60_000));
    time.advance(1_000);
    value(await start(TENANT, 60_000));
    expect(scene.desk.traces(TENANT).map(({ id }) => id)).toEqual(['uuid-4', 'uuid-2']);
    expect(await start('tenant2', 60_000)).toMatchObject({
      code: 'tooManyRequests',
      message: expect.stringContaining('server'),
    });
  });
});
