import type { DeviceIntent, DevicePlatform, Intent } from '@moorage/core';
import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { GatewayLimits, MessageLimits } from '../options.ts';
import { Deferred, deviceRef, type FakeLink, HostFixture, MESSAGE, points } from '../test-fakes.ts';

type Ensured = Awaited<ReturnType<DevicePlatform['gateways']['ensure']>>;

const GATEWAY = deviceRef('g', { gateway: true });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(options: { gateway?: Partial<GatewayLimits>; limits?: MessageLimits; level?: 4 | 5 } = {}) {
  const { level = 5, ...rest } = options;
  const fixture = new HostFixture({ time: new FakeTime(), ...rest });
  const gateway = fixture.connect({ device: GATEWAY }, level);
  fixture.events.length = 0;
  return { fixture, gateway };
}

function behind(name: string, ...intents: DeviceIntent[]): Intent {
  return { kind: 'subDevice', name, type: null, intents };
}

function telemetry(count = 1): DeviceIntent {
  return { kind: 'telemetry', points: points(count) };
}

const rpc = { kind: 'rpc', id: '3', method: 'm', params: 'null' } as const;
const shared = { kind: 'sharedAttributes', values: null, deleted: ['a'] } as const;

/** Devices are made when the test says so. */
function heldBack(fixture: HostFixture): (name: string, answer?: Ensured) => Promise<void> {
  const waiting = new Map<string, Deferred<Ensured>>();
  fixture.platform.ensure = (name) => {
    const made = new Deferred<Ensured>();
    waiting.set(name, made);
    return made.promise;
  };
  return async (name, answer = { outcome: 'found', device: deviceRef(`id-${name}`, { name }) }) => {
    waiting.get(name)?.resolve(answer);
    await turn();
  };
}

describe('devices behind a gateway', () => {
  it('a device that proves where it is leaves every other gateway, which is told, and its own connection', async () => {
    const { fixture, gateway } = setUp({ level: 4 });
    fixture.platform.ensure = async (name) => ({ outcome: 'found', device: deviceRef(`id-${name}`, { name }) });
    const other = fixture.connect({ device: deviceRef('g2', { gateway: true }) }, 4);
    const itself = fixture.connect({ device: deviceRef('id-A', { name: 'A' }) });
    gateway.say([behind('A', telemetry())]);
    await turn();
    expect(itself.handle.disconnected).toEqual([]);
    for (let repetition = 0; repetition < 2; repetition++) {
      other.say([{ kind: 'subDevice', name: 'A', type: null, intents: [], exclusive: true }]);
      await turn();
    }
    expect(gateway.handle.pushed).toEqual(['A/closed=142']);
    expect(itself.handle.disconnected).toHaveLength(1);
    expect(other.handle.pushed).toEqual([]);
  });

  it('8 the first message makes the device, and is acknowledged once it exists and is stored', async () => {
    const { fixture, gateway } = setUp();
    const make = heldBack(fixture);
    const { token } = gateway.say([behind('A', telemetry(2))]);
    expect(token.held).toBe(1);
    expect(fixture.events).toEqual([]);
    await make('A');
    expect(fixture.events).toEqual(['connected id-A', 'active id-A', 'telemetry id-A 2']);
    expect(token.held).toBe(1);
    fixture.commit();
    expect(token).toMatchObject({ held: 0, outcomes: ['stored', 'stored'] });
    gateway.say([behind('A', telemetry())]);
    expect(fixture.platform.calls.filter((call) => call.startsWith('ensure'))).toEqual(['ensure g/A']);
  });

  it('8 one message for several devices has one token for all of them', async () => {
    const { fixture, gateway } = setUp();
    const make = heldBack(fixture);
    const { token } = gateway.say([
      behind('A', telemetry()),
      behind('B', { kind: 'claim', secretKey: '', durationMs: null }),
    ]);
    expect(token.held).toBe(2);
    await make('B');
    expect(token.held).toBe(1);
    await make('A');
    fixture.commit();
    expect(token.held).toBe(0);
    expect(fixture.platform.calls).toContain('claim id-B ');
  });

  it('messages of one device keep their order while it is made', async () => {
    const { fixture, gateway } = setUp();
    const make = heldBack(fixture);
    for (const count of [1, 2, 3]) gateway.say([behind('A', telemetry(count))]);
    await make('A');
    gateway.say([behind('A', telemetry(4))]);
    const stored = fixture.events.filter((event) => event.startsWith('telemetry'));
    expect(stored).toEqual([1, 2, 3, 4].map((count) => `telemetry id-A ${count}`));
  });

  it('a device that leaves and is named again while it is made gets a session of its own, in order', async () => {
    const { fixture, gateway } = setUp();
    const make = heldBack(fixture);
    gateway.say([behind('A', telemetry(1))]);
    gateway.say([{ kind: 'subDeviceLeft', name: 'A' }]);
    const { token } = gateway.say([behind('A', telemetry(2))]);
    await make('A');
    expect(fixture.events).toEqual(['connected id-A', 'active id-A', 'telemetry id-A 1', 'disconnected id-A']);
    await make('A');
    expect(fixture.events.slice(4)).toEqual(['connected id-A', 'active id-A', 'telemetry id-A 2']);
    fixture.commit();
    expect(token.held).toBe(0);
  });

  it('a device that leaves is disconnected, one that never came is fine', async () => {
    const { fixture, gateway } = setUp();
    gateway.say([behind('A')]);
    await turn();
    expect(gateway.say([{ kind: 'subDeviceLeft', name: 'A' }]).verdict).toMatchObject({ reasonCode: 0 });
    expect(gateway.say([{ kind: 'subDeviceLeft', name: 'B' }]).verdict).toMatchObject({ reasonCode: 0 });
    expect(fixture.events).toEqual(['connected id-A', 'active id-A', 'disconnected id-A']);
    expect(fixture.host.send('id-A', rpc)).toBe('notConnected');
  });

  it('8 losing the gateway ends the session of every device, after what it said was carried out', async () => {
    const { fixture, gateway } = setUp();
    const make = heldBack(fixture);
    gateway.say([behind('A')]);
    await make('A');
    gateway.say([behind('B', telemetry())]);
    gateway.lose();
    expect(fixture.events.slice(2)).toEqual(['disconnected id-A', 'disconnected g']);
    await make('B');
    expect(fixture.events.slice(4)).toEqual(['active id-B', 'telemetry id-B 1']);
    expect(fixture.host.send('id-B', rpc)).toBe('notConnected');
  });

  it('asks the platform with the name of the device, on behalf of the gateway', async () => {
    const { fixture, gateway } = setUp();
    fixture.attributes = async () => [];
    gateway.say([behind('A', { kind: 'attributesRequest', clientKeys: ['k'], sharedKeys: null, ref: 'res' })]);
    await turn();
    expect(gateway.handle.pushed).toEqual(['res=A[]']);
    expect(gateway.session.replies).toMatchObject([{ kind: 'attributes', subDevice: 'A' }]);
  });
});

describe('limits of a gateway', () => {
  it('a device that may not be made is told as 0x97 on 5.0 and the connection stays', async () => {
    const { fixture, gateway } = setUp();
    fixture.platform.ensure = async () => ({ outcome: 'refused', reason: 'the tenant has its limit of devices' });
    const { token } = gateway.say([behind('A', telemetry())]);
    await turn();
    expect(token.outcomes).toEqual(['full']);
    expect(gateway.handle.pushed).toEqual(['A/closed=128']);
    expect(gateway.handle.disconnected).toEqual([]);
    expect(fixture.host.log.of('g')[0]).toMatchObject({ event: 'message', code: 0x97 });
    expect(fixture.host.log.of('g')[0]?.reason).toContain('limit of devices');
  });

  it('a device that may not be made is acknowledged on 3.x; the dialect may tell, and the log says why', async () => {
    const { fixture, gateway } = setUp({ level: 4 });
    fixture.platform.ensure = async () => ({ outcome: 'refused', reason: 'no' });
    const { token } = gateway.say([behind('A', telemetry())]);
    await turn();
    expect(token.outcomes).toEqual(['stored']);
    expect(gateway.handle.pushed).toEqual(['A/closed=128']);
    expect(fixture.host.log.of('g')[0]?.code).toBe(0x97);
  });

  it.each(['full', 'failed'] as const)('a store that is %s decides about every message that waits', async (outcome) => {
    const { fixture, gateway } = setUp();
    const make = heldBack(fixture);
    const tokens = [1, 2].map(() => gateway.say([behind('A', telemetry())]).token);
    await make('A', { outcome });
    expect(tokens.map(({ outcomes }) => outcomes)).toEqual([[outcome], [outcome]]);
    fixture.platform.ensure = async (name) => ({ outcome: 'found', device: deviceRef(`id-${name}`) });
    gateway.say([behind('A', telemetry())]);
    await turn();
    expect(fixture.events).toContain('telemetry id-A 1');
  });

  it('a look-up that breaks fails the message and is reported', async () => {
    const { fixture, gateway } = setUp();
    fixture.platform.ensure = () => Promise.reject(new TypeError('broken'));
    const { token } = gateway.say([behind('A')]);
    await turn();
    expect(token.outcomes).toEqual(['failed']);
    expect(fixture.faults).toHaveLength(1);
  });

  it('bounds the devices behind one connection', async () => {
    const { fixture, gateway } = setUp({ gateway: { subDevices: 2 } });
    expect(gateway.say([behind('A'), behind('B')]).verdict).toMatchObject({ reasonCode: 0 });
    expect(gateway.say([behind('C')]).verdict).toMatchObject({ reasonCode: 0x97, close: null });
    await turn();
    gateway.say([{ kind: 'subDeviceLeft', name: 'A' }]);
    expect(gateway.say([behind('C')]).verdict).toMatchObject({ reasonCode: 0 });
    expect(fixture.counted).toContain('gateway_overflow');
  });

  it('bounds the messages and the bytes that wait, and gives the room back', async () => {
    const { fixture, gateway } = setUp({ gateway: { waitingMessages: 2 } });
    const make = heldBack(fixture);
    gateway.say([behind('A'), behind('B')]);
    expect(gateway.say([behind('A')]).verdict).toMatchObject({ reasonCode: 0x97 });
    expect(gateway.say([{ kind: 'subDeviceLeft', name: 'A' }]).verdict).toMatchObject({ reasonCode: 0x97 });
    await make('A');
    expect(gateway.say([behind('B')]).verdict).toMatchObject({ reasonCode: 0 });

    const bytes = setUp({ gateway: { waitingBytes: 1_000 } });
    heldBack(bytes.fixture);
    const large = { ...MESSAGE, payload: new Uint8Array(1_200) };
    expect(bytes.gateway.say([behind('A')], large).verdict).toMatchObject({ reasonCode: 0x97 });
    expect(bytes.gateway.say([behind('A'), behind('B')], large).verdict).toMatchObject({ reasonCode: 0x97 });

    const fitting = setUp({ gateway: { waitingBytes: 1_000 } });
    heldBack(fitting.fixture);
    const shared = { ...MESSAGE, payload: new Uint8Array(600) };
    expect(fitting.gateway.say([behind('A'), behind('B')], shared).verdict).toMatchObject({ reasonCode: 0 });
  });

  it('looks up a bounded number of devices at the same time, in the order they were named', async () => {
    const { fixture, gateway } = setUp({ gateway: { creations: 2 } });
    const make = heldBack(fixture);
    gateway.say(['A', 'B', 'C', 'D'].map((name) => behind(name)));
    const asked = () => fixture.platform.calls.filter((call) => call.startsWith('ensure'));
    expect(asked()).toEqual(['ensure g/A', 'ensure g/B']);
    await make('B');
    expect(asked().slice(2)).toEqual(['ensure g/C']);
    await make('A');
    expect(asked().slice(3)).toEqual(['ensure g/D']);
  });

  function limitsOf(allowed: number): MessageLimits {
    let left = allowed;
    return {
      limiterOf: (_device, role) => (role === 'subDevice' ? { take: () => left-- > 0 } : null),
      sessionLimits: () => ({}) as never,
      removed: () => {},
    };
  }

  it('5.0: a device over its rate is told 0x97, its session ends, the gateway is told 150 and stays', async () => {
    const { fixture, gateway } = setUp({ limits: limitsOf(2) });
    gateway.say([behind('A', telemetry())]);
    await turn();
    expect(gateway.say([behind('A', telemetry())]).verdict).toMatchObject({ reasonCode: 0 });
    expect(gateway.say([behind('A', telemetry())]).verdict).toMatchObject({ reasonCode: 0x97, close: null });
    expect(gateway.handle.pushed).toEqual(['A/closed=150']);
    expect(gateway.handle.disconnected).toEqual([]);
    expect(fixture.events.at(-1)).toBe('disconnected id-A');
    expect(fixture.host.log.of('id-A')[0]).toMatchObject({ reason: 'over the rate limit' });
    const { token } = gateway.say([behind('A', telemetry())]);
    await turn();
    expect(token.outcomes).toEqual(['full']);
  });

  it('3.x: a device over its rate closes the connection of its gateway', async () => {
    const { gateway } = setUp({ limits: limitsOf(0), level: 4 });
    gateway.say([behind('A', telemetry())]);
    await turn();
    expect(gateway.handle.disconnected).toEqual([0x83]);
    const ready = setUp({ limits: limitsOf(1), level: 4 });
    ready.gateway.say([behind('A', telemetry())]);
    await turn();
    expect(ready.gateway.say([behind('A', telemetry())]).verdict).toMatchObject({ close: { reasonCode: 0x83 } });
  });
});

describe('commands to devices behind a gateway', () => {
  async function connected(gateway: FakeLink, ...names: string[]): Promise<void> {
    gateway.say(names.map((name) => behind(name)));
    await turn();
  }

  it('8 go to the gateway under the name of the device, and no longer once it has left', async () => {
    const { fixture, gateway } = setUp();
    await connected(gateway, 'A', 'B');
    expect(fixture.platform.listening).toEqual(['id-A', 'id-B']);
    const results: string[] = [];
    expect(fixture.host.send('id-A', rpc, (result) => results.push(result))).toBe('sent');
    fixture.host.sharedAttributesChanged('id-B', { deleted: ['a'] });
    expect(gateway.handle.pushed).toEqual(['A/rpc/3=command', 'B/shared=command']);
    gateway.handle.take();
    expect(results).toEqual(['acknowledged']);
    gateway.say([behind('A', { kind: 'rpcResponse', id: '3', payload: '1' })]);
    expect(fixture.platform.answers).toEqual(['id-A/3=1']);
    gateway.say([{ kind: 'subDeviceLeft', name: 'B' }]);
    expect(fixture.host.send('id-B', shared)).toBe('notConnected');
  });

  it('a device that is also connected by itself: the newest way wins for RPC, attributes go both ways', async () => {
    const { fixture, gateway } = setUp();
    const own = fixture.connect({ device: deviceRef('id-A') });
    await connected(gateway, 'A');
    fixture.host.send('id-A', rpc);
    fixture.host.send('id-A', shared);
    expect(gateway.handle.pushed).toEqual(['A/rpc/3=command', 'A/shared=command']);
    expect(own.handle.pushed).toEqual(['shared=command']);
    gateway.lose();
    expect(fixture.events).not.toContain('disconnected id-A');
    fixture.host.send('id-A', rpc);
    expect(own.handle.pushed.at(-1)).toBe('rpc/3=command');
    own.lose();
    expect(fixture.events.filter((event) => event === 'disconnected id-A')).toHaveLength(1);
  });

  it('8 renaming a device leaves the session, which moves with the new name', async () => {
    const { fixture, gateway } = setUp();
    await connected(gateway, 'A');
    const renamed = deviceRef('id-A', { name: '__proto__' });
    fixture.host.deviceChanged(renamed);
    fixture.host.deviceChanged(renamed);
    fixture.host.send('id-A', rpc);
    fixture.platform.ensure = async () => ({ outcome: 'found', device: renamed });
    await connected(gateway, '__proto__');
    fixture.host.send('id-A', shared);
    expect(gateway.handle.pushed).toEqual(['A/rpc/3=command', '__proto__/shared=command']);
  });

  it('8 deleting a device ends its session', async () => {
    const { fixture, gateway } = setUp();
    await connected(gateway, 'A');
    fixture.host.revoked('id-A', 'deleted');
    expect(fixture.host.send('id-A', rpc)).toBe('notConnected');
    expect(fixture.events.slice(-2)).toEqual(['disconnected id-A', 'removed id-A']);
    gateway.say([behind('A')]);
    await turn();
    expect(fixture.platform.calls.filter((call) => call === 'ensure g/A')).toHaveLength(2);
  });

  it('an administrator ends the session of one device, and the gateway stays', async () => {
    const { fixture, gateway } = setUp();
    await connected(gateway, 'A');
    fixture.host.disconnect('id-A', 'closed by an administrator');
    expect(gateway.handle.pushed).toEqual(['A/closed=152']);
    expect(gateway.handle.disconnected).toEqual([]);
    expect(fixture.events.at(-1)).toBe('disconnected id-A');
  });

  it('new credentials of a device do not end what its gateway says for it', async () => {
    const { fixture, gateway } = setUp();
    await connected(gateway, 'A');
    fixture.host.revoked('id-A', 'credentialsChanged');
    expect(fixture.host.send('id-A', rpc)).toBe('sent');
  });

  it('a device that is disabled loses its session, and the gateway is told; it hears of others as well', async () => {
    const { fixture, gateway } = setUp({ level: 4 });
    await connected(gateway, 'A');
    const [a, b] = [deviceRef('id-A', { name: 'A' }), deviceRef('id-B', { name: 'B' })];
    fixture.host.deviceEnabled(a, false, GATEWAY.id);
    fixture.host.revoked('id-A', 'disabled');
    fixture.host.deviceEnabled(b, true, GATEWAY.id);
    expect(gateway.handle.pushed).toEqual(['A/enabled=false', 'A/closed=152', 'B/enabled=true']);
    expect(fixture.host.send('id-A', rpc)).toBe('notConnected');
    fixture.host.deviceEnabled(a, true, null);
    fixture.host.deviceEnabled(a, true, 'a gateway that is away');
    expect(gateway.handle.pushed).toHaveLength(3);
  });

  it('a device that is a gateway no longer loses the devices behind it, also those being made', async () => {
    const { fixture, gateway } = setUp();
    await connected(gateway, 'A');
    const make = heldBack(fixture);
    gateway.say([behind('B', telemetry())]);
    fixture.host.deviceChanged({ ...GATEWAY, gateway: false });
    await make('B');
    expect(fixture.host.send('id-A', rpc)).toBe('notConnected');
    expect(fixture.host.send('id-B', rpc)).toBe('notConnected');
    expect(fixture.events).toContain('telemetry id-B 1');
  });
});
