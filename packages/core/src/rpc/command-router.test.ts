import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceRef } from '../model/connect-registry.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import { FakeRuntime } from '../telemetry/test-fakes.ts';
import type { DeliveryResult, SendResult } from './command-gateway.ts';
import { CommandRouter, type CommandRouterOptions } from './command-router.ts';
import type { RpcCall, RpcOutcome } from './rpc-call.ts';

function device(id: string): DeviceRef {
  return { id, tenantId: 't', name: id, profileId: 'p', gateway: false, settings: DEFAULT_PROFILE_SETTINGS };
}

function setUp(limits: Pick<CommandRouterOptions, 'maxPendingPerDevice' | 'maxPending'> = {}) {
  const runtime = new FakeRuntime();
  const sent: string[] = [];
  const state = { result: 'sent' as SendResult, onSend: (_id: string): void => undefined };
  const router = new CommandRouter({
    gateway: {
      send: (deviceId, command) => {
        if (state.result === 'sent') sent.push(`${deviceId} ${command.id} ${command.method} ${command.params}`);
        state.onSend(command.id);
        return state.result;
      },
    },
    scheduler: runtime,
    ...limits,
  });
  const call = (options: Partial<RpcCall> & { readonly to?: string } = {}): RpcOutcome[] => {
    const outcomes: RpcOutcome[] = [];
    const { to = 'd1', ...rest } = options;
    router.call(
      {
        tenantId: 't',
        device: device(to),
        method: 'm',
        params: 'null',
        timeoutMs: 10_000,
        oneway: false,
        waitForDevice: true,
        ...rest,
      },
      (outcome) => outcomes.push(outcome),
    );
    return outcomes;
  };
  return { runtime, sent, state, router, call };
}

describe('a call to a listening device', () => {
  it('TB-47 is sent at once, and its answer goes to the caller', () => {
    const { runtime, sent, router, call } = setUp();
    const outcomes = call({ method: 'setGpio', params: '{"pin":7}' });
    expect(sent).toEqual(['d1 0 setGpio {"pin":7}']);
    expect(outcomes).toEqual([]);
    router.answer('d1', '0', '{"ok":true}');
    expect(outcomes).toEqual([{ kind: 'answer', payload: '{"ok":true}' }]);
    expect(runtime.timers).toBe(0);
  });

  it('TB-48 is done when sent if one-way; an answer to it is ignored', async () => {
    const { runtime, router, call } = setUp();
    const outcomes = call({ oneway: true });
    expect(outcomes).toEqual([{ kind: 'sent' }]);
    router.answer('d1', '0', '{}');
    await runtime.advance(60_000);
    expect(outcomes).toHaveLength(1);
    expect(router.counters().unknownAnswers).toBe(1);
  });

  it('TB-49 TBS-69 ends with timeout after the timeout and not before', async () => {
    const { runtime, call } = setUp();
    const outcomes = call({ timeoutMs: 5000 });
    await runtime.advance(4999);
    expect(outcomes).toEqual([]);
    await runtime.advance(1);
    expect(outcomes).toEqual([{ kind: 'timeout' }]);
  });

  it('TB-52 ignores late, repeated, unknown and misspelt answers, and counts them', async () => {
    const { runtime, router, call } = setUp();
    const late = call({ timeoutMs: 5000 });
    const other = call();
    await runtime.advance(5000);
    router.answer('d1', '0', 'late');
    for (const id of ['7', '', '01', '+1', '1.0', ' 1', '99999999999999999999', '__proto__'])
      router.answer('d1', id, 'x');
    router.answer('d2', '1', 'of another device');
    router.answer('d1', '1', 'first');
    router.answer('d1', '1', 'second');
    expect(late).toEqual([{ kind: 'timeout' }]);
    expect(other).toEqual([{ kind: 'answer', payload: 'first' }]);
    expect(router.counters()).toMatchObject({ calls: 2, pending: 0, unknownAnswers: 11 });
  });

  it('numbers the commands of each device from 0', () => {
    const { sent, router, call } = setUp();
    call();
    call({ to: 'd2' });
    call();
    router.answer('d1', '0', '1');
    call();
    expect(sent.map((line) => line.slice(0, 4))).toEqual(['d1 0', 'd2 0', 'd1 1', 'd1 2']);
  });

  it('TB-59 hands params over unchanged', () => {
    const { sent, call } = setUp();
    for (const params of ['null', '1', '"s"', '[1]', '{"a":{}}']) call({ params });
    expect(sent.map((line) => line.split(' ')[3])).toEqual(['null', '1', '"s"', '[1]', '{"a":{}}']);
  });

  it('takes an answer that arrives while it is being sent', () => {
    const { state, router, call } = setUp();
    state.onSend = (id) => router.answer('d1', id, 'fast');
    expect(call()).toEqual([{ kind: 'answer', payload: 'fast' }]);
  });
});

describe('a call to a device that does not listen', () => {
  it.each(['notConnected', 'notSubscribed'] as const)(
    'TB-49 TBS-70 is offline at the deadline (%s)',
    async (result) => {
      const { runtime, state, call } = setUp();
      state.result = result;
      const outcomes = call({ timeoutMs: 5000 });
      await runtime.advance(4999);
      expect(outcomes).toEqual([]);
      await runtime.advance(1);
      expect(outcomes).toEqual([{ kind: 'offline', reason: result }]);
    },
  );

  it('TB-50 is sent when the device subscribes in time, oldest first, once', async () => {
    const { runtime, sent, state, router, call } = setUp();
    state.result = 'notConnected';
    const first = call({ method: 'first' });
    const second = call({ method: 'second', oneway: true });
    await runtime.advance(3000);
    state.result = 'sent';
    router.listening('d1');
    router.listening('d1');
    expect(sent).toEqual(['d1 0 first null', 'd1 1 second null']);
    expect(second).toEqual([{ kind: 'sent' }]);
    router.answer('d1', '0', '1');
    expect(first).toEqual([{ kind: 'answer', payload: '1' }]);
  });

  it('has its answer timeout from the call, not from the sending', async () => {
    const { runtime, state, router, call } = setUp();
    state.result = 'notSubscribed';
    const outcomes = call({ timeoutMs: 5000 });
    await runtime.advance(4000);
    state.result = 'sent';
    router.listening('d1');
    await runtime.advance(1000);
    expect(outcomes).toEqual([{ kind: 'timeout' }]);
  });

  it('stops sending when the device is gone again', async () => {
    const { runtime, state, router, call } = setUp();
    state.result = 'notConnected';
    const outcomes = [call(), call()];
    let tries = 0;
    state.onSend = () => {
      tries += 1;
    };
    state.result = 'notSubscribed';
    router.listening('d1');
    expect(tries).toBe(1);
    await runtime.advance(10_000);
    expect(outcomes).toEqual([
      [{ kind: 'offline', reason: 'notSubscribed' }],
      [{ kind: 'offline', reason: 'notConnected' }],
    ]);
  });

  it('fails at once if the caller does not wait', () => {
    const { runtime, state, call } = setUp();
    state.result = 'notConnected';
    expect(call({ waitForDevice: false })).toEqual([{ kind: 'offline', reason: 'notConnected' }]);
    expect(runtime.timers).toBe(0);
  });

  it('fails at once if its protocol has no word for it', () => {
    const { runtime, state, call } = setUp();
    state.result = 'notSupported';
    expect(call()).toEqual([{ kind: 'notSupported' }]);
    expect(runtime.timers).toBe(0);
  });

  it.each([0, -1, Number.NaN])('is never sent with a deadline that is past (%s)', (timeoutMs) => {
    const { sent, call } = setUp();
    expect(call({ timeoutMs })).toEqual([{ kind: 'expired' }]);
    expect(sent).toEqual([]);
  });
});

describe('a call that its caller gave up', () => {
  it('ends without an outcome and leaves nothing', () => {
    const { runtime, router } = setUp();
    const outcomes: RpcOutcome[] = [];
    const call = { tenantId: 't', device: device('d1'), method: 'm', params: 'null', timeoutMs: 10_000 };
    const giveUp = router.call({ ...call, oneway: false, waitForDevice: true }, (outcome) => outcomes.push(outcome));
    giveUp();
    giveUp();
    router.answer('d1', '0', '1');
    expect(outcomes).toEqual([]);
    expect(runtime.timers).toBe(0);
    expect(router.counters()).toMatchObject({ pending: 0, abandoned: 1, unknownAnswers: 1 });
  });

  it('is not sent any more when the device subscribes', () => {
    const { sent, state, router } = setUp();
    state.result = 'notConnected';
    const call = { tenantId: 't', device: device('d1'), method: 'm', params: 'null', timeoutMs: 10_000 };
    router.call({ ...call, oneway: true, waitForDevice: true }, () => {})();
    state.result = 'sent';
    router.listening('d1');
    expect(sent).toEqual([]);
  });
});

describe('a command that its sender keeps', () => {
  const command = (answers: string[], deliveries: DeliveryResult[] = []) => ({
    method: 'm',
    params: '1',
    delivered: (result: DeliveryResult) => deliveries.push(result),
    answered: (payload: string) => answers.push(payload),
  });

  it('shares the numbers of the calls and hears answers until it is forgotten', () => {
    const { sent, router, call } = setUp();
    const answers: string[] = [];
    const ids: number[] = [];
    call();
    expect(router.dispatch('d1', command(answers), (id) => ids.push(id))).toBe('sent');
    call();
    expect(sent.map((line) => line.slice(0, 4))).toEqual(['d1 0', 'd1 1', 'd1 2']);
    router.answer('d1', '1', 'a');
    router.forget('d1', ids[0] ?? -1);
    router.answer('d1', '1', 'b');
    expect([answers, ids]).toEqual([['a'], [1]]);
    expect(router.counters().unknownAnswers).toBe(1);
  });

  it('uses up no number if it is not sent', () => {
    const { sent, state, router, call } = setUp();
    state.result = 'notSubscribed';
    expect(router.dispatch('d1', command([]), () => {})).toBe('notSubscribed');
    state.result = 'sent';
    call();
    expect(sent).toEqual(['d1 0 m null']);
  });

  it('leaves its number to itself if a call was made while it was not sent', () => {
    const { sent, state, router, call } = setUp();
    state.result = 'notSubscribed';
    state.onSend = () => {
      state.onSend = () => {};
      state.result = 'sent';
      call({ method: 'inner' });
      state.result = 'notSubscribed';
    };
    router.dispatch('d1', command([]), () => {});
    state.result = 'sent';
    call({ method: 'after' });
    expect(sent).toEqual(['d1 1 inner null', 'd1 2 after null']);
  });
});

describe('bounds and ends', () => {
  it('refuses more pending calls than allowed for a device, and in all', () => {
    const { router, call } = setUp({ maxPendingPerDevice: 2, maxPending: 3 });
    call();
    call();
    expect(call()).toEqual([{ kind: 'tooMany' }]);
    expect(call({ to: 'd2' })).toEqual([]);
    expect(call({ to: 'd3' })).toEqual([{ kind: 'tooMany' }]);
    router.answer('d1', '0', '1');
    expect(call({ to: 'd3' })).toEqual([]);
  });

  it('ends the calls of a deleted device and numbers from 0 again', () => {
    const { runtime, sent, state, router, call } = setUp();
    const asked = call();
    state.result = 'notConnected';
    const waiting = call();
    router.removed('d1');
    expect([asked, waiting]).toEqual([[{ kind: 'timeout' }], [{ kind: 'offline', reason: 'notConnected' }]]);
    expect(runtime.timers).toBe(0);
    state.result = 'sent';
    call();
    expect(sent[1]).toBe('d1 0 m null');
  });

  it.each(['sent', 'notConnected', 'notSupported'] as const)(
    'ends a call once if its device is deleted while it is being sent (%s)',
    (result) => {
      const { state, router, call } = setUp();
      state.result = result;
      state.onSend = () => router.removed('d1');
      expect(call({ oneway: true, waitForDevice: false })).toEqual([{ kind: 'timeout' }]);
      expect(router.counters().pending).toBe(0);
    },
  );

  it('ends every call when the server stops', () => {
    const { runtime, router, call } = setUp();
    const outcomes = [call(), call({ to: 'd2' })];
    router.close();
    expect(outcomes).toEqual([[{ kind: 'stopped' }], [{ kind: 'stopped' }]]);
    expect(call()).toEqual([{ kind: 'stopped' }]);
    expect(runtime.timers).toBe(0);
  });

  it('every call ends exactly once, whatever happens [N5]', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('call' as const),
        to: fc.constantFrom('d1', 'd2'),
        oneway: fc.boolean(),
        waitForDevice: fc.boolean(),
      }),
      fc.record({
        kind: fc.constant('result' as const),
        result: fc.constantFrom<SendResult>('sent', 'sent', 'notConnected', 'notSubscribed', 'notSupported'),
      }),
      fc.record({ kind: fc.constant('answer' as const), to: fc.constantFrom('d1', 'd2'), id: fc.nat(12) }),
      fc.record({ kind: fc.constant('listening' as const), to: fc.constantFrom('d1', 'd2') }),
      fc.record({ kind: fc.constant('removed' as const), to: fc.constantFrom('d1', 'd2') }),
      fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 8000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { runtime, state, router, call } = setUp({ maxPendingPerDevice: 4 });
        const calls: RpcOutcome[][] = [];
        for (const action of steps) {
          if (action.kind === 'call') calls.push(call(action));
          else if (action.kind === 'result') state.result = action.result;
          else if (action.kind === 'answer') router.answer(action.to, String(action.id), '1');
          else if (action.kind === 'listening') router.listening(action.to);
          else if (action.kind === 'removed') router.removed(action.to);
          else await runtime.advance(action.ms);
          const ended = calls.filter((outcomes) => outcomes.length > 0).length;
          expect(router.counters().pending).toBe(calls.length - ended);
        }
        await runtime.advance(10_000);
        expect(calls.map((outcomes) => outcomes.length)).toEqual(calls.map(() => 1));
        expect(runtime.timers).toBe(0);
        const { outcomes } = router.counters();
        expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(calls.length);
      }),
      { numRuns: 150 },
    );
  });
});
