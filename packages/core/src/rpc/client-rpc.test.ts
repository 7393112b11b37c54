import { describe, expect, it } from 'vitest';
import type { SessionLimits } from '../device-platform.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import { FakeRuntime } from '../telemetry/test-fakes.ts';
import { ClientRpcMethods, type ClientRpcOptions } from './client-rpc.ts';

const DEVICE: DeviceRef = {
  id: 'd1',
  tenantId: 't',
  name: 'd1',
  profileId: 'p',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};
const LIMITS: SessionLimits = {
  maxPayloadSize: 65_536,
  maxInflightMessages: 100,
  messages: '200:1,6000:60',
  telemetryMessages: '100:1',
  telemetryDataPoints: '',
  subDevice: null,
};

function setUp(options: Partial<ClientRpcOptions> = {}) {
  const runtime = new FakeRuntime();
  const faults: unknown[] = [];
  const methods = new ClientRpcMethods({
    clock: runtime,
    scheduler: runtime,
    fault: (error) => faults.push(error),
    ...options,
  });
  const call = (method: string, params = 'null', limits = LIMITS) => methods.call(DEVICE, method, params, limits);
  return { runtime, faults, methods, call };
}

describe('a call of a device', () => {
  it('TB-60 for the time is answered with epoch milliseconds', async () => {
    const { runtime, call } = setUp();
    expect(await call('getTime', '{}')).toBe(String(runtime.wall));
    expect(await call('getCurrentTime')).toBe(String(runtime.wall));
  });

  it.each(['nobodyKnows', '', '__proto__', 'constructor'])(
    'TB-60 of a method that nobody handles (%j) is answered with an error at once',
    async (method) => {
      const { runtime, call } = setUp();
      expect(JSON.parse(await call(method))).toEqual({ error: 'No handler for this method' });
      expect(runtime.timers).toBe(0);
    },
  );

  it('TB-60 that takes too long is answered with timeout after 60 s', async () => {
    const { runtime, methods, call } = setUp();
    const { promise, resolve } = Promise.withResolvers<string>();
    methods.handle('slow', () => promise);
    let answer: string | null = null;
    call('slow').then((text) => {
      answer = text;
    });
    await runtime.advance(59_999);
    expect(answer).toBeNull();
    await runtime.advance(1);
    expect(answer).toBe('{"error":"timeout"}');
    resolve('late');
    await runtime.advance(1);
    expect(runtime.timers).toBe(0);
  });

  it('is answered by its handler, sooner or later', async () => {
    const { runtime, methods, call } = setUp();
    const remove = methods.handle('echo', ({ device, params }) => `[${params},"${device.name}"]`);
    expect(await call('echo', '{"a":1.0}')).toBe('[{"a":1.0},"d1"]');
    remove();
    expect(await call('echo')).toContain('error');
    methods.handle('later', async () => '2');
    expect(await call('later')).toBe('2');
    expect(runtime.timers).toBe(0);
  });

  it('fails when its handler throws or rejects, without its reason', async () => {
    const { faults, methods, call } = setUp();
    methods.handle('throws', () => {
      throw new RangeError('secret');
    });
    methods.handle('rejects', async () => {
      throw new RangeError('secret');
    });
    for (const method of ['throws', 'rejects']) expect(await call(method)).toBe('{"error":"The method failed"}');
    expect(faults).toHaveLength(2);
  });

  it('fails at once when too many wait', async () => {
    const { methods, call } = setUp({ maxWaiting: 1 });
    methods.handle('slow', () => new Promise(() => {}));
    void call('slow');
    expect(await call('slow')).toContain('Too many calls');
    expect(await call('getTime')).not.toContain('error');
  });
});

describe('getSessionLimits', () => {
  it('TB-61 tells a device its limits', async () => {
    const { call } = setUp();
    expect(JSON.parse(await call('getSessionLimits', '{"timeout":5000}'))).toEqual({
      maxPayloadSize: 65_536,
      maxInflightMessages: 100,
      rateLimits: { messages: '200:1,6000:60', telemetryMessages: '100:1', telemetryDataPoints: '' },
    });
  });

  it('TB-61 tells a gateway in both objects what is safe for itself and its devices', async () => {
    const { call } = setUp();
    const subDevice = { messages: '10:1', telemetryMessages: '', telemetryDataPoints: '5:1' };
    const rateLimits = { messages: '10:1,6000:60', telemetryMessages: '100:1', telemetryDataPoints: '5:1' };
    expect(JSON.parse(await call('getSessionLimits', 'null', { ...LIMITS, subDevice }))).toEqual({
      maxPayloadSize: 65_536,
      maxInflightMessages: 100,
      rateLimits,
      gatewayRateLimits: rateLimits,
    });
  });
});
