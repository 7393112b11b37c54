import { type Value, ValueKind, type WaveshareAttribute, type WaveshareSettings } from '@moorage/core';
import type { RoutedCommand } from '@moorage/dialect-api';
import { connectPacket, connectVia, deviceLink, deviceRef } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { WaveshareDialect } from './dialect.ts';
import { HeldDownlinks } from './held-downlinks.ts';
import { keyboardFirmware, RelayFirmware } from './testing/relay-firmware.ts';
import { MODEM, subTopic, TENANT, type TestDevice, testRegistry } from './testing/test-registry.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const SETTINGS: WaveshareSettings = { n2: '45', attributes: [], downlinkMaxPacket: 256, holdLast: false };
const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

/** The relay board of section 5. */
function board(settings: Partial<WaveshareSettings> | null = null): TestDevice {
  const device = deviceRef(
    { id: 'relay', tenantId: TENANT },
    settings === null ? {} : { waveshare: { ...SETTINGS, ...settings } },
  );
  return { device, clientId: '46ce3503', numbers: '59/45' };
}

class Scene {
  readonly one: TestDevice;
  now = 1_700_000_000_000;
  readonly #registry: ReturnType<typeof testRegistry>;
  readonly #dialect: WaveshareDialect;

  constructor(one = board()) {
    this.one = one;
    this.#registry = testRegistry([one, MODEM]);
    this.#dialect = new WaveshareDialect({ credentials: this.#registry, now: () => this.now, sampleResource: false });
  }

  rpc(method: string, params: string) {
    return this.#dialect.routedCommand(this.one.device, { kind: 'rpc', id: '1', method, params }, this.#registry);
  }

  shared(values: readonly (readonly [string, Value])[] | null, deleted: readonly string[] | null = null) {
    const map = values === null ? null : new Map(values);
    const command = { kind: 'sharedAttributes', values: map, deleted } as const;
    return this.#dialect.routedCommand(this.one.device, command, this.#registry);
  }

  space(device = this.one.device) {
    return this.#dialect.spaceAccount(device, this.#registry);
  }

  open() {
    const { clientId } = this.one;
    const answer = this.#dialect.authenticate(connectPacket({ clientId }), connectVia(), this.#registry);
    if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
    return this.#dialect.openSession(answer.principal, deviceLink(4, clientId));
  }
}

function texts(command: RoutedCommand | string): readonly string[] | string {
  if (typeof command === 'string') return command;
  return command.messages.map(({ payload }) => new TextDecoder().decode(payload));
}

const rpc = (method: string, params: string, one = board()) => texts(new Scene(one).rpc(method, params));

const attribute = (identifier: string, access: 'r' | 'rw'): WaveshareAttribute => ({
  identifier,
  name: null,
  type: 'int',
  unit: null,
  minimum: null,
  maximum: null,
  step: null,
  values: null,
  access,
});

describe('commands (section 4.6)', () => {
  it('WS-33 a switch sends exactly {"data":{"CH1":1}} and {"data":{"CH1":0}}', () => {
    const command = new Scene().rpc('CH1', 'true');
    expect(texts(command)).toEqual(['{"data":{"CH1":1}}']);
    if (typeof command === 'string') throw new TypeError(command);
    expect(command).toMatchObject({ account: TENANT, spacingMs: 50 });
    expect(command.messages[0]).toMatchObject({ topicName: 'Sub/59/45/46ce3503', qos: 1 });
    expect(command.messages[0]?.payload).toHaveLength(18);
    expect(rpc('CH1', 'false')).toEqual(['{"data":{"CH1":0}}']);
    expect(rpc('CH1', '{"value":true}')).toEqual(['{"data":{"CH1":1}}']);
    expect(rpc('CH1', ' { "value" : 0 } ')).toEqual(['{"data":{"CH1":0}}']);
    expect(rpc('setValue', '{"CH1":true}')).toEqual(['{"data":{"CH1":1}}']);
  });

  it('numbers in their shortest form, strings escaped, JSON compact', () => {
    for (const [params, sent] of [
      ['1.0', '1'],
      ['1.50', '1.5'],
      ['1e2', '100'],
      ['-0', '0'],
      ['9007199254740993', '9007199254740993'],
      ['0.1', '0.1'],
      ['"a \\"b\\" \\u00e9\\n"', '"a \\"b\\" é\\n"'],
      ['[1, true]', '[1,true]'],
      ['{"value":{"r": 1}}', '{"r":1}'],
      ['{"r":1, "g":2}', '{"r":1,"g":2}'],
    ] as const) {
      expect(rpc('a', params), params).toEqual([`{"data":{"a":${sent}}}`]);
    }
  });

  it('what is no value or has no name to search for is not supported', () => {
    for (const params of ['', 'null', '{"value":null}', '1e400', 'tru', '{"a":']) {
      expect(rpc('CH1', params), params).toBe('notSupported');
    }
    for (const method of ['', '1a', 'a b', 'a-b', 'a"', 'ä', 'a'.repeat(65), '__proto__ ']) {
      expect(rpc(method, '1'), method).toBe('notSupported');
    }
    expect(rpc('a'.repeat(64), '1')).toHaveLength(1);
    expect(rpc('set', '{}')).toBe('notSupported');
    expect(rpc('set', '{"a":1,"b c":2}')).toBe('notSupported');
  });

  it('WS-34 several properties become several messages in their order, each with one', () => {
    expect(rpc('set', '{"CH2":true,"CH1":false,"name":"x"}')).toEqual([
      '{"data":{"CH2":1}}',
      '{"data":{"CH1":0}}',
      '{"data":{"name":"x"}}',
    ]);
  });

  it('WS-34 and so do shared attributes', () => {
    const values = [
      ['CH2', { kind: ValueKind.Boolean, value: true }],
      ['level', { kind: ValueKind.Double, value: 42 }],
      ['big', { kind: ValueKind.Long, value: 9007199254740993n }],
      ['name', { kind: ValueKind.String, value: 'a"b' }],
      ['more', { kind: ValueKind.Json, value: '{"a":1}' }],
      ['not a name', { kind: ValueKind.Long, value: 1 }],
      ['fw_title', { kind: ValueKind.String, value: 'firmware' }],
    ] as const;
    expect(texts(new Scene().shared(values))).toEqual([
      '{"data":{"CH2":1}}',
      '{"data":{"level":42}}',
      '{"data":{"big":9007199254740993}}',
      '{"data":{"name":"a\\"b"}}',
      '{"data":{"more":{"a":1}}}',
    ]);
    expect(new Scene().shared(values.slice(-2))).toBe('notSupported');
    expect(new Scene().shared(null, ['CH1'])).toBe('notSupported');
  });

  it('an attribute that the product only reports cannot be set', () => {
    const one = board({ attributes: [attribute('temperature', 'r'), attribute('CH1', 'rw')] });
    expect(rpc('temperature', '1', one)).toBe('notSupported');
    expect(rpc('set', '{"CH1":1,"temperature":1}', one)).toBe('notSupported');
    expect(rpc('CH1', '1', one)).toHaveLength(1);
    const values = ['temperature', 'CH1'].map((key) => [key, { kind: ValueKind.Long, value: 1 }] as const);
    expect(texts(new Scene(one).shared(values))).toEqual(['{"data":{"CH1":1}}']);
  });

  it('WS-35 a packet of 256 bytes is sent, one of 257 is not, nor anything with it', () => {
    // Section 4.6: 234 bytes of payload with a topic of 17 characters; that of this board has 18.
    const fits = 'x'.repeat(233 - '{"data":{"s":""}}'.length);
    const [message] = rpc('s', JSON.stringify(fits));
    expect(message).toHaveLength(233);
    expect(rpc('s', JSON.stringify(`${fits}x`))).toBe('tooLarge');
    expect(rpc('set', JSON.stringify({ CH1: 1, s: `${fits}x` }))).toBe('tooLarge');
    expect(new Scene().shared([['s', { kind: ValueKind.String, value: `${fits}x` }]])).toBe('tooLarge');
    // Bytes count, not characters.
    expect(rpc('s', JSON.stringify(`${fits.slice(1)}é`))).toBe('tooLarge');
  });

  it('WS-36 a product whose firmware takes more gets more, up to its own limit', () => {
    const one = board({ downlinkMaxPacket: 1024 });
    const longest = 'x'.repeat(1024 - 1 - 2 - 2 - 18 - '{"data":{"s":""}}'.length);
    expect(rpc('s', JSON.stringify(longest), one)).toHaveLength(1);
    expect(rpc('s', JSON.stringify(`${longest}x`), one)).toBe('tooLarge');
  });

  it('a command cannot become messages without end', () => {
    const members = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`a${index}`, 1]));
    expect(rpc('set', JSON.stringify(members))).toBe('tooLarge');
    const values = Object.keys(members).map((key) => [key, { kind: ValueKind.Long, value: 1 }] as const);
    expect(new Scene().shared(values)).toBe('tooLarge');
    expect(rpc('set', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`)).toBe('notSupported');
  });

  it('are not for devices of another dialect, and go to the account of the device', () => {
    const scene = new Scene();
    const elsewhere = deviceRef({ id: 'of another dialect' });
    expect(scene.space()).toBe(TENANT);
    expect(scene.space(elsewhere)).toBeNull();
    const named = new Scene({ ...board(), accountId: 'account-1' });
    expect(named.space()).toBe('account-1');
    expect(named.rpc('CH1', '1')).toMatchObject({ account: 'account-1' });
    expect(new Scene({ ...board(), device: elsewhere }).rpc('CH1', '1')).not.toBe('notSupported');
  });
});

describe('firmware that searches for text (section 2.2)', () => {
  const topicName = subTopic(board());

  function switched(channels: 6 | 8, ...commands: readonly (readonly [string, string])[]): readonly boolean[] {
    const firmware = new RelayFirmware(channels, topicName);
    for (const [method, params] of commands) {
      const command = new Scene().rpc(method, params);
      if (typeof command === 'string') throw new TypeError(command);
      for (const message of command.messages) firmware.receive(message.topicName, message.payload);
    }
    return firmware.relays;
  }

  it('WS-48, WS-33 switches relays as the console says', () => {
    const all = Array<boolean>(8).fill(true);
    expect(switched(8, ['ALL', '1'])).toEqual(all);
    expect(switched(8, ['ALL', 'true'], ['CH8', 'false'])).toEqual(all.with(7, false));
    expect(switched(6, ['CH1', 'true'])).toEqual([true, false, false, false, false, false]);
    expect(switched(6, ['CH1', 'true'], ['CH1', 'false'])).toEqual(Array(6).fill(false));
    expect(switched(6, ['set', '{"CH6":true,"CH2":1,"CH1":1,"CH2":0}'])).toEqual([
      true,
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('would read true as 0, take one of two properties, and overlook what comes before data or is too long', () => {
    const after = (text: string, buffer?: number) => {
      const firmware = new RelayFirmware(6, topicName, buffer);
      firmware.receive(topicName, new TextEncoder().encode(text));
      return firmware.relays.indexOf(true);
    };
    expect(after('{"data":{"CH1":1}}')).toBe(0);
    expect(after('{"data":{"CH1":true}}')).toBe(-1);
    expect(after('{"data":{"CH2":1,"CH3":1}}')).toBe(1);
    expect(after('{"CH1":1,"data":{}}')).toBe(-1);
    expect(after(`{"data":{"CH1":1}}${' '.repeat(300)}`)).toBe(-1);
    expect(after(`{"data":{"CH1":1}}${' '.repeat(300)}`, 1024)).toBe(0);
  });

  it('WS-33 a keyboard types the character right behind the colon', () => {
    const command = new Scene().rpc('key', '7');
    if (typeof command === 'string') throw new TypeError(command);
    expect(command.messages.map(({ payload }) => keyboardFirmware(payload))).toEqual(['7']);
  });
});

describe('the last downlinks, held (section 4.6)', () => {
  const holding = board({ holdLast: true });

  function heard(scene: Scene, topicFilter = subTopic(holding), qos: 0 | 1 | 2 = 1) {
    const session = scene.open();
    session.subscribe(topicFilter, { ...options, qos });
    return (session.afterSubscribe?.() ?? []).map((message) => {
      expect(message.topicName).toBe(subTopic(holding));
      return [new TextDecoder().decode(message.payload as Uint8Array), message.qos];
    });
  }

  it('WS-38 the last of each identifier is sent right after the subscription to the Sub topic', () => {
    const scene = new Scene(holding);
    scene.rpc('CH1', 'true');
    scene.rpc('CH2', 'true');
    scene.rpc('CH1', 'false');
    const expected = ['{"data":{"CH2":1}}', '{"data":{"CH1":0}}'];
    expect(heard(scene)).toEqual(expected.map((text) => [text, 1]));
    expect(heard(scene, '#', 0)).toEqual(expected.map((text) => [text, 0]));
    expect(heard(scene, 'Sub/+/45/#', 2)).toEqual(expected.map((text) => [text, 1]));
  });

  it('and once for each subscription; not for other filters, and not to a group', () => {
    const scene = new Scene(holding);
    scene.rpc('CH1', 'true');
    for (const topicFilter of ['Pub/59/45/46ce3503', 'free', `$share/g/${subTopic(holding)}`]) {
      expect(heard(scene, topicFilter)).toEqual([]);
    }
    const session = scene.open();
    expect(session.afterSubscribe?.()).toEqual([]);
    session.subscribe(subTopic(holding), options);
    expect(session.afterSubscribe?.()).toHaveLength(1);
    expect(session.afterSubscribe?.()).toEqual([]);
  });

  it('for 24 hours, and only where the product asks for it', () => {
    const scene = new Scene(holding);
    scene.rpc('CH1', 'true');
    scene.now += DAY_MS;
    expect(heard(scene)).toHaveLength(1);
    scene.now += 1;
    expect(heard(scene)).toEqual([]);
    const other = new Scene(board());
    other.rpc('CH1', 'true');
    expect(heard(other)).toEqual([]);
  });

  it('what was refused as too large is not held', () => {
    const scene = new Scene(holding);
    expect(scene.rpc('set', JSON.stringify({ CH1: 1, s: 'x'.repeat(300) }))).toBe('tooLarge');
    expect(heard(scene)).toEqual([]);
  });

  it('are bounded: 64 identifiers of a device, and a number of devices', () => {
    const held = new HeldDownlinks();
    for (let index = 0; index < 70; index++) held.remember('a', `i${index}`, Uint8Array.of(index), 0);
    expect(held.of('a', 0).map(([first]) => first)).toEqual(Array.from({ length: 64 }, (_, index) => index + 6));
    for (let index = 0; index < 100_000; index++) held.remember(`d${index}`, 'i', Uint8Array.of(1), 0);
    expect(held.of('a', 0)).toEqual([]);
    expect(held.of('d0', 0)).toHaveLength(1);
  });

  it('are bounded in bytes', () => {
    const held = new HeldDownlinks();
    const large = new Uint8Array(1024 * 1024);
    for (let index = 0; index < 70; index++) held.remember(`d${index}`, 'i', large, 0);
    expect(held.of('d5', 0)).toEqual([]);
    expect(held.of('d6', 0)).toHaveLength(1);
  });
});
