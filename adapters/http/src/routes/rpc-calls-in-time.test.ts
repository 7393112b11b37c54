import {
  CommandRouter,
  createRpcService,
  DEFAULT_PROFILE_SETTINGS,
  type GatewayCommand,
  PersistentRpc,
  type RpcService,
  refuse,
  success,
} from '@moorage/core';
import { FakeCrypto, FakeTime, MemoryRepositories } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TENANT_ID } from '../testing/fake-state.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

/** What a call has got so far: its status and body; null: nothing yet. */
interface Pending {
  got: [number, string] | null;
}

let t: TestServer;
let device: string;
let time: FakeTime;
let repositories: MemoryRepositories;
let listening: boolean;
let received: GatewayCommand[];
let router: CommandRouter;
let persistent: PersistentRpc;

/** A new run of the RPC part on the same store, behind the same HTTP server. */
async function startRpc(): Promise<void> {
  received = [];
  listening = false;
  router = new CommandRouter({
    scheduler: time,
    gateway: {
      send: (_deviceId, command, delivered) => {
        if (!listening) return 'notConnected';
        received.push(command);
        delivered?.('acknowledged');
        return 'sent';
      },
    },
  });
  persistent = new PersistentRpc({
    repositories,
    router,
    clock: time,
    scheduler: time,
    crypto: new FakeCrypto(time.monotonic()),
    deviceExists: () => true,
    observer: { rpcChanged: () => {}, fault: (error) => expect.unreachable(String(error)) },
  });
  await persistent.start();
  const settings = DEFAULT_PROFILE_SETTINGS;
  const ref = { id: device, tenantId: TENANT_ID, name: 'T1', profileId: 'p', gateway: false, settings };
  const access = { device: (_: unknown, id: string) => (id === device ? success(ref) : refuse('notFound')) };
  const service: RpcService = createRpcService({ router, persistent, repositories, clock: time, access });
  Object.assign(t.platform.rpc, {
    call: service.call.bind(service),
    get: service.get.bind(service),
    list: service.list.bind(service),
    remove: service.remove.bind(service),
  });
}

beforeEach(async () => {
  t = await openTestServer();
  device = await t.device();
  time = new FakeTime();
  repositories = new MemoryRepositories();
  await startRpc();
});
afterEach(async () => {
  await persistent.close();
  router.close();
  expect(time.timers).toBe(0);
  await t.server.close();
});

/** Lets requests that are under way come as far as they can. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    time.endTurn();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function begin(path: string, body: object): Promise<Pending> {
  const pending: Pending = { got: null };
  t.call('POST', `${path}/${device}`, body).then(({ statusCode, body: text }) => {
    pending.got = [statusCode, text];
  });
  await settle();
  return pending;
}

async function both(way: string, body: object): Promise<readonly Pending[]> {
  return [await begin(`/api/rpc/${way}`, body), await begin(`/api/plugins/rpc/${way}`, body)];
}

async function listen(): Promise<void> {
  listening = true;
  router.listening(device);
  persistent.listening(device);
  await settle();
}

async function advance(ms: number): Promise<void> {
  time.advance(ms);
  await settle();
}

const got = (calls: readonly Pending[]) => calls.map((call) => call.got);

describe('calls over HTTP', () => {
  it('TB-47 TBS-67 two-way give the JSON of the device, and 406 for something else (TBS-72)', async () => {
    await listen();
    const calls = await both('twoway', { method: 'm' });
    for (const { id } of received) router.answer(device, id, `{"n":${id}}`);
    const wrong = await begin('/api/rpc/twoway', { method: 'm' });
    router.answer(device, '2', 'not json');
    await settle();
    expect(got([...calls, wrong])).toEqual([
      [200, '{"n":0}'],
      [200, '{"n":1}'],
      [406, ''],
    ]);
  });

  it('TB-48 TBS-68 one-way are done when they are sent', async () => {
    await listen();
    expect(got(await both('oneway', { method: 'm' }))).toEqual([
      [200, ''],
      [200, ''],
    ]);
  });

  it('TB-49 TBS-69 TBS-71 to a silent device end after the timeout, 5 s at least, and not before', async () => {
    await listen();
    const calls = await both('twoway', { method: 'm', timeout: 1 });
    await advance(4999);
    expect(got(calls)).toEqual([null, null]);
    await advance(1);
    expect(got(calls)).toEqual([
      [504, ''],
      [408, ''],
    ]);
  });

  it('TB-49 TBS-70 to a device that is away end at the deadline', async () => {
    const calls = await both('oneway', { method: 'm', expirationTime: time.now() + 700, timeout: 60_000 });
    await advance(699);
    expect(got(calls)).toEqual([null, null]);
    await advance(1);
    expect(got(calls)).toEqual([
      [504, ''],
      [409, ''],
    ]);
  });

  it('TB-50 TBS-70 reach a device that subscribes before the deadline', async () => {
    const [call] = await both('twoway', { method: 'm' });
    await advance(3000);
    await listen();
    router.answer(device, '0', '1');
    await settle();
    expect(call?.got).toEqual([200, '1']);
    await advance(10_000);
  });

  it('TB-51 with a deadline that is past are answered at once and never sent', async () => {
    await listen();
    expect(got(await both('twoway', { method: 'm', expirationTime: time.now() - 1 }))).toEqual([
      [504, ''],
      [408, ''],
    ]);
    expect(received).toEqual([]);
  });

  it('TB-54 TBS-73 that persist answer at once, survive a restart, and end SUCCESSFUL or EXPIRED', async () => {
    const calls = await both('twoway', { method: 'm', persistent: true, timeout: 60_000 });
    const late = await begin('/api/rpc/oneway', { method: 'late', persistent: true, timeout: 5000 });
    const ids = [...calls, late].map((call) => String(JSON.parse(call.got?.[1] ?? '{}').rpcId));
    const states = async () => {
      const answers = await Promise.all(ids.map((id) => t.call('GET', `/api/rpc/persistent/${id}`)));
      return answers.map((answer) => answer.json().status);
    };
    expect(await states()).toEqual(['QUEUED', 'QUEUED', 'QUEUED']);
    await persistent.close();
    await startRpc();
    await advance(5000);
    await listen();
    expect(received.map(({ method }) => method)).toEqual(['m', 'm']);
    for (const { id } of received) router.answer(device, id, '{}');
    await settle();
    expect(await states()).toEqual(['SUCCESSFUL', 'SUCCESSFUL', 'EXPIRED']);
    const listed = await t.call('GET', `/api/rpc/persistent/device/${device}?pageSize=9&page=0&rpcStatus=EXPIRED`);
    expect(listed.json().data.map((record: { readonly id: { readonly id: string } }) => record.id.id)).toEqual([
      ids[2],
    ]);
  });

  it('TB-58 that persist are not delivered once they are deleted', async () => {
    const call = await begin('/api/rpc/twoway', { method: 'm', persistent: true });
    const { rpcId } = JSON.parse(call.got?.[1] ?? '{}');
    expect((await t.call('DELETE', `/api/rpc/persistent/${rpcId}`)).statusCode).toBe(200);
    await listen();
    expect(received).toEqual([]);
    expect((await t.call('GET', `/api/rpc/persistent/${rpcId}`)).statusCode).toBe(404);
  });
});
