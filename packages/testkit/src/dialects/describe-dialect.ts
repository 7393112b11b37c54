import type { ClientCertificate, CredentialLookup, Device, DeviceCredentials, NameHolder } from '@moorage/core';
import type { ConnectVia, Dialect, Principal } from '@moorage/dialect-api';
import {
  type ConnectPacket,
  isReasonCodeFor,
  PacketType,
  type ProtocolLevel,
  type QoS,
  ReasonCode,
} from '@moorage/mqtt-codec';
import { describe, expect, it } from 'vitest';
import {
  expectAuthentication,
  expectDisposition,
  expectMessages,
  MAXIMUM_INTENTS,
  outcomesOf,
  repliesTo,
} from './dialect-expectations.ts';
import {
  clientCertificate,
  connectPacket,
  connectVia,
  credentialLookup,
  deviceLink,
  dialectMessage,
} from './dialect-inputs.ts';
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
  /** Most intents of one message; 16 unless the dialect says otherwise, as for a gateway. */
  readonly maximumIntents?: number;
  /** A device of this dialect with every kind of credentials it may have. */
  readonly device: Device;
  readonly credentials: readonly DeviceCredentials[];
}

/** Tests of the suite that a dialect does not take part in, each with its reason. */
export type DialectSkips = Readonly<Record<string, string>>;

const LEVELS: readonly ProtocolLevel[] = [3, 4, 5];
const ROUNDS = 400;

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

function hostileCertificate(random: SeededRandom): ClientCertificate {
  const commonName = random.pick([null, '', '__proto__', 'a'.repeat(1024)]);
  return clientCertificate(hostileName(random, ['unknown']), { commonName, validTo: random.below(2) * 2 ** 52 });
}

function hostileVia(random: SeededRandom, pins: readonly (string | null)[]): ConnectVia {
  return connectVia({
    transport: random.pick(['tcp', 'tls', 'ws', 'wss'] as const),
    pinnedDialect: random.pick(pins),
    serverName: random.pick([null, 'localhost', '__proto__']),
    clientCertificates: random.below(5) === 0 ? [hostileCertificate(random)] : null,
  });
}

/**
 * What every dialect owes the host: it is pure, total and bounded, whatever the network sends. `factory` makes a fresh
 * dialect; an exception is named by the title of its test, with the reason.
 */
export function describeDialect(name: string, factory: () => DialectUnderTest, skips: DialectSkips = {}): void {
  const test = (title: string, run: (subject: DialectUnderTest) => void | Promise<void>): void => {
    const reason = skips[title];
    // An exception that is no longer one must go.
    if (reason !== undefined) it.fails(`does not hold here (${reason}): ${title}`, () => run(factory()));
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
      const taken: CredentialLookup = { ...empty, byUsername: () => foreign, byClientId: () => foreign };
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
          expectDisposition(disposition, subject.maximumIntents ?? MAXIMUM_INTENTS);
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
        '{"device":"A","id":1,"client":true,"key":"k","data":{"a":[1]}}',
        '{"A":[{"ts":1,"values":{"a":"some text"}}],"B":{"k":"v","secretKey":"s"}}',
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
      const principal = await principalOf(subject);
      const session = subject.dialect.openSession(principal, deviceLink(5));
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
          // The platform's own identifiers are numbers; any other need only do no harm.
          else if (command.kind !== 'rpc' || /^\d+$/.test(command.id)) {
            expectMessages(answer, principal.policy.maximumGrantedQoS);
          }
          for (const name of ['a device', '"', '__proto__']) {
            const behind = session.subDeviceCommand?.(name, command) ?? 'notSupported';
            if (typeof behind === 'string') expect(['notSupported', 'notSubscribed']).toContain(behind);
            else expectMessages(behind, principal.policy.maximumGrantedQoS);
          }
        }
      }
      const closed = session.subDeviceClosed?.('a device', ReasonCode.UnspecifiedError) ?? [];
      expectMessages(closed, principal.policy.maximumGrantedQoS);
    });

    test('every intent that has a ref can be answered', async (subject) => {
      const random = new SeededRandom(7);
      const principal = await principalOf(subject);
      for (const level of LEVELS) {
        const session = subject.dialect.openSession(principal, deviceLink(level));
        for (let round = 0; round < ROUNDS; round++) {
          const topicName = hostileTopicName(random, subject.topicNames);
          const disposition = session.publish(dialectMessage(topicName, hostilePayload(random)));
          const asked = disposition.intents.flatMap((intent) => repliesTo(intent, null));
          for (const reply of [...asked, ...outcomesOf(disposition)]) {
            expect(session.reply).toBeDefined();
            expectMessages(session.reply?.(reply) ?? [], principal.policy.maximumGrantedQoS);
          }
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
