import {
  CommandRouter,
  DEFAULT_PROFILE_SETTINGS,
  DeviceActivity,
  type DeviceRef,
  PointList,
  TelemetryIngest,
  type TelemetryStore,
  ValueKind,
} from '@moorage/core';
import {
  type ConnectPacket,
  closeConnection,
  type Dialect,
  type DialectSession,
  type Disposition,
  NOTHING,
  type Principal,
  perform,
  ReasonCode,
  ROUTE,
  refuseMessage,
} from '@moorage/dialect-api';
import type { AcceptedPrincipal, ConnectionHandle, InboundMessage, ListenerInfo } from '@moorage/mqtt-broker';
import { describe, expect, it } from 'vitest';
import { CommandDesk } from './commands/command-desk.ts';
import { DeviceHost } from './device-host.ts';
import { plainSpace } from './feed/live-feed.ts';
import type { HostBroker } from './options.ts';
import { FakePlatform } from './test-fakes.ts';

const TENANT = 'tenant';
const via: ListenerInfo = {
  listener: 'mqtt',
  transport: 'tcp',
  remoteAddress: '10.0.0.1',
  remotePort: 5,
  pinnedDialect: null,
  serverName: null,
  clientCertificates: null,
};
const connect: ConnectPacket = {
  type: 1,
  level: 4,
  clientId: 'client',
  cleanStart: true,
  keepAlive: 0,
  will: null,
  username: 'A1B2C3D4E5F6G7H8I9J0',
  password: null,
  properties: null,
};

function deviceRef(id: string, name = id): DeviceRef {
  return { id, tenantId: TENANT, name, profileId: 'profile', gateway: false, settings: DEFAULT_PROFILE_SETTINGS };
}

/** A host with one dialect whose session answers what the test says, and fakes around it. */
function setUp() {
  const devices = new Map<string, DeviceRef>([['d1', deviceRef('d1', 'boiler')]]);
  let disposition: Disposition = NOTHING;
  let answer: 'accepted' | 'notMine' = 'accepted';
  const policy = {} as Principal['policy'];
  const subscribed: string[] = [];
  const changed: DeviceRef[] = [];
  const session: DialectSession = {
    subscribe: (topicFilter) => {
      subscribed.push(topicFilter);
      return { reasonCode: 0, enter: [] };
    },
    unsubscribe: () => null,
    deviceChanged: (device) => void changed.push(device),
    publish: () => disposition,
    command: (command) =>
      command.kind === 'rpc'
        ? [{ topicName: `rpc/${command.id}`, payload: new TextEncoder().encode(command.method), qos: 1 }]
        : 'notSupported',
    mayReceive: () => true,
    mayPublishWill: () => true,
  };
  const dialect: Dialect = {
    manifest: { id: 'test', title: 'Test', documents: [], capabilities: [] },
    recognise: () => 'maybe',
    authenticate: () =>
      answer === 'notMine'
        ? { outcome: 'notMine', reason: 'never heard of it' }
        : {
            outcome: 'accepted',
            principal: {
              dialect: 'test',
              tenantId: TENANT,
              device: devices.get('d1') ?? null,
              application: null,
              identity: 'd1',
              assignedClientId: null,
              account: null,
              policy,
            },
          },
    openSession: () => session,
    connectionGuide: () => ({ dialect: 'test', endpoints: [], fields: [], snippets: [] }),
  };
  const endOfTurn: (() => void)[] = [];
  const scheduler = {
    endOfTurn: (task: () => void) => void endOfTurn.push(task),
    every: () => () => {},
    after: () => () => {},
  };
  const clock = { now: () => 1000, monotonic: () => 1000 };
  const counted: string[] = [];
  const host = new DeviceHost({
    dialects: [dialect],
    credentials: {
      byUsername: () => undefined,
      byClientId: () => undefined,
      byCertificate: () => undefined,
      hasCertificateProfile: () => false,
      deviceOfChain: async () => ({ outcome: 'failed' }),
    },
    deviceRef: (id) => devices.get(id),
    deviceRefByName: (_tenant, name) => [...devices.values()].find((device) => device.name === name),
    clock,
    scheduler,
    text: (payload) => new TextDecoder().decode(payload),
    serverKeepAlive: null,
    applicationRef: () => undefined,
    anonymous: false,
    observer: {
      count: (event) => void counted.push(event),
      fault: (error) => {
        throw error;
      },
    },
  });
  let resolveAppend: (() => void) | undefined;
  const series = new Map([['temperature', 1]]);
  const telemetry = {
    seriesOf: () => series,
    append: () =>
      new Promise((resolve) => {
        resolveAppend = () => resolve('stored');
      }),
  } as unknown as TelemetryStore;
  const attributes = { save: async () => 'stored' as const, read: async () => [] };
  const ingest = new TelemetryIngest({ telemetry, attributes, clock, scheduler, observer: host });
  const activity = new DeviceActivity({
    attributes,
    clock,
    scheduler,
    changed: (owner, event, at) => host.activityChanged(owner, event, at),
    fault: () => {},
  });
  const published: { space: string; topicName: string; payload: string }[] = [];
  const held: boolean[] = [];
  const broker: HostBroker = {
    hasSubscribers: (space) => space === plainSpace(TENANT),
    publish: (space, message) =>
      published.push({ space, topicName: message.topicName, payload: new TextDecoder().decode(message.payload) }),
    reach: () => 0,
    dropSessions: (belongs, reasonCode) => {
      const keys = ['tenant/test/d1', 'tenant/test/d1/absent', 'tenant/test/d10', 'd1/test/other'].filter(belongs);
      return dropped.push(...keys.map((key): [string, number] => [key, reasonCode]));
    },
    holdPublishers: (hold) => void held.push(hold),
  };
  const dropped: [string, number][] = [];
  const router = new CommandRouter({ gateway: host, scheduler });
  const platform = new FakePlatform();
  platform.commands.answer = (deviceId, id, payload) => router.answer(deviceId, id, payload);
  host.attach({
    broker,
    ingest,
    activity,
    attributes,
    commands: new CommandDesk(router),
    platform,
  });

  const pushed: [string, string][] = [];
  const handle: ConnectionHandle = {
    number: 1,
    level: 4,
    clientId: 'client',
    via,
    lastReceivedAt: 0,
    push: (topicName, payload) => {
      if (payload instanceof Uint8Array) pushed.push([topicName, new TextDecoder().decode(payload)]);
    },
    disconnect: (reasonCode) => void dropped.push(['connection', reasonCode]),
  };
  return {
    host,
    subscribed,
    changed,
    devices,
    counted,
    published,
    dropped,
    held,
    pushed,
    handle,
    dispose: (next: Disposition) => {
      disposition = next;
    },
    answerWith: (next: 'accepted' | 'notMine') => {
      answer = next;
    },
    runTurn: () => {
      for (const task of endOfTurn.splice(0)) task();
    },
    commit: async () => {
      resolveAppend?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
    open: (): AcceptedPrincipal => {
      const accepted = host.authenticate(connect, via);
      if (accepted instanceof Promise || !accepted.accepted) throw new TypeError('not accepted');
      accepted.handler.opened(handle);
      return accepted;
    },
  };
}

const message: InboundMessage = {
  topicName: 't',
  payload: new Uint8Array(),
  qos: 1,
  retain: false,
  dup: false,
  properties: null,
  receivedAt: 5,
};

/** A token that notes what happens to it. */
function token() {
  const outcomes: string[] = [];
  let held = 0;
  return {
    outcomes,
    get held() {
      return held;
    },
    hold: () => {
      held++;
    },
    release: (outcome: string) => {
      held--;
      outcomes.push(outcome);
    },
  };
}

function temperature(): PointList {
  const points = new PointList();
  points.add(7, 'temperature', ValueKind.Double, 21.5);
  return points;
}

describe('DeviceHost', () => {
  it('names the Session by tenant, dialect and identity, and gives no space to a principal without account', () => {
    const { open } = setUp();
    expect(open()).toMatchObject({ sessionKey: 'tenant/test/d1', space: null });
  });

  it('holds the token of telemetry until the commit, then tells the live feed', async () => {
    const { open, dispose, runTurn, commit, published } = setUp();
    const { handler } = open();
    published.length = 0;
    dispose(perform([{ kind: 'telemetry', points: temperature() }]));
    const stake = token();
    expect(handler.publish(message, stake)).toEqual({ route: false, reasonCode: 0, close: null });
    runTurn();
    expect(stake.held).toBe(1);
    expect(published).toEqual([]);
    await commit();
    expect(stake.outcomes).toEqual(['stored']);
    expect(published).toEqual([
      {
        space: 'tenant/plain/',
        topicName: 'moorage/devices/boiler/telemetry',
        payload: '{"ts":7,"values":{"temperature":21.5}}',
      },
    ]);
  });

  it('turns refusals and closings of the dialect into verdicts and notes them in the connection log', () => {
    const { open, dispose, host } = setUp();
    const { handler } = open();
    dispose(refuseMessage(ReasonCode.TopicNameInvalid, 'unknown topic'));
    expect(handler.publish(message, token())).toEqual({ route: false, reasonCode: 0x90, close: null });
    dispose(closeConnection(ReasonCode.PayloadFormatInvalid, 'not JSON'));
    expect(handler.publish(message, token()).close).toEqual({ reasonCode: 0x99, reason: 'not JSON' });
    dispose(ROUTE);
    expect(handler.publish(message, token())).toEqual({ route: true, reasonCode: 0, close: null });
    expect(host.log.of('d1').map((entry) => entry.reason)).toEqual(['not JSON', 'unknown topic', 'connected']);
    expect(host.log.of('d1')[0]?.username).toBe('A1B2…(20)');
  });

  it('REC-37 notes a refused CONNECT with its row, what it looks like and what every dialect said, without password', () => {
    const { host, answerWith } = setUp();
    answerWith('notMine');
    const refusal = host.authenticate(
      { ...connect, username: 'dn&pk', password: new TextEncoder().encode('secret') },
      via,
    );
    expect(refusal).toMatchObject({ accepted: false, returnCode: 5, reasonCode: 0x86, delayMs: 0 });
    expect(host.log.of(null)[0]).toMatchObject({
      event: 'refused',
      row: 'F8',
      looksLike: 'alibaba',
      said: [{ dialect: 'test', reason: 'never heard of it' }],
    });
    expect(JSON.stringify(host.log.of(null))).not.toContain('secret');
  });

  it('REC-36 delays the answer to the eleventh failure of one name', () => {
    const { host, answerWith } = setUp();
    answerWith('notMine');
    const delays = Array.from({ length: 11 }, () => {
      const refusal = host.authenticate(connect, via);
      return refusal instanceof Promise || refusal.accepted ? -1 : refusal.delayMs;
    });
    expect(delays).toEqual([...Array(10).fill(0), 5000]);
  });

  it("revoking a principal drops its Sessions, connected and absent, and nobody else's, with 0x98", () => {
    const { open, host, dropped } = setUp();
    open();
    host.revoked('d1', 'deleted');
    expect(dropped).toEqual([
      ['tenant/test/d1', ReasonCode.AdministrativeAction],
      ['tenant/test/d1/absent', ReasonCode.AdministrativeAction],
    ]);
  });

  it('a changed device takes effect on its live connection, which stays', () => {
    const { open, host, dropped, devices, changed } = setUp();
    open();
    const renamed = { ...deviceRef('d1', 'kettle'), settings: { ...DEFAULT_PROFILE_SETTINGS, castStrings: false } };
    devices.set('d1', renamed);
    host.deviceChanged(renamed);
    expect(dropped).toEqual([]);
    expect(changed).toEqual([renamed]);
    expect(host.connectionsOf('d1')[0]?.principal.device?.name).toBe('kettle');
  });

  it('tells a new dialect session which subscriptions a resumed Session brought along', () => {
    const { open, subscribed } = setUp();
    const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    open().handler.resumed?.([{ topicFilter: 'rpc/+', options, grantedQoS: 1, enter: [] }]);
    expect(subscribed).toEqual(['rpc/+']);
  });

  it('a command of an application goes to the device, its answer to the asking connection only', () => {
    const { open, dispose, pushed } = setUp();
    const { handler } = open();
    dispose(perform([{ kind: 'rpcRequest', deviceName: 'boiler', id: '77', method: 'switch', params: 'null' }]));
    handler.publish(message, token());
    expect(pushed).toEqual([['rpc/0', 'switch']]);
    dispose(perform([{ kind: 'rpcResponse', id: '0', payload: '{"on":true}' }]));
    handler.publish(message, token());
    expect(pushed[1]).toEqual(['moorage/devices/boiler/rpc/response/77', '{"result":{"on":true}}']);
    dispose(perform([{ kind: 'rpcRequest', deviceName: 'a/b', id: '78', method: 'switch', params: 'null' }]));
    handler.publish(message, token());
    expect(pushed[2]?.[0]).toBe('moorage/devices/a%2Fb/rpc/response/78');
    expect(JSON.parse(pushed[2]?.[1] ?? '').error.code).toBe('notFound');
  });

  it('O-21 lets a Will of an earlier run go out only while its owner exists', () => {
    const { host, devices } = setUp();
    const will = { sessionKey: 'tenant/test/d1/client', space: 's', clientId: 'client', topicName: 't' };
    expect(host.mayPublishWill(will)).toBe(true);
    expect(host.mayPublishWill({ ...will, sessionKey: 'tenant/other/d1/client' })).toBe(false);
    expect(host.mayPublishWill({ ...will, sessionKey: 'tenant/test/anonymous/client' })).toBe(false);
    devices.clear();
    expect(host.mayPublishWill(will)).toBe(false);
  });

  it('passes the pressure of the stores on to the broker', () => {
    const { host, held, counted } = setUp();
    host.congestionChanged(true);
    host.congestionChanged(false);
    expect(held).toEqual([true, false]);
    expect(counted).toEqual(['store_congested', 'store_relieved']);
  });
});
