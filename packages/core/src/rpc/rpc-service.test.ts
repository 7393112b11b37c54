import { callerOf, FakeCrypto, FakeTime, MemoryRepositories } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { type Result, refuse, success } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import type { PageQuery } from '../platform.ts';
import { createRpcService, MAX_KEPT_PARAMS, MAX_RPC_PARAMS, type RpcReply, type RpcRequest } from './rpc-service.ts';
import { TENANT, TestRpc } from './test-device.ts';

const ADMIN = callerOf('TENANT_ADMIN', TENANT);
const CUSTOMER = callerOf('CUSTOMER_USER', TENANT, '00000000-0000-4000-8000-0000000000cc');
const PAGE: PageQuery = { pageSize: 10, page: 0, textSearch: null, sortProperty: null, sortOrder: 'ASC' };
const DEVICE: DeviceRef = {
  id: 'd1',
  tenantId: TENANT,
  name: 'd1',
  profileId: 'p',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

async function setUp() {
  const world = { repositories: new MemoryRepositories(), time: new FakeTime(), crypto: new FakeCrypto() };
  const t = await TestRpc.start(world);
  const service = createRpcService({
    router: t.router,
    persistent: t.rpc,
    repositories: world.repositories,
    clock: t.time,
    access: {
      device: (caller, id): Result<DeviceRef> => {
        if (caller.tenantId !== TENANT) return refuse('permissionDenied');
        return id === 'd1' && !t.gone.has(id) ? success(DEVICE) : refuse('notFound');
      },
    },
    timeoutRange: ({ id }, method) => (id === 'd1' && method === 'quick' ? { minimum: 1000, maximum: 8000 } : null),
  });
  const request = (parts: Partial<RpcRequest> = {}): RpcRequest => ({
    method: 'm',
    params: 'null',
    oneway: false,
    timeoutMs: null,
    expirationTime: null,
    persistent: false,
    retries: null,
    additionalInfo: null,
    requestId: null,
    ...parts,
  });
  /** A call that runs while the test goes on. */
  const begin = (parts: Partial<RpcRequest> = {}) => {
    const call = { ended: null as Result<RpcReply> | null, giveUp: (): void => {} };
    service
      .call(ADMIN, 'd1', request(parts), (giveUp) => {
        call.giveUp = giveUp;
      })
      .then((result) => {
        call.ended = result;
      });
    return call;
  };
  const submit = async (parts: Partial<RpcRequest> = {}): Promise<string> => {
    const result = await service.call(ADMIN, 'd1', request({ persistent: true, ...parts }));
    await t.settle();
    if (!result.ok || result.value.kind !== 'persistent') throw new RangeError(JSON.stringify(result));
    return result.value.rpcId;
  };
  return { t, service, request, begin, submit };
}

describe('a call whose time the protocol limits', () => {
  it.each([null, 1000, 8000])('ALI-68 ends after the timeout %j, which is not raised', async (timeoutMs) => {
    const { t, begin } = await setUp();
    await t.listen();
    const call = begin({ method: 'quick', timeoutMs });
    await t.settle();
    t.time.advance((timeoutMs ?? 8000) - 1);
    await t.settle();
    expect(call.ended).toBeNull();
    t.time.advance(1);
    await t.settle();
    expect(call.ended).toMatchObject({ ok: true, value: { kind: 'timeout' } });
  });

  it('ALI-68 is refused with another time, and nothing is sent; a persistent one may take any', async () => {
    const { begin, t } = await setUp();
    await t.listen();
    const calls = [{ timeoutMs: 999 }, { timeoutMs: 8001 }].map((time) => begin({ method: 'quick', ...time }));
    await t.settle();
    for (const { ended } of calls) {
      expect(ended).toMatchObject({ ok: false, code: 'badRequest', message: expect.stringContaining('1000 to 8000') });
    }
    const other = begin({ method: 'quick', persistent: true, timeoutMs: 60_000 });
    await t.settle();
    expect(other.ended).toMatchObject({ ok: true, value: { kind: 'persistent' } });
  });
});

describe('a call that is not persistent', () => {
  it.each([
    ['{"a":1}', true],
    ['not json', false],
    ['', false],
  ])('TB-47 gives the answer %j', async (payload, json) => {
    const { t, begin } = await setUp();
    await t.listen();
    const call = begin();
    await t.settle();
    await t.answer(payload);
    expect(call.ended).toEqual(success({ kind: 'answer', payload, json }));
  });

  it('TB-48 is done when it is sent, if one-way', async () => {
    const { t, begin } = await setUp();
    await t.listen();
    const call = begin({ oneway: true });
    await t.settle();
    expect(call.ended).toEqual(success({ kind: 'sent' }));
  });

  it('TB-49 TB-51 TBS-71 ends after 5 s at least, as timeout or offline', async () => {
    const { t, begin } = await setUp();
    const offline = begin({ timeoutMs: 1 });
    await t.settle();
    await t.advance(4999);
    expect(offline.ended).toBeNull();
    await t.advance(1);
    expect(offline.ended).toEqual(success({ kind: 'offline' }));
    await t.listen();
    const silent = begin({ timeoutMs: 1 });
    await t.settle();
    await t.advance(5000);
    expect(silent.ended).toEqual(success({ kind: 'timeout' }));
  });

  it('TB-51 is never sent when its expirationTime is past', async () => {
    const { t, begin } = await setUp();
    await t.listen();
    const call = begin({ expirationTime: t.time.now() - 1, timeoutMs: 60_000 });
    await t.settle();
    expect(call.ended).toEqual(success({ kind: 'expired' }));
    expect(t.devices.received).toEqual([]);
  });

  it('ends when its caller gives it up, and leaves nothing', async () => {
    const { t, begin } = await setUp();
    const call = begin();
    await t.settle();
    const timers = t.time.timers;
    call.giveUp();
    call.giveUp();
    await t.settle();
    expect(call.ended).toEqual(success({ kind: 'abandoned' }));
    expect(t.time.timers).toBe(timers - 1);
    await t.listen();
    expect(t.devices.received).toEqual([]);
  });

  it('is refused where its device cannot take it, and when the server stops', async () => {
    const { t, begin } = await setUp();
    const waiting = begin();
    await t.settle();
    t.router.close();
    await t.settle();
    expect(waiting.ended).toMatchObject({ ok: false, message: 'The server is stopping' });
    const other = await setUp();
    other.t.devices.unsupported = true;
    const call = other.begin();
    await other.t.settle();
    expect(call.ended).toMatchObject({ ok: false, code: 'notImplemented' });
  });

  it('is refused beyond the pending calls of a device', async () => {
    const { t, begin } = await setUp();
    const calls = Array.from({ length: 101 }, () => begin());
    await t.settle();
    expect(calls.map(({ ended }) => ended).filter((ended) => ended !== null)).toMatchObject([
      { ok: false, code: 'tooManyRequests' },
    ]);
  });
});

describe('what a call needs', () => {
  it.each([
    ['an empty method', { method: '' }, 'The method is empty'],
    ['a long method', { method: 'x'.repeat(256) }, 'The method has more than 255 characters'],
    ['large params', { params: `"${'x'.repeat(MAX_RPC_PARAMS)}"` }, 'The params exceed 262144 characters'],
    [
      'large kept params',
      { persistent: true, params: `"${'x'.repeat(MAX_KEPT_PARAMS)}"` },
      'params and additionalInfo of a persistent RPC exceed 65536 characters',
    ],
  ])('is checked: %s', async (_, parts, message) => {
    const { service, request } = await setUp();
    expect(await service.call(ADMIN, 'd1', request(parts))).toEqual(refuse('badRequest', message));
  });

  it('is a device that the caller may command', async () => {
    const { service, request } = await setUp();
    expect(await service.call(ADMIN, 'd2', request())).toMatchObject({ code: 'notFound' });
    const stranger = callerOf('TENANT_ADMIN', '00000000-0000-4000-8000-0000000000bb');
    expect(await service.call(stranger, 'd1', request())).toMatchObject({ code: 'permissionDenied' });
  });
});

describe('persistent RPC', () => {
  it('TB-53 TBS-73 answers with the id at once, and is read with all its parts', async () => {
    const { t, service, submit } = await setUp();
    const id = await submit({ params: '{"a":1.0}', retries: 2, additionalInfo: { b: [1] }, timeoutMs: 60_000 });
    expect(await service.get(ADMIN, id)).toEqual(
      success({
        id,
        createdTime: t.time.now(),
        tenantId: TENANT,
        deviceId: 'd1',
        method: 'm',
        params: '{"a":1.0}',
        oneway: false,
        expirationTime: t.time.now() + 60_000,
        retries: 2,
        attempts: 0,
        status: 'QUEUED',
        response: null,
        additionalInfo: { b: [1] },
      }),
    );
  });

  it('TB-51 takes its id and its expirationTime from the request', async () => {
    const { t, service, submit } = await setUp();
    const requestId = '00000000-0000-4000-8000-00000000abcd';
    const expirationTime = t.time.now() + 99 * 86_400_000;
    expect(await submit({ requestId, expirationTime, timeoutMs: 1 })).toBe(requestId);
    expect(await service.get(ADMIN, requestId)).toMatchObject({ value: { expirationTime } });
  });

  it('is listed by device and status, sorted and searched', async () => {
    const { t, service, submit } = await setUp();
    const early = await submit({ method: 'Reboot' });
    t.time.advance(10);
    const late = await submit({ method: 'blink' });
    await t.rpc.submit(t.submission({ deviceId: 'd2' }));
    const past = await submit({ method: 'past', expirationTime: 1 });
    const ids = async (query: Partial<PageQuery>, status: 'QUEUED' | 'EXPIRED' | 'SENT' | null = null) => {
      const page = await service.list(ADMIN, 'd1', { ...PAGE, ...query }, status);
      return page.ok ? page.value.data.map(({ id }) => id) : page.message;
    };
    expect(await ids({ sortProperty: 'createdTime' }, 'QUEUED')).toEqual([early, late]);
    expect(await ids({ sortProperty: 'createdTime', sortOrder: 'DESC' }, 'QUEUED')).toEqual([late, early]);
    expect(await ids({}, 'EXPIRED')).toEqual([past]);
    expect(await ids({}, 'SENT')).toEqual([]);
    expect(await ids({ textSearch: 'REB' })).toEqual([early]);
    expect(await ids({ sortProperty: 'moon' })).toBe("Unsupported sort property 'moon'!");
    const page = await service.list(ADMIN, 'd1', { ...PAGE, pageSize: 2 }, null);
    expect(page).toMatchObject({ value: { totalElements: 3, totalPages: 2, hasNext: true } });
    expect(await service.list(ADMIN, 'd2', PAGE, null)).toMatchObject({ code: 'notFound' });
  });

  it('TB-58 is deleted by tenant administrators only', async () => {
    const { t, service, submit } = await setUp();
    const id = await submit();
    expect(await service.remove(CUSTOMER, id)).toMatchObject({ code: 'permissionDenied' });
    expect(await service.remove(ADMIN, id)).toEqual(success(null));
    expect(await service.remove(ADMIN, id)).toMatchObject({ code: 'notFound' });
    await t.listen();
    expect(t.devices.received).toEqual([]);
  });

  it('is nobody else’s to see', async () => {
    const { t, service, submit } = await setUp();
    const id = await submit();
    expect(await service.get(CUSTOMER, id)).toMatchObject({ ok: true });
    expect(await service.get(callerOf('SYS_ADMIN', TENANT), id)).toMatchObject({ code: 'permissionDenied' });
    const stranger = callerOf('TENANT_ADMIN', '00000000-0000-4000-8000-0000000000bb');
    expect(await service.get(stranger, id)).toMatchObject({ code: 'permissionDenied' });
    expect(await service.remove(stranger, id)).toMatchObject({ code: 'permissionDenied' });
    t.gone.add('d1');
    expect(await service.get(ADMIN, id)).toMatchObject({ code: 'notFound' });
  });
});
