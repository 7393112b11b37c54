import { FakeCrypto, FakeTime, MemoryRepositories } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { DeviceRef } from '../model/connect-registry.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import { gatewayNotice } from './gateway-notice.ts';
import type { PersistentRpcOptions } from './persistent-rpc.ts';
import { removeRpcRecords } from './rpc-records.ts';
import { TestRpc } from './test-device.ts';

function start(options: Partial<PersistentRpcOptions> = {}): Promise<TestRpc> {
  const world = { repositories: new MemoryRepositories(), time: new FakeTime(), crypto: new FakeCrypto() };
  return TestRpc.start(world, options);
}

const EXHAUSTED = (retries: number) =>
  `{"error":"There was a Timeout and all retry attempts have been exhausted. Retry attempts set: ${retries}"}`;

describe('a persistent RPC to a listening device', () => {
  it('TB-53 goes QUEUED, SENT, DELIVERED, SUCCESSFUL', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit({ method: 'set', params: '{"a":1}' });
    expect(t.devices.last()).toMatchObject({ id: '0', method: 'set', params: '{"a":1}' });
    expect(await t.status(id)).toBe('SENT');
    await t.acknowledge();
    expect(await t.status(id)).toBe('DELIVERED');
    await t.answer('{"big":9007199254740993}');
    expect(await t.record(id)).toMatchObject({ status: 'SUCCESSFUL', response: '{"big":9007199254740993}' });
    expect(t.history(id)).toEqual(['QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL']);
    expect(t.rpc.counters()).toMatchObject({ unfinished: 0, unsaved: 0 });
  });

  it('TB-56 ends DELIVERED after the acknowledgement if it is one-way, and ignores an answer', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit({ oneway: true });
    await t.acknowledge();
    await t.answer('1', '0');
    expect(await t.record(id)).toMatchObject({ status: 'DELIVERED', response: null });
    expect(t.router.counters().unknownAnswers).toBe(1);
    expect(t.rpc.counters().unfinished).toBe(0);
  });

  it('TB-56 is delivered as soon as it is written at QoS 0', async () => {
    const t = await start();
    t.devices.onSend = (command) => command.delivered('written');
    await t.listen();
    const [oneway, twoway] = [await t.submit({ oneway: true }), await t.submit()];
    expect([await t.status(oneway), await t.status(twoway)]).toEqual(['DELIVERED', 'DELIVERED']);
    expect(t.history(oneway)).toEqual(['QUEUED', 'SENT', 'DELIVERED']);
  });

  it('is successful also when the answer comes before the acknowledgement, even while it is sent', async () => {
    const t = await start();
    t.devices.onSend = ({ deviceId, id }) => t.commands.answer(deviceId, id, '1');
    await t.listen();
    const id = await t.submit();
    expect(await t.status(id)).toBe('SUCCESSFUL');
    await t.acknowledge();
    expect(t.rpc.counters()).toMatchObject({ unfinished: 0, lateDeliveries: 1 });
    await t.advance(600_000);
    expect(await t.status(id)).toBe('SUCCESSFUL');
  });

  it('keeps words that are not JSON as a text', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit();
    await t.answer('not json');
    expect(await t.record(id)).toMatchObject({ status: 'SUCCESSFUL', response: '"not json"' });
  });

  it('TB-52 ignores a second answer and counts it', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit();
    await t.answer('1');
    await t.answer('2', '0');
    expect((await t.record(id)).response).toBe('1');
    expect(t.router.counters().unknownAnswers).toBe(1);
  });

  it('is numbered together with the calls that are not persistent', async () => {
    const t = await start();
    await t.submit({ method: 'offline' });
    t.devices.listening.add('d1');
    const settings = DEFAULT_PROFILE_SETTINGS;
    const device: DeviceRef = { id: 'd1', tenantId: 't', name: 'd1', profileId: 'p', gateway: false, settings };
    const call = { tenantId: 't', device, method: 'call', params: '1', timeoutMs: 5000 };
    t.router.call({ ...call, oneway: false, waitForDevice: true }, () => {});
    await t.listen();
    await t.submit({ method: 'third' });
    expect(t.devices.received.map(({ id, method }) => `${id} ${method}`)).toEqual(['0 call', '1 offline', '2 third']);
    t.router.close();
  });

  it('fails if the protocol of the device has no word for it', async () => {
    const t = await start();
    t.devices.unsupported = true;
    const id = await t.submit();
    expect(await t.record(id)).toMatchObject({
      status: 'FAILED',
      response: '{"error":"Commands cannot be sent to devices of this kind"}',
    });
    expect(t.history(id)).toEqual(['QUEUED', 'FAILED']);
  });
});

describe('a persistent RPC without acknowledgement', () => {
  it('TB-57 goes TIMEOUT after 10 s, is sent again on the next subscription, and FAILED with the retries used up', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit({ retries: 1 });
    await t.advance(9_999);
    expect(await t.status(id)).toBe('SENT');
    await t.advance(1);
    expect(await t.status(id)).toBe('TIMEOUT');
    await t.advance(20_000);
    expect(t.devices.received).toHaveLength(1);
    await t.listen();
    expect(t.devices.received.map((command) => command.id)).toEqual(['0', '1']);
    await t.advance(10_000);
    expect(await t.record(id)).toMatchObject({ status: 'FAILED', response: EXHAUSTED(1), attempts: 1 });
    expect(t.history(id)).toEqual(['QUEUED', 'SENT', 'TIMEOUT', 'SENT', 'FAILED']);
    await t.listen();
    expect(t.devices.received).toHaveLength(2);
  });

  it.each([
    [null, 5],
    [9, 5],
    [3, 3],
    [0, 0],
    [-1, 0],
  ])('TB-57 with %s retries is sent again %i times', async (retries, effective) => {
    const t = await start();
    await t.listen();
    const id = await t.submit({ retries, expirationTime: t.time.now() + 3_600_000 });
    for (let i = 0; i < 8; i++) {
      await t.advance(10_000);
      await t.listen();
    }
    expect(t.devices.received).toHaveLength(effective + 1);
    expect((await t.record(id)).response).toBe(EXHAUSTED(effective));
  });

  it('is sent again when its connection was lost and another one listens', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit();
    t.devices.last().delivered('lost');
    await t.settle();
    expect(t.history(id)).toEqual(['QUEUED', 'SENT', 'TIMEOUT', 'SENT']);
    t.devices.listening.clear();
    t.devices.last().delivered('lost');
    await t.settle();
    expect([await t.status(id), t.devices.received.length]).toEqual(['TIMEOUT', 2]);
    await t.listen();
    expect([await t.status(id), t.devices.received.length]).toEqual(['SENT', 3]);
  });

  it('does not loop on a connection that loses all it is given', async () => {
    const t = await start();
    t.devices.onSend = (command) => command.delivered('lost');
    await t.listen();
    const id = await t.submit();
    await t.settle();
    expect(await t.status(id)).toBe('FAILED');
    expect(t.devices.received).toHaveLength(6);
  });

  it('takes a late acknowledgement and a late answer for what they are', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit();
    await t.advance(10_000);
    await t.acknowledge();
    expect(await t.status(id)).toBe('DELIVERED');
    await t.listen();
    expect(t.devices.received).toHaveLength(1);
    await t.answer('1');
    expect(t.history(id)).toEqual(['QUEUED', 'SENT', 'TIMEOUT', 'DELIVERED', 'SUCCESSFUL']);
  });

  it('ignores the answer to an earlier try once it was sent again', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit();
    await t.advance(10_000);
    await t.listen();
    await t.answer('1', '0');
    expect(await t.status(id)).toBe('SENT');
    await t.answer('2', '1');
    expect((await t.record(id)).response).toBe('2');
  });
});

describe('expiry', () => {
  it('TB-55 ends every unfinished state', async () => {
    const t = await start();
    const queued = await t.submit({ deviceId: 'away' });
    await t.listen();
    const delivered = await t.submit();
    await t.acknowledge();
    const timedOut = await t.submit();
    await t.advance(10_000);
    expect(await t.status(timedOut)).toBe('TIMEOUT');
    await t.advance(46_000);
    const sent = await t.submit({ expirationTime: t.time.now() + 4000 });
    await t.advance(4000);
    for (const id of [queued, delivered, timedOut, sent]) expect(await t.status(id)).toBe('EXPIRED');
    await t.listen('away');
    expect(t.devices.received).toHaveLength(3);
    await t.answer('1', '0');
    expect(await t.status(delivered)).toBe('EXPIRED');
    expect(t.rpc.counters().unfinished).toBe(0);
  });

  it('TB-55 records one that is past at once and never sends it', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit({ expirationTime: t.time.now() });
    expect(await t.status(id)).toBe('EXPIRED');
    expect(t.history(id)).toEqual(['EXPIRED']);
    await t.listen();
    expect(t.devices.received).toEqual([]);
  });

  it('TB-55 is seen before sending, also between two sweeps', async () => {
    const t = await start();
    const id = await t.submit({ expirationTime: t.time.now() + 500 });
    await t.advance(600);
    await t.listen();
    expect(t.devices.received).toEqual([]);
    expect(await t.status(id)).toBe('EXPIRED');
  });

  it('deletes finished records after their age, and no other', async () => {
    const t = await start({ retentionMs: 86_400_000 });
    const expired = await t.submit();
    const waiting = await t.submit({ expirationTime: t.time.now() + 10 * 86_400_000 });
    await t.advance(86_400_000);
    expect(await t.status(expired)).toBe('EXPIRED');
    await t.advance(2 * 3_600_000);
    expect(await t.status(expired)).toBeNull();
    expect(await t.status(waiting)).toBe('QUEUED');
  });
});

describe('a persistent RPC to a device that is away', () => {
  it('TB-54 is delivered at the next subscription, the oldest first', async () => {
    const t = await start();
    for (const method of ['a', 'b', 'c']) await t.submit({ method });
    expect(t.devices.received).toEqual([]);
    await t.listen();
    expect(t.devices.methods).toEqual(['a', 'b', 'c']);
    await t.listen();
    expect(t.devices.methods).toHaveLength(3);
  });

  it('TB-54 TBS-73 is delivered after a restart as well, in the same order', async () => {
    const before = await start();
    const ids: string[] = [];
    for (const method of ['a', 'b', 'c']) ids.push(await before.submit({ method }));
    const t = await before.restart();
    expect(t.rpc.counters().unfinished).toBe(3);
    await t.submit({ method: 'd' });
    await t.listen();
    expect(t.devices.methods).toEqual(['a', 'b', 'c', 'd']);
    for (const command of [...t.devices.received]) {
      command.delivered('acknowledged');
      await t.answer(`"${command.method}"`, command.id);
    }
    expect((await t.record(ids[0] ?? '')).response).toBe('"a"');
    expect(await t.status(ids[2] ?? '')).toBe('SUCCESSFUL');
  });

  it('TB-54 is sent again after a restart if nobody knows whether it arrived', async () => {
    const before = await start();
    await before.listen();
    const id = await before.submit();
    expect(await before.status(id)).toBe('SENT');
    const t = await before.restart();
    expect(await t.status(id)).toBe('QUEUED');
    await t.listen();
    expect(t.devices.received).toHaveLength(1);
  });

  it('keeps DELIVERED, TIMEOUT and its retries across a restart', async () => {
    const before = await start();
    await before.listen();
    const delivered = await before.submit();
    await before.acknowledge();
    const timedOut = await before.submit({ retries: 1 });
    await before.advance(10_000);
    const t = await before.restart();
    expect([await t.status(delivered), await t.status(timedOut)]).toEqual(['DELIVERED', 'TIMEOUT']);
    await t.listen();
    expect(t.devices.received).toHaveLength(1);
    await t.advance(10_000);
    expect((await t.record(timedOut)).response).toBe(EXHAUSTED(1));
    await t.advance(60_000);
    expect(await t.status(delivered)).toBe('EXPIRED');
  });

  it('TBS-73 past its time at a restart is EXPIRED', async () => {
    const before = await start();
    const id = await before.submit();
    before.time.advance(100_000);
    const t = await before.restart();
    expect(await t.status(id)).toBe('EXPIRED');
  });

  it('is loaded whole, also when many were made in one millisecond', async () => {
    const before = await start({ maxUnfinishedPerDevice: 1000 });
    for (let i = 0; i < 250; i++) {
      if (i === 120) before.time.advance(1);
      await before.rpc.submit(before.submission({ method: String(i) }));
    }
    const t = await before.restart();
    await t.listen();
    for (let i = 0; i < 40; i++) await t.settle();
    expect(t.devices.methods).toEqual(Array.from({ length: 250 }, (_, i) => String(i)));
  });
});

describe('deletion', () => {
  it.each(['QUEUED', 'SENT', 'TIMEOUT'])('TB-58 prevents the delivery of one that is %s', async (state) => {
    const t = await start();
    if (state !== 'QUEUED') await t.listen();
    const id = await t.submit();
    if (state === 'TIMEOUT') await t.advance(10_000);
    expect(await t.status(id)).toBe(state);
    const sent = t.devices.received.length;
    expect(await t.rpc.remove(await t.record(id))).toEqual({ ok: true, value: null });
    await t.listen();
    await t.advance(60_000);
    expect(t.devices.received).toHaveLength(sent);
    expect(await t.status(id)).toBeNull();
    expect(t.history(id).at(-1)).toBe('DELETED');
    expect(t.rpc.counters()).toMatchObject({ unfinished: 0, unsaved: 0 });
    const after = await t.restart();
    await after.listen();
    expect(after.devices.received).toEqual([]);
  });

  it('that the store refuses leaves the record to be delivered', async () => {
    const t = await start();
    const id = await t.submit();
    t.world.repositories.troubles.push('failed');
    expect(await t.rpc.remove(await t.record(id))).toMatchObject({ ok: false, code: 'storageFailed' });
    await t.listen();
    expect(t.devices.received).toHaveLength(1);
    expect(await t.status(id)).toBe('SENT');
  });

  it('of a device ends its RPC, and its records go in slices', async () => {
    const t = await start({ maxUnfinishedPerDevice: 1000 });
    for (let i = 0; i < 600; i++) await t.rpc.submit(t.submission());
    const other = await t.submit({ deviceId: 'd2' });
    t.gone.add('d1');
    t.commands.removed('d1');
    expect(t.rpc.counters().unfinished).toBe(1);
    expect(await removeRpcRecords(t.world.repositories, 'd1')).toBe('stored');
    await t.listen();
    expect(t.devices.received).toEqual([]);
    expect(await t.status(other)).toBe('QUEUED');
    const after = await t.restart();
    expect(after.rpc.counters().unfinished).toBe(1);
  });

  it('of a device that was not finished before a restart: its RPC are not taken up again', async () => {
    const before = await start();
    const id = await before.submit();
    const t = await before.restart({ deviceExists: () => false });
    expect(t.rpc.counters().unfinished).toBe(0);
    await t.listen();
    await t.advance(100_000);
    expect([t.devices.received.length, t.told.length]).toEqual([0, 0]);
    expect(await removeRpcRecords(t.world.repositories, 'd1')).toBe('stored');
    expect(await t.status(id)).toBeNull();
  });

  it('of a device is finished later if the store is in trouble', async () => {
    const t = await start();
    const id = await t.submit();
    t.world.repositories.troubles.push('full');
    expect(await removeRpcRecords(t.world.repositories, 'd1')).toBe('full');
    expect(await t.status(id)).toBe('QUEUED');
    expect(await removeRpcRecords(t.world.repositories, 'd1')).toBe('stored');
    expect(await t.status(id)).toBeNull();
  });

  it('of a device while its RPC is being submitted leaves nothing behind', async () => {
    const t = await start();
    const submitted = t.rpc.submit(t.submission({ id: '00000000-0000-4000-8000-000000000001' }));
    t.gone.add('d1');
    t.commands.removed('d1');
    expect(await submitted).toMatchObject({ ok: false, code: 'notFound' });
    expect(await t.status('00000000-0000-4000-8000-000000000001')).toBeNull();
    expect(t.rpc.counters().unfinished).toBe(0);
  });
});

it('tells a gateway of a renamed device within a day and with 3 retries (thingsboard-device.md, 8)', async () => {
  const t = await start();
  const settings = DEFAULT_PROFILE_SETTINGS;
  const gateway: DeviceRef = { id: 'd1', tenantId: 't', name: 'g', profileId: 'p', gateway: true, settings };
  const id = await t.submit(gatewayNotice(gateway, 'gateway_device_renamed', '{"A":"B"}', t.time.now()));
  await t.advance(24 * 3_600_000 - 1000);
  await t.listen();
  expect(t.devices.last()).toMatchObject({ method: 'gateway_device_renamed', params: '{"A":"B"}' });
  await t.acknowledge();
  expect(await t.record(id)).toMatchObject({ status: 'DELIVERED', oneway: true, retries: 3 });
});

describe('submit strategies', () => {
  it('BURST sends all at once', async () => {
    const t = await start();
    for (const method of ['a', 'b', 'c']) await t.submit({ method });
    await t.listen();
    expect(t.devices.methods).toEqual(['a', 'b', 'c']);
  });

  it('SEQUENTIAL_ON_ACK waits for the acknowledgement, or for its timeout', async () => {
    const t = await start({ strategy: 'SEQUENTIAL_ON_ACK' });
    for (const method of ['a', 'b', 'c']) await t.submit({ method });
    await t.listen();
    expect(t.devices.methods).toEqual(['a']);
    await t.acknowledge();
    expect(t.devices.methods).toEqual(['a', 'b']);
    await t.advance(10_000);
    expect(t.devices.methods).toEqual(['a', 'b', 'c']);
  });

  it('SEQUENTIAL_ON_RESPONSE waits for the response, 30 s at most', async () => {
    const t = await start({ strategy: 'SEQUENTIAL_ON_RESPONSE' });
    for (const method of ['a', 'b']) await t.submit({ method });
    await t.submit({ method: 'c', oneway: true });
    await t.submit({ method: 'd' });
    await t.listen();
    await t.acknowledge();
    expect(t.devices.methods).toEqual(['a']);
    await t.answer('1');
    await t.acknowledge();
    expect(t.devices.methods).toEqual(['a', 'b']);
    await t.advance(29_999);
    expect(t.devices.methods).toEqual(['a', 'b']);
    await t.advance(1);
    await t.acknowledge();
    expect(t.devices.methods).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('bounds and trouble', () => {
  it('refuses more unfinished RPC than allowed, for a device and in all', async () => {
    const t = await start({ maxUnfinishedPerDevice: 2, maxUnfinished: 3 });
    await t.submit();
    const second = await t.submit();
    const refused = await t.rpc.submit(t.submission());
    expect(refused).toEqual({
      ok: false,
      code: 'tooManyRequests',
      message: 'The device has 2 unfinished persistent RPC already',
    });
    await t.submit({ deviceId: 'd2' });
    expect(await t.rpc.submit(t.submission({ deviceId: 'd3' }))).toMatchObject({ code: 'tooManyRequests' });
    await t.rpc.remove(await t.record(second));
    await t.submit({ deviceId: 'd3' });
  });

  it('refuses an id that is taken, and what cannot be stored', async () => {
    const t = await start();
    const id = await t.submit();
    expect(await t.rpc.submit(t.submission({ id }))).toMatchObject({ ok: false, code: 'badRequest' });
    t.world.repositories.troubles.push('full', 'failed');
    expect(await t.rpc.submit(t.submission())).toMatchObject({ code: 'storageFull' });
    expect(await t.rpc.submit(t.submission())).toMatchObject({ code: 'storageFailed' });
    expect(t.rpc.counters().unfinished).toBe(1);
  });

  it('writes states again until the store takes them', async () => {
    const t = await start();
    await t.listen();
    t.devices.onSend = () => t.world.repositories.troubles.push('failed', 'full');
    const id = await t.submit();
    expect(await t.status(id)).toBe('QUEUED');
    await t.acknowledge();
    await t.advance(1000);
    expect([await t.status(id), t.rpc.counters().unsaved]).toEqual(['QUEUED', 1]);
    await t.advance(1000);
    expect(await t.status(id)).toBe('DELIVERED');
    expect(t.history(id)).toEqual(['QUEUED', 'SENT', 'DELIVERED']);
  });

  it('reads again when the store could not be read', async () => {
    const t = await start();
    await t.submit();
    const { repositories } = t.world;
    const read = repositories.document;
    repositories.document = () => Promise.reject(new RangeError('unreadable'));
    await t.listen();
    expect([t.devices.received.length, t.faults.length]).toEqual([0, 1]);
    repositories.document = read;
    await t.advance(1000);
    expect(t.devices.received).toHaveLength(1);
  });

  it('leaves no timer when it is closed, and writes the last states', async () => {
    const t = await start();
    await t.listen();
    const id = await t.submit();
    t.devices.last().delivered('acknowledged');
    await t.submit();
    await t.rpc.close();
    expect(t.time.timers).toBe(0);
    expect(await t.status(id)).toBe('DELIVERED');
    t.devices.last().delivered('lost');
    expect(await t.rpc.submit(t.submission())).toMatchObject({ ok: false, message: 'The server is stopping' });
    const after = await t.restart();
    expect(after.rpc.counters().unfinished).toBe(2);
    await after.listen();
    expect(after.devices.received).toHaveLength(1);
  });

  it('survives an observer that throws', async () => {
    const t = await start({
      observer: {
        rpcChanged: () => {
          throw new RangeError('observer');
        },
        fault: () => {},
      },
    });
    await t.listen();
    const id = await t.submit();
    await t.acknowledge();
    expect(await t.status(id)).toBe('DELIVERED');
  });
});
