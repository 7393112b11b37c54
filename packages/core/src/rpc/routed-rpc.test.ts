import { callerOf, FakeCrypto, FakeTime, MemoryRepositories } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { type Result, success } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import type { RpcOutcome } from './rpc-call.ts';
import { createRpcService, type RpcReply, type RpcRequest } from './rpc-service.ts';
import { RoutedStore, TENANT, TestRpc } from './test-device.ts';

const WAVESHARE = { n2: '37', attributes: [], downlinkMaxPacket: 256, holdLast: false };
const DEVICE: DeviceRef = {
  id: 'd1',
  tenantId: TENANT,
  name: 'd1',
  profileId: 'p',
  gateway: false,
  settings: { ...DEFAULT_PROFILE_SETTINGS, waveshare: WAVESHARE },
};
const REQUEST: RpcRequest = {
  method: 'm',
  params: 'null',
  oneway: false,
  timeoutMs: null,
  expirationTime: null,
  persistent: false,
  retries: null,
  additionalInfo: null,
  requestId: null,
};

async function setUp(device = DEVICE) {
  const world = { repositories: new MemoryRepositories(), time: new FakeTime(), crypto: new FakeCrypto() };
  const t = await TestRpc.start(world);
  const routing = new RoutedStore();
  t.devices.routing = routing;
  const service = createRpcService({
    router: t.router,
    persistent: t.rpc,
    repositories: world.repositories,
    clock: t.time,
    access: { device: () => success(device) },
  });
  /** A call that runs while the test goes on. */
  const ask = (parts: Partial<RpcRequest> = {}) => {
    const call = { ended: null as Result<RpcReply> | null };
    void service.call(callerOf('TENANT_ADMIN', TENANT), 'd1', { ...REQUEST, ...parts }).then((result) => {
      call.ended = result;
    });
    return call;
  };
  const call = (waitForDevice: boolean, oneway = false): RpcOutcome[] => {
    const outcomes: RpcOutcome[] = [];
    const asked = { tenantId: TENANT, device, method: 'm', params: 'null', timeoutMs: 10_000, oneway, waitForDevice };
    t.router.call(asked, (outcome) => outcomes.push(outcome));
    return outcomes;
  };
  return { t, routing, ask, call };
}

describe('a call whose command is routed', () => {
  it.each([true, false])('ends as soon as it is kept, one-way or not (%s), for nobody answers', async (oneway) => {
    const { t, routing, call } = await setUp();
    routing.receivers = 3;
    const timers = t.time.timers;
    const outcomes = call(true, oneway);
    expect(outcomes).toEqual([]);
    routing.commit();
    expect(outcomes).toEqual([{ kind: 'routed', receivers: 3 }]);
    t.router.answer('d1', '0', '1');
    expect(t.time.timers).toBe(timers);
    expect(t.router.counters()).toMatchObject({ pending: 0, outcomes: { routed: 1 }, unknownAnswers: 1 });
  });

  it.each([true, false])(
    'WS-37 ends at once with 0 receivers, whether it may wait (%s), and never comes later',
    async (wait) => {
      const { t, routing, call } = await setUp();
      routing.receivers = 0;
      expect(call(wait)).toEqual([{ kind: 'routed', receivers: 0 }]);
      routing.receivers = 1;
      await t.listen();
      await t.advance(20_000);
      expect(routing.published).toBe(0);
    },
  );

  it('is told when the store could not keep it, and when it never answers', async () => {
    const { t, routing, call } = await setUp();
    const full = call(true);
    routing.commit('full');
    expect(full).toEqual([{ kind: 'notStored', outcome: 'full' }]);
    const silent = call(true);
    await t.advance(10_000);
    routing.commit();
    expect(silent).toEqual([{ kind: 'timeout' }]);
  });

  it('that is too large is not sent', async () => {
    const { routing, call } = await setUp();
    routing.tooLarge = true;
    expect(call(true)).toEqual([{ kind: 'tooLarge' }]);
    expect(routing.published).toBe(0);
  });

  it('answers a user with the number of receivers, or with the limit that it exceeds', async () => {
    const { t, routing, ask } = await setUp();
    const reached = ask();
    await t.settle();
    routing.commit();
    await t.settle();
    expect(reached.ended).toEqual(success({ kind: 'routed', receivers: 1 }));
    const full = ask();
    await t.settle();
    routing.commit('full');
    await t.settle();
    expect(full.ended).toMatchObject({ ok: false, code: 'storageFull' });
    routing.tooLarge = true;
    const large = ask();
    await t.settle();
    expect(large.ended).toEqual(
      success({
        kind: 'tooLarge',
        message: 'The command needs a larger packet than the 256 bytes that the device can take (downlinkMaxPacket)',
      }),
    );
  });
});

describe('a persistent RPC whose command is routed', () => {
  it.each([
    [true, 'DELIVERED'],
    [false, 'SUCCESSFUL'],
  ] as const)('one-way %s: is %s once it is kept for its receivers', async (oneway, status) => {
    const { t, routing } = await setUp();
    routing.receivers = 2;
    const id = await t.submit({ oneway });
    expect(await t.status(id)).toBe('SENT');
    routing.commit();
    await t.settle();
    expect(await t.record(id)).toMatchObject({ status, response: '{"receivers":2}' });
    expect(t.rpc.counters().unfinished).toBe(0);
  });

  it('waits while nobody would hear it, until its device listens', async () => {
    const { t, routing } = await setUp();
    routing.receivers = 0;
    const id = await t.submit();
    await t.advance(20_000);
    expect(await t.status(id)).toBe('QUEUED');
    routing.receivers = 1;
    await t.listen();
    routing.commit();
    await t.settle();
    expect(t.history(id)).toEqual(['QUEUED', 'SENT', 'SUCCESSFUL']);
  });

  it('expires if nobody ever hears it', async () => {
    const { t, routing } = await setUp();
    routing.receivers = 0;
    const id = await t.submit();
    await t.advance(61_000);
    expect(await t.status(id)).toBe('EXPIRED');
  });

  it('is tried again where the store failed', async () => {
    const { t, routing } = await setUp();
    const id = await t.submit();
    routing.commit('failed');
    await t.settle();
    expect(await t.record(id)).toMatchObject({ status: 'SENT', attempts: 1 });
    routing.commit();
    await t.settle();
    expect([await t.status(id), routing.published]).toEqual(['SUCCESSFUL', 2]);
  });

  it('that is too large fails, and the next one is sent', async () => {
    const { t, routing } = await setUp();
    routing.tooLarge = true;
    const id = await t.submit();
    expect(await t.record(id)).toMatchObject({
      status: 'FAILED',
      response: '{"error":"The command is larger than the device can take"}',
    });
    routing.tooLarge = false;
    const next = await t.submit();
    routing.commit();
    await t.settle();
    expect(await t.status(next)).toBe('SUCCESSFUL');
  });
});
