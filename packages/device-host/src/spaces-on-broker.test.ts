import type { ApplicationRef, Completion, DialectWork } from '@moorage/core';
import {
  type DialectMessage,
  type Disposition,
  NOTHING,
  type Principal,
  perform,
  ROUTE,
  refuseMessage,
  type SpaceMessage,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import { Broker, type ConnectionHandler, MemoryRetainedStore, MemorySessionStore } from '@moorage/mqtt-broker';
import {
  FakeTime,
  MemoryStream,
  RawClient,
  readText,
  TEST_LISTENER,
  TestObserver,
  WHOLE_STANDARD,
} from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { deviceRef, FakeSession, FakeToken, type FixtureOptions, HostFixture, MESSAGE, points } from './test-fakes.ts';

const TENANT = 'tenant';
const PUBACK = 4;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const decoder = new TextDecoder();

const running: Broker[] = [];
afterEach(async () => {
  for (const broker of running.splice(0)) await broker.close();
});

/** A vendor whose topics are routed as the test says; `secret/…` on the wire is `~/…` in the space. */
class SpaceSession extends FakeSession {
  answer: (message: DialectMessage) => Disposition = () => ROUTE;
  readonly heard: string[] = [];

  override subscribe(topicFilter = '', options?: SubscriptionOptions): SubscriptionDecision {
    return { reasonCode: options?.qos ?? 0, enter: [topicFilter.replace('secret/', '~/')] };
  }

  override publish(message?: DialectMessage): Disposition {
    if (message === undefined) return NOTHING;
    this.heard.push(`${message.topicName}=${decoder.decode(message.payload)}`);
    return this.answer(message);
  }
}

class SecretSession extends SpaceSession {
  override answer = ({ topicName }: DialectMessage): Disposition => ({
    ...ROUTE,
    routeAs: topicName.replace('secret/', '~/'),
  });

  deliveredAs(topicName: string): string {
    return topicName.replace('~/', 'secret/');
  }
}

class WillSession extends SecretSession {
  readonly willIsMessage = true;
}

interface World {
  readonly sessions: MemorySessionStore;
  readonly retained: MemoryRetainedStore;
  readonly time: FakeTime;
}

function newWorld(): World {
  const time = new FakeTime();
  return { time, sessions: new MemorySessionStore(() => time.now()), retained: new MemoryRetainedStore() };
}

/** The host of one run of a server on a real broker. */
async function start(options: Partial<FixtureOptions> = {}, world = newWorld(), prepare = (_: HostFixture) => {}) {
  const { time, sessions, retained } = world;
  const fixture = new HostFixture({ time, ...options });
  const observer = new TestObserver();
  const clock = { clock: time, scheduler: time };
  const broker = new Broker({ authenticator: fixture.host, sessions, retained, ...clock, readText, observer });
  fixture.broker = broker;
  running.push(broker);
  prepare(fixture);
  await broker.start();
  const connect = (
    id: string,
    session: SpaceSession,
    who: Partial<Principal> = {},
    fields: Parameters<RawClient['connect']>[0] = {},
  ) => {
    const device = fixture.devices.get(id) ?? deviceRef(id);
    if (who.device !== null) fixture.devices.set(id, device);
    fixture.principal = { device, identity: id, account: 'acc', policy: WHOLE_STANDARD, ...who };
    fixture.session = session;
    const stream = new MemoryStream();
    broker.accept(stream, TEST_LISTENER);
    const client = new RawClient(stream, 5, () => time.endTurn());
    client.connect({ clientId: id, username: 'u', ...fields });
    return client;
  };
  return { fixture, observer, broker, connect, time, world };
}

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };

describe('names of a space', () => {
  it('differ from those on the wire where the dialect says so, for each client by its own session', async () => {
    const { connect } = await start();
    const plain = connect('d1', new SpaceSession());
    plain.subscribe('#');
    plain.receive();
    const secret = connect('d2', new SecretSession());
    secret.subscribe('secret/#');
    secret.receive();
    secret.publish('secret/x', { payload: '1', retain: true, qos: 1 });
    expect(plain.texts()).toEqual(['~/x=1']);
    expect(secret.texts()).toEqual(['secret/x=1']);
    const late = connect('d3', new SecretSession());
    late.subscribe('secret/x');
    expect(late.texts()).toEqual(['secret/x=1']);
  });

  it('are asked for by the broker only where the session has other ones', async () => {
    const { fixture } = await start();
    const handlerOf = (session: FakeSession): ConnectionHandler => {
      fixture.principal = { identity: 'x' };
      return fixture.connectSession(session).connection;
    };
    expect(handlerOf(new SpaceSession()).deliveredAs).toBeUndefined();
    expect(handlerOf(new SecretSession()).deliveredAs?.('~/a')).toBe('secret/a');
  });
});

describe('copies of a message', () => {
  const copy = (fields: Partial<SpaceMessage> = {}): SpaceMessage => ({
    tenantId: 'other',
    account: 'friend',
    topicName: 'shared/x',
    payload: bytes('copy'),
    qos: 1,
    retain: false,
    ...fields,
  });

  it('reach the subscribers of other spaces of the dialect, besides its own', async () => {
    const { connect } = await start();
    const friend = connect('f', new SpaceSession(), { tenantId: 'other', account: 'friend' });
    const stranger = connect('s', new SpaceSession(), { tenantId: 'other', account: 'stranger' });
    const own = connect('o', new SpaceSession());
    for (const client of [friend, stranger, own]) {
      client.subscribe('#', { qos: 1 });
      client.receive();
    }
    const session = new SpaceSession();
    // The payload is a view that is good during the call only.
    session.answer = ({ payload }) => ({ ...ROUTE, copies: [copy({ payload })] });
    connect('d1', session).publish('x', { payload: 'a', qos: 1 });
    expect([friend, stranger, own].map((client) => client.texts())).toEqual([['shared/x=a'], [], ['x=a']]);
  });

  it('hold the acknowledgement until they are stored for those who are away', async () => {
    const { fixture } = await start();
    const owed: Completion[] = [];
    fixture.broker = {
      ...fixture.broker,
      publish: (_space, _message, token) => {
        token?.hold();
        if (token) owed.push(token);
        return 1;
      },
    };
    fixture.principal = { account: 'acc', policy: WHOLE_STANDARD };
    const session = new SpaceSession();
    session.answer = () => ({ ...NOTHING, copies: [copy(), copy()] });
    const link = fixture.connectSession(session);
    const token = new FakeToken();
    link.connection.publish(MESSAGE, token);
    expect([token.held, token.outcomes]).toEqual([2, []]);
    for (const one of owed) one.release('stored');
    expect(token.outcomes).toEqual(['stored', 'stored']);
  });

  it('are retained if they say so and the policy of the sender honours it', async () => {
    const { connect, broker } = await start();
    const session = new SpaceSession();
    session.answer = () => ({ ...NOTHING, copies: [copy({ retain: true })] });
    connect('d1', session, { policy: { ...WHOLE_STANDARD, retained: 'ignored' } }).publish('x', { qos: 1 });
    expect(broker.statistics().retainedMessages).toBe(0);
    connect('d2', session).publish('x', { qos: 1 });
    const friend = connect('f', new SpaceSession(), { tenantId: 'other', account: 'friend' });
    friend.subscribe('shared/#');
    expect(friend.messages()).toMatchObject([{ topicName: 'shared/x', retain: true }]);
  });

  it('of a message that is refused or closes its connection go nowhere', async () => {
    const { connect } = await start();
    const friend = connect('f', new SpaceSession(), { tenantId: 'other', account: 'friend' });
    friend.subscribe('#');
    friend.receive();
    const session = new SpaceSession();
    const client = connect('d1', session);
    session.answer = () => ({ ...refuseMessage(0x87, 'no'), copies: [copy()] });
    client.publish('x', { qos: 1 });
    session.answer = () => ({ ...NOTHING, copies: [copy()], close: { reasonCode: 0x99, reason: 'no' } });
    client.publish('x', { qos: 1, packetIdentifier: 2 });
    expect(friend.messages()).toEqual([]);
  });
});

describe('work that only the dialect knows', () => {
  const ACCOUNT: ApplicationRef = { id: 'a1', tenantId: TENANT, name: 'account', enabled: true, configuration: {} };
  const work: DialectWork = { work: 'save' };
  const intent = { kind: 'dialectWork', work } as const;
  const account = { device: null, application: ACCOUNT, identity: 'a1' };

  it('is handed to the dialect with its principal, and the acknowledgement waits for it', async () => {
    const done: [Principal, DialectWork][] = [];
    const owed: Completion[] = [];
    const { connect, fixture, time } = await start({
      dialect: {
        work: (principal, asked, completion) => {
          done.push([principal, asked]);
          completion.hold();
          owed.push(completion);
        },
      },
    });
    const session = new SpaceSession();
    session.answer = () => perform([intent, { kind: 'telemetry', points: points() }]);
    const client = connect('a1', session, account);
    client.publish('x', { qos: 1 });
    expect(client.receive()).toEqual([]);
    expect(done).toMatchObject([[{ application: { id: 'a1' }, account: 'acc' }, work]]);
    // What is meant for a device is still ignored for whoever is none.
    expect(fixture.events).toEqual([]);
    owed[0]?.release('stored');
    time.endTurn();
    expect(client.receive()).toMatchObject([{ type: PUBACK, reasonCode: 0 }]);
  });

  it.each([
    ['is not done by a dialect that does none', {}],
    [
      'is not done by a dialect that breaks at it',
      {
        work: () => {
          throw new TypeError('broken');
        },
      },
    ],
  ])('%s: a fault of ours, and the message is not acknowledged', async (_, dialect) => {
    const { connect, fixture } = await start({ dialect });
    const session = new SpaceSession();
    session.answer = () => perform([intent]);
    const client = connect('a1', session, account);
    client.publish('x', { qos: 1 });
    expect(fixture.faults).toMatchObject([expect.any(TypeError)]);
    expect(client.receive().filter(({ type }) => type === PUBACK)).toEqual([]);
    expect(client.stream.ended).toBe(true);
  });
});

describe('messages behind SUBACK', () => {
  class HoldingSession extends SpaceSession {
    asked = 0;

    afterSubscribe() {
      this.asked++;
      return [{ topicName: 'last/CH1', payload: bytes(String(this.asked)), qos: 1 as const }];
    }
  }

  it('come after every SUBSCRIBE and once after a resumption, in front of the commands that wait', async () => {
    const { connect, fixture } = await start();
    const policy = { policy: WHOLE_STANDARD };
    const client = connect('d1', new HoldingSession(), policy, KEPT);
    fixture.platform.onListening = (id) =>
      void fixture.host.send(id, { kind: 'rpc', id: '0', method: 'm', params: '' });
    client.subscribe('a', { qos: 1 });
    expect(client.texts()).toEqual(['last/CH1=1', 'rpc/0=command']);
    client.subscribe('b');
    expect(client.texts()).toEqual(['last/CH1=2', 'rpc/0=command']);
    client.lose();
    const session = new HoldingSession();
    const back = connect('d1', session, policy, KEPT);
    const names = [...back.behindConnack(), ...back.receive()].map((one) => ('topicName' in one ? one.topicName : ''));
    expect([session.asked, names]).toEqual([1, ['last/CH1', 'rpc/0']]);
  });

  it('are none where the dialect fails to make them, and the subscription stands', async () => {
    const { connect, fixture } = await start();
    class Broken extends HoldingSession {
      override afterSubscribe(): never {
        throw new TypeError('broken');
      }
    }
    const client = connect('d1', new Broken());
    expect(client.subscribe('a').reasonCodes).toEqual([0]);
    expect(fixture.faults).toHaveLength(1);
    client.publish('a', { payload: '1' });
    expect(client.texts()).toEqual(['a=1']);
  });
});

describe('a Will as a message', () => {
  const will = { topicName: 'secret/will', payload: bytes('gone'), qos: 1, retain: false, properties: null } as const;
  const stored: Disposition = { ...perform([{ kind: 'telemetry', points: points(3) }]), route: true };
  const effects = ({ topicName }: DialectMessage): Disposition => ({
    ...stored,
    routeAs: topicName.replace('secret/', '~/'),
    copies: [{ tenantId: 'other', account: 'friend', topicName: 'copy', payload: bytes('c'), qos: 0, retain: false }],
  });

  function willing(): WillSession {
    const session = new WillSession();
    session.answer = effects;
    return session;
  }

  it('does what any message does: intents, another name in the space, copies', async () => {
    const { connect, fixture } = await start();
    const own = connect('o', new SpaceSession());
    const friend = connect('f', new SpaceSession(), { tenantId: 'other', account: 'friend' });
    for (const client of [own, friend]) {
      client.subscribe('#');
      client.receive();
    }
    const session = willing();
    connect('d1', session, {}, { will }).lose();
    expect(session.heard).toEqual(['secret/will=gone']);
    expect(fixture.events).toContain('telemetry d1 3');
    expect([own.texts(), friend.texts()]).toEqual([['~/will=gone'], ['copy=c']]);
  });

  it('goes its old way where the dialect does not say so', async () => {
    const { connect, fixture } = await start();
    const own = connect('o', new SpaceSession());
    own.subscribe('#');
    own.receive();
    const session = new SecretSession();
    connect('d1', session, {}, { will }).lose();
    expect(session.heard).toEqual([]);
    expect(own.texts()).toEqual(['secret/will=gone']);
    expect(fixture.events.filter((event) => event.startsWith('telemetry'))).toEqual([]);
  });

  it('of an absent Session is carried out with the device of the day, and not at all when that is gone', async () => {
    const { connect, fixture, time } = await start();
    const late = { ...will, properties: { willDelayInterval: 10 } };
    const renamed = deviceRef('d1', { name: 'renamed' });
    const session = willing();
    connect('d1', session, {}, { ...KEPT, will: late }).lose();
    fixture.devices.set('d1', renamed);
    time.advance(11_000);
    expect(session.changed).toEqual([renamed]);
    expect(fixture.events.at(-1)).toBe('telemetry d1 3');
    const other = willing();
    connect('d2', other, {}, { ...KEPT, will: late }).lose();
    fixture.devices.delete('d2');
    time.advance(11_000);
    expect(other.heard).toEqual([]);
  });

  it('that speaks for devices behind a gateway does not make them present', async () => {
    const { connect, fixture, time } = await start();
    const session = new WillSession();
    const behind = {
      kind: 'subDevice',
      name: 'A',
      type: null,
      intents: [{ kind: 'telemetry', points: points() }],
    } as const;
    session.answer = () => perform([behind]);
    connect('d1', session, {}, { ...KEPT, will: { ...will, properties: { willDelayInterval: 10 } } }).lose();
    time.advance(11_000);
    for (let round = 0; round < 10; round++) await Promise.resolve();
    expect(fixture.events).toContain('telemetry id-A 1');
    expect(fixture.events).not.toContain('connected id-A');
    expect(fixture.host.connectionCount).toBe(0);
  });

  it('that outlived the server is carried out at the start, in the account that its space names [O-21]', async () => {
    const first = await start();
    first.connect('d1', willing(), {}, { ...KEPT, will });
    const watcher = first.connect('w', new SpaceSession(), {}, KEPT);
    watcher.subscribe('#', { qos: 1 });
    const opened: Principal[] = [];
    const session = willing();
    const openSession = (principal: Principal) => {
      opened.push(principal);
      return session;
    };
    const again = { ...first.world, time: new FakeTime(first.time.now()) };
    const second = await start({ dialect: { openSession } }, again);
    expect(opened[0]).toMatchObject({ tenantId: TENANT, account: 'acc', identity: 'd1', device: { id: 'd1' } });
    expect(session.heard).toEqual(['secret/will=gone']);
    expect(second.fixture.events).toEqual(['telemetry d1 3']);
    expect(second.observer.of('will.published')).toBe(1);
    expect(second.world.sessions.statistics().messages).toBe(1);
  });

  it('that outlived the server belongs to an application too, as long as that is enabled [O-21]', async () => {
    for (const enabled of [true, false]) {
      const account: ApplicationRef = { id: 'a1', tenantId: TENANT, name: 'a', enabled, configuration: {} };
      const first = await start();
      const who = { device: null, application: account, identity: 'a1/client', account: 'a1' };
      first.connect('a1', new WillSession(), who, { ...KEPT, will: { ...will, retain: true } });
      const works: string[] = [];
      const session = new WillSession();
      session.answer = () => ({ ...ROUTE, routeAs: '~/will', intents: [{ kind: 'dialectWork', work: { work: 'w' } }] });
      const second = await start(
        {
          dialect: {
            openSession: () => session,
            work: ({ application, account: space }) => void works.push(`${application?.id} ${space}`),
          },
        },
        { ...first.world, time: new FakeTime(first.time.now()) },
        (fixture) => void fixture.applications.set('a1', account),
      );
      expect(works).toEqual(enabled ? ['a1 a1'] : []);
      expect(second.broker.statistics().retainedMessages).toBe(enabled ? 1 : 0);
    }
  });
});
