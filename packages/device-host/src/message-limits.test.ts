import { DeviceRateLimits, parseRateLimit, type RateLimit } from '@moorage/core';
import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { RoleLimits } from './message-limits.ts';
import { deviceRef, HostFixture, points, VIA } from './test-fakes.ts';

function limit(text: string): RateLimit {
  const read = parseRateLimit(text);
  if (!read.ok) throw new TypeError(read.message);
  return read.limit;
}

function meter(time: FakeTime, telemetryMessages: string, messages = '', telemetryDataPoints = ''): DeviceRateLimits {
  const settings = {
    messages: limit(messages),
    telemetryMessages: limit(telemetryMessages),
    telemetryDataPoints: limit(telemetryDataPoints),
  };
  return new DeviceRateLimits(settings, time);
}

function setUp(telemetryMessages: string, messages = '', telemetryDataPoints = '') {
  const time = new FakeTime();
  const none = meter(time, '');
  const device = meter(time, telemetryMessages, messages, telemetryDataPoints);
  const limits = new RoleLimits({ device, gateway: none, subDevice: meter(time, '5:1') });
  return { time, limits, fixture: new HostFixture({ time, limits }) };
}

const telemetry = () => ({ kind: 'telemetry', points: points() }) as const;

describe('rate limits', () => {
  it('TB-104 closes the connection at the third telemetry message of 2:1, unacknowledged, and the log says why', () => {
    const { fixture } = setUp('2:1');
    const device = fixture.connect();
    for (let n = 0; n < 2; n++) expect(device.say([telemetry()]).verdict).toMatchObject({ reasonCode: 0, close: null });
    const { token, verdict } = device.say([telemetry()]);
    expect(verdict).toMatchObject({ close: { reasonCode: 0x83 } });
    expect(token.outcomes).toEqual([]);
    expect(fixture.events.filter((event) => event.startsWith('telemetry'))).toHaveLength(2);
    expect(fixture.host.log.of('d1')[0]).toMatchObject({ code: 0x83, reason: 'the device is over its rate limit' });
    expect(fixture.counted).toContain('rate_limited');
  });

  it('11 a reconnect does not reset the count, time does', () => {
    const { time, fixture } = setUp('1:1');
    fixture.connect().say([telemetry()]);
    expect(fixture.connect().say([telemetry()]).verdict).toMatchObject({ close: { reasonCode: 0x83 } });
    time.advance(1_000);
    expect(fixture.connect().say([telemetry()]).verdict).toMatchObject({ close: null });
  });

  it('11 counts telemetry and attributes by messages and values, everything else as one message', () => {
    const { fixture } = setUp('100:1', '3:1', '5:1');
    const device = fixture.connect();
    expect(device.say([{ kind: 'attributes', scope: 'CLIENT', values: points(3) }]).verdict).toMatchObject({
      close: null,
    });
    expect(device.say([{ kind: 'telemetry', points: points(3) }]).verdict).toMatchObject({
      close: { reasonCode: 0x83 },
    });
    const other = fixture.connect({ device: deviceRef('d2') });
    expect(other.connection.subscribe('f', {} as never)).toMatchObject({ reasonCode: 0 });
    expect(other.say([{ kind: 'rpcResponse', id: '1', payload: '1' }]).verdict).toMatchObject({ close: null });
    expect(other.connection.subscribe('f', {} as never)).toMatchObject({ reasonCode: 0x83 });
    expect(other.handle.disconnected).toEqual([0x83]);
  });

  it('1.5 refuses a CONNECT over the rate limit with 3 or 0x9F', () => {
    const { fixture } = setUp('', '2:1');
    fixture.connect();
    fixture.connect();
    const connect = { type: 1, level: 5, clientId: 'c', cleanStart: true, keepAlive: 0, will: null } as const;
    const packet = { ...connect, username: 'u', password: null, properties: null };
    expect(fixture.host.authenticate(packet, VIA)).toMatchObject({ accepted: false, returnCode: 3, reasonCode: 0x9f });
    expect(fixture.host.log.of(null)[0]).toMatchObject({ event: 'refused', code: 0x9f, dialect: 'test' });
  });

  it('without a limit for its kind a connection has no limiter, and a deleted device is forgotten', () => {
    const { fixture, limits } = setUp('1:1');
    expect(fixture.connect({ device: deviceRef('g', { gateway: true }) }).connection.limiter).toBeNull();
    fixture.connect().say([telemetry()]);
    expect(limits.limiterOf(deviceRef('d1'), 'device')?.take(1)).toBe(false);
    fixture.host.revoked('d1', 'deleted');
    expect(limits.limiterOf(deviceRef('d1'), 'device')?.take(1)).toBe(true);
  });

  it('4.5 tells the limits as text, for a gateway also those of the devices behind it', () => {
    const { limits } = setUp('2:1', '10:60');
    expect(limits.sessionLimits(deviceRef('d1'))).toEqual({
      maxPayloadSize: 65_536,
      maxInflightMessages: 100,
      messages: '10:60',
      telemetryMessages: '2:1',
      telemetryDataPoints: '',
      subDevice: null,
    });
    expect(limits.sessionLimits(deviceRef('g', { gateway: true }))).toMatchObject({
      telemetryMessages: '',
      subDevice: { telemetryMessages: '5:1' },
    });
  });
});
