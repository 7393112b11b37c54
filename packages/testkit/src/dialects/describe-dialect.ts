import type { CredentialLookup, Device, DeviceCredentials, NameHolder } from '@moorage/core';
import type { Authentication, ConnectVia, DeviceLink, Dialect, DialectMessage, Principal } from '@moorage/dialect-api';
import { type ConnectPacket, isReasonCodeFor, PacketType, type ProtocolLevel, type QoS } from '@moorage/mqtt-codec';
import { describe, expect, it } from 'vitest';
import { hostileName, hostilePayload, hostileTopicFilter, hostileTopicName, SeededRandom } from './random-inputs.ts';

/** A dialect and what the suite must know to put it to the test. */
export interface DialectUnderTest {
  readonly dialect: Dialect;
  /** Holds the credential of `own` and nothing that is guessed easily. */
  readonly registry: CredentialLookup;
  /** A CONNECT that is accepted, and one with the same name and a wrong secret (null: there is no secret). */
  readonly own: { readonly connect: ConnectPacket; readonly wrongSecret: ConnectPacket | null };
  readonly topicNames: readonly string[];
  readonly topicFilters: readonly string[];
  /** A device of this dialect with every kind of credentials it may have. */
  readonly device: Device;
  readonly credentials: readonly DeviceCredentials[];
}

/** Tests of the suite that a dialect does not take part in, each with its reason. */
export type DialectSkips = Readonly<Record<string, string>>;

const LEVELS: readonly ProtocolLevel[] = [3, 4, 5];
const ROUNDS = 400;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A CONNECT with nothing in it but what is given. */
export function connectPacket(fields: Partial<Omit<ConnectPacket, 'type'>>): ConnectPacket {
  return {
    type: PacketType.Connect,
    level: 4,
    clientId: '',
    cleanStart: true,
    keepAlive: 60,
    will: null,
    username: null,
    password: null,
    properties: null,
    ...fields,
  };
}

/** A plain TCP listener without a pin. */
export function connectVia(fields: Partial<ConnectVia> = {}): ConnectVia {
  return {
    listener: 'test',
    transport: 'tcp',
    pinnedDialect: null,
    serverName: null,
    clientCertificates: null,
    ...fields,
  };
}

/** The connection as a dialect sees it. */
export function deviceLink(level: ProtocolLevel, clientId = 'client'): DeviceLink {
  return {
    level,
    clientId,
    text(payload) {
      try {
        return decoder.decode(payload);
      } catch {
        return undefined;
      }
    },
  };
}

/** A PUBLISH of a device at QoS 1, with text or bytes as payload. */
export function dialectMessage(
  topicName: string,
  payload: string | Uint8Array,
  fields: Partial<DialectMessage> = {},
): DialectMessage {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return {
    topicName,
    payload: bytes,
    qos: 1,
    retain: false,
    properties: null,
    receivedAt: 1_700_000_000_000,
    ...fields,
  };
}

/** A registry in memory: names and their holders. */
export function credentialLookup(
  usernames: Readonly<Record<string, NameHolder>>,
  clientIds: Readonly<Record<string, NameHolder>> = {},
): CredentialLookup {
  const byUsername = new Map(Object.entries(usernames));
  const byClientId = new Map(Object.entries(clientIds));
  return {
    byUsername: (username) => byUsername.get(username),
    byClientId: (clientId) => byClientId.get(clientId),
  };
}

function hostileConnect(random: SeededRandom, seeds: readonly string[]): ConnectPacket {
  const level = random.pick(LEVELS);
  const username = random.below(4) === 0 ? null : hostileName(random, seeds);
  const mayHavePassword = username !== null || level === 5;
  return connectPacket({
    level,
    clientId: hostileName(random, seeds),
    cleanStart: random.below(2) === 0,
    username,
    password: mayHavePassword && random.below(2) === 0 ? random.bytes(random.below(40)) : null,
  });
}

function hostileVia(random: SeededRandom, pins: readonly (string | null)[]): ConnectVia {
  return connectVia({
    transport: random.pick(['tcp', 'tls', 'ws', 'wss'] as const),
    pinnedDialect: random.pick(pins),
    serverName: random.pick([null, 'localhost', '__proto__']),
    clientCertificates: random.below(5) === 0 ? [random.bytes(16)] : null,
  });
}

function expectAuthentication(answer: Authentication, level: ProtocolLevel): void {
  if (answer.outcome === 'accepted') {
    expect(answer.principal.device !== null && answer.principal.application !== null).toBe(false);
    expect(level === 5 || answer.principal.assignedClientId !== '').toBe(true);
    return;
  }
  expect(answer.reason).toMatch(/\S/);
  if (answer.outcome === 'notMine') return;
  expect(answer.returnCode).toBeGreaterThanOrEqual(1);
  expect(answer.returnCode).toBeLessThanOrEqual(5);
  expect(answer.reasonCode).toBeGreaterThanOrEqual(0x80);
  expect(isReasonCodeFor(PacketType.Connack, answer.reasonCode, 'server')).toBe(true);
}

/**
 * What every dialect owes the host: it is pure, total and bounded, whatever the network sends. `factory` makes a fresh
 * dialect; a skipped test is named by its title.
 */
export function describeDialect(name: string, factory: () => DialectUnderTest, skips: DialectSkips = {}): void {
  const test = (title: string, run: (subject: DialectUnderTest) => void | Promise<void>): void => {
    const reason = skips[title];
    if (reason !== undefined) it.skip(`${title} (${reason})`, () => {});
    else it(title, () => run(factory()));
  };
  const seedsOf = ({ own }: DialectUnderTest) => [own.connect.clientId, own.connect.username ?? '', 'unknown'];
  const principalOf = async ({ dialect, own, registry }: DialectUnderTest): Promise<Principal> => {
    const answer = await dialect.authenticate(own.connect, connectVia(), registry);
    if (answer.outcome !== 'accepted') throw new TypeError(`${name} refuses its own device: ${answer.reason}`);
    return answer.principal;
  };

  describe(`dialect contract: ${name}`, () => {
    test('the manifest is complete', ({ dialect: { manifest } }) => {
      expect(manifest.id).toMatch(/^[a-z][a-z0-9]*$/);
      expect(manifest.title).toMatch(/\S/);
      expect(manifest.documents.length).toBeGreaterThan(0);
      expect(manifest.documents.every((document) => /\d/.test(document))).toBe(true);
      expect(manifest.capabilities.length).toBeGreaterThan(0);
      expect(new Set(manifest.capabilities).size).toBe(manifest.capabilities.length);
    });

    test('recognise is pure and answers yes, maybe or no', (subject) => {
      const random = new SeededRandom(1);
      const { dialect } = subject;
      for (let round = 0; round < ROUNDS; round++) {
        const connect = Object.freeze(hostileConnect(random, seedsOf(subject)));
        const via = Object.freeze(hostileVia(random, [null, 'elsewhere', dialect.manifest.id]));
        const answer = dialect.recognise(connect, via);
        expect(['yes', 'maybe', 'no']).toContain(answer);
        expect(dialect.recognise(connect, via)).toBe(answer);
      }
    });

    test('its own device is recognised and accepted on every version', async ({ dialect, own, registry }) => {
      for (const level of LEVELS) {
        const connect = { ...own.connect, level };
        expect(dialect.recognise(connect, connectVia())).not.toBe('no');
        const answer = await dialect.authenticate(connect, connectVia(), registry);
        expect(answer.outcome).toBe('accepted');
        if (answer.outcome === 'accepted') expect(answer.principal.dialect).toBe(dialect.manifest.id);
      }
    });

    test('authenticate answers every CONNECT with a legal outcome and never throws', async (subject) => {
      const random = new SeededRandom(2);
      const { dialect, registry } = subject;
      for (let round = 0; round < ROUNDS; round++) {
        const connect = Object.freeze(hostileConnect(random, seedsOf(subject)));
        const via = hostileVia(random, [null, dialect.manifest.id]);
        expectAuthentication(await dialect.authenticate(connect, via, registry), connect.level);
      }
    });

    test('an unknown name is notMine, and what another dialect holds too', async ({ dialect, own }) => {
      const empty = credentialLookup({});
      const foreign: NameHolder = { dialect: 'elsewhere', credentials: [] };
      const taken: CredentialLookup = { byUsername: () => foreign, byClientId: () => foreign };
      for (const level of LEVELS) {
        const connect = { ...own.connect, level };
        for (const registry of [empty, taken]) {
          expect((await dialect.authenticate(connect, connectVia(), registry)).outcome).toBe('notMine');
        }
      }
    });

    test('on its own listener nothing is notMine (R1)', async (subject) => {
      const random = new SeededRandom(3);
      const { dialect } = subject;
      const via = connectVia({ pinnedDialect: dialect.manifest.id });
      for (let round = 0; round < ROUNDS; round++) {
        const connect = hostileConnect(random, ['unknown']);
        const answer = await dialect.authenticate(connect, via, credentialLookup({}));
        expect(answer.outcome).not.toBe('notMine');
      }
    });

    test('a wrong secret of a known name is refused for good', async ({ dialect, own, registry }) => {
      if (own.wrongSecret === null) return;
      for (const level of LEVELS) {
        const answer = await dialect.authenticate({ ...own.wrongSecret, level }, connectVia(), registry);
        expect(answer.outcome).toBe('refused');
        expectAuthentication(answer, level);
      }
    });

    test('a reason never carries the password', async ({ dialect, own, registry }) => {
      const password = new TextEncoder().encode('a-secret-word');
      const connect = { ...own.connect, password };
      const answer = await dialect.authenticate(connect, connectVia(), registry);
      expect(JSON.stringify(answer)).not.toContain('a-secret-word');
    });

    test('the session policy keeps to the limits of the server', async (subject) => {
      const { policy } = await principalOf(subject);
      expect([0, 1, 2]).toContain(policy.maximumGrantedQoS);
      expect(policy.maximumPacketSize).toBeLessThanOrEqual(1024 * 1024);
      expect(policy.receiveMaximum).toBeGreaterThan(0);
      expect(policy.receiveMaximum).toBeLessThanOrEqual(65_535);
      expect(policy.topicAliasMaximum).toBeLessThanOrEqual(65_535);
      expect(policy.maximumSubscriptions).toBeLessThanOrEqual(10_000);
      expect(policy.maximumSessionExpiryInterval).toBeLessThanOrEqual(7 * 24 * 60 * 60);
      for (const bound of Object.values(policy.queue)) expect(Number.isSafeInteger(bound)).toBe(true);
    });

    test('publish never throws and its disposition is bounded', async (subject) => {
      const random = new SeededRandom(4);
      const principal = await principalOf(subject);
      for (const level of LEVELS) {
        const session = subject.dialect.openSession(principal, deviceLink(level));
        for (let round = 0; round < ROUNDS; round++) {
          const topicName = hostileTopicName(random, subject.topicNames);
          const message = dialectMessage(topicName, hostilePayload(random), {
            qos: random.pick<QoS>([0, 1, 2]),
            retain: random.below(2) === 0,
          });
          const disposition = session.publish(message);
          expect(typeof disposition.route).toBe('boolean');
          expect(disposition.intents.length).toBeLessThanOrEqual(16);
          for (const refusal of [disposition.refuse, disposition.close]) {
            if (refusal === null) continue;
            expect(refusal.reason).toMatch(/\S/);
            expect(disposition.intents).toEqual([]);
          }
          const { refuse, close } = disposition;
          if (refuse !== null) expect(isReasonCodeFor(PacketType.Puback, refuse.reasonCode, 'server')).toBe(true);
          if (close !== null) expect(isReasonCodeFor(PacketType.Disconnect, close.reasonCode, 'server')).toBe(true);
          if (disposition.route) expect(principal.account).not.toBeNull();
        }
      }
    });

    test('publish keeps nothing of the payload', async (subject) => {
      const session = subject.dialect.openSession(await principalOf(subject), deviceLink(5));
      const bodies = [
        '{"a":"some text","b":{"c":[1,"x"]},"long-key-of-a-value":1.5}',
        '{"result":{"a":"b"}}',
        '{"method":"m"}',
      ];
      for (const topicName of subject.topicNames) {
        for (const body of bodies) {
          const message = dialectMessage(topicName, body);
          const disposition = session.publish(message);
          const before = JSON.stringify(disposition);
          message.payload.fill(0x58);
          expect(JSON.stringify(disposition)).toBe(before);
        }
      }
    });

    test('subscribe and unsubscribe answer every filter with a legal code', async (subject) => {
      const random = new SeededRandom(5);
      const principal = await principalOf(subject);
      for (const level of LEVELS) {
        const session = subject.dialect.openSession(principal, deviceLink(level));
        for (let round = 0; round < ROUNDS; round++) {
          const topicFilter = hostileTopicFilter(random, subject.topicFilters);
          const qos = random.pick<QoS>([0, 1, 2]);
          const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
          const decision = session.subscribe(topicFilter, options);
          expect(isReasonCodeFor(PacketType.Suback, decision.reasonCode, 'server'), topicFilter).toBe(true);
          if (decision.reasonCode < 0x80) {
            expect(decision.reasonCode).toBeLessThanOrEqual(Math.min(qos, principal.policy.maximumGrantedQoS));
          } else expect(decision.enter).toEqual([]);
          if (principal.account === null) expect(decision.enter).toEqual([]);
          const code = random.below(2) === 0 ? session.unsubscribe(topicFilter) : null;
          if (code !== null) expect(isReasonCodeFor(PacketType.Unsuback, code, 'server')).toBe(true);
        }
      }
    });

    test('mayReceive and mayPublishWill answer every topic', async (subject) => {
      const random = new SeededRandom(6);
      const principal = await principalOf(subject);
      const session = subject.dialect.openSession(principal, deviceLink(5));
      for (let round = 0; round < ROUNDS; round++) {
        const topicName = hostileTopicName(random, subject.topicNames);
        expect(typeof session.mayReceive(topicName)).toBe('boolean');
        expect(typeof session.mayPublishWill(topicName)).toBe('boolean');
        if (topicName.startsWith('$')) expect(session.mayPublishWill(topicName)).toBe(false);
      }
    });

    test('command answers with messages or says why not', async (subject) => {
      const session = subject.dialect.openSession(await principalOf(subject), deviceLink(5));
      const commands = [
        { kind: 'rpc', id: '1', method: 'm', params: '{"a":1}' },
        { kind: 'rpc', id: 'not a number/+#', method: '"', params: 'null' },
        { kind: 'sharedAttributes', values: new Map(), deleted: ['__proto__'] },
      ] as const;
      const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
      for (const subscribed of [false, true]) {
        if (subscribed) for (const topicFilter of subject.topicFilters) session.subscribe(topicFilter, options);
        for (const command of commands) {
          const answer = session.command(command);
          if (typeof answer === 'string') expect(['notSupported', 'notSubscribed']).toContain(answer);
          else for (const message of answer) expect(message.payload).toBeInstanceOf(Uint8Array);
        }
      }
    });

    test('the connection guide leaves nothing to fill in', ({ dialect, device, credentials }) => {
      const endpoints = [
        { host: 'iot.example.com', mqttPort: 1883, mqttsPort: 8883, httpPort: 8080 },
        { host: '::1', mqttPort: null, mqttsPort: 8883, httpPort: null },
      ];
      for (const endpoint of endpoints) {
        for (const one of credentials) {
          const guide = dialect.connectionGuide(device, one, endpoint);
          expect(guide.dialect).toBe(dialect.manifest.id);
          expect(guide.endpoints.length).toBeGreaterThan(0);
          expect(guide.fields.every(({ name, value }) => name !== '' && value !== '')).toBe(true);
          expect(guide.snippets.length).toBeGreaterThan(0);
          for (const { title, language, text } of guide.snippets) {
            expect(title).toMatch(/\S/);
            expect(language).toMatch(/\S/);
            expect(text).toContain(endpoint.host);
            expect(text).not.toMatch(/\$|YOUR_|<[^>]*>|undefined|\.\.\./);
          }
        }
      }
    });
  });
}
