import { describe, expect, it } from 'vitest';
import { FakeAttributeStore, FakeRuntime, longs, settleAll } from '../telemetry/test-fakes.ts';
import { PointList } from '../values/point-list.ts';
import { ValueKind } from '../values/value.ts';
import { DeviceActivity } from './device-activity.ts';

function setUp() {
  const runtime = new FakeRuntime();
  const attributes = new FakeAttributeStore();
  const events: string[] = [];
  const faults: unknown[] = [];
  const make = () =>
    new DeviceActivity({
      attributes,
      clock: runtime,
      scheduler: runtime,
      changed: (owner, event) => events.push(`${owner} ${event}`),
      fault: (error) => faults.push(error),
    });
  const activity = make();
  activity.start();
  const value = (key: string, owner = 'd1') => attributes.value(owner, 'SERVER', key);
  return { runtime, attributes, events, faults, activity, make, value };
}

describe('connections', () => {
  it('TB-22 sets lastConnectTime, lastActivityTime and active when a connection opens', async () => {
    const { runtime, events, activity, value } = setUp();
    const opened = runtime.wall;
    activity.connected('d1');
    expect(activity.isActive('d1')).toBe(true);
    expect(events).toEqual(['d1 connected', 'd1 active']);
    await runtime.advance(3000);
    expect(value('lastConnectTime')).toBe(opened);
    expect(value('lastActivityTime')).toBe(opened);
    expect(value('active')).toBe(true);
    expect(value('lastDisconnectTime')).toBeUndefined();
  });

  it('TB-22 a disconnect sets lastDisconnectTime and leaves the device active', async () => {
    const { runtime, events, activity, value } = setUp();
    activity.connected('d1');
    await runtime.advance(5000);
    const closed = runtime.wall;
    activity.disconnected('d1');
    await runtime.advance(3000);
    expect(value('lastDisconnectTime')).toBe(closed);
    expect(value('active')).toBe(true);
    expect(events).toEqual(['d1 connected', 'd1 active', 'd1 disconnected']);
  });

  it('sets lastConnectTime again when a new connection replaces an old one', async () => {
    const { runtime, activity, value } = setUp();
    activity.connected('d1');
    await runtime.advance(5000);
    const second = runtime.wall;
    activity.connected('d1');
    await runtime.advance(3000);
    expect(value('lastConnectTime')).toBe(second);
  });
});

describe('reports', () => {
  it('TB-22 writes the time of the last sign of life, at most every 3 s', async () => {
    const { runtime, attributes, activity, value } = setUp();
    activity.active('d1');
    for (let i = 0; i < 29; i++) {
      await runtime.advance(100);
      activity.active('d1');
    }
    const last = runtime.wall;
    expect(attributes.saves).toHaveLength(0);
    await runtime.advance(100);
    expect(attributes.saves).toHaveLength(1);
    expect(value('lastActivityTime')).toBe(last);
    await runtime.advance(30_000);
    expect(attributes.saves).toHaveLength(1);
  });

  it('writes only what changed, all devices together', async () => {
    const { runtime, attributes, activity } = setUp();
    activity.active('d1');
    activity.active('d2');
    await runtime.advance(3000);
    activity.active('d1');
    activity.active('d2');
    await runtime.advance(3000);
    expect(attributes.saves.map(({ changes }) => changes.map(({ owner, key }) => `${owner} ${key}`))).toEqual([
      ['d1 lastActivityTime', 'd1 active', 'd2 lastActivityTime', 'd2 active'],
      ['d1 lastActivityTime', 'd2 lastActivityTime'],
    ]);
  });

  it.each(['full', 'failed'] as const)('tries again with the newest values when the store is %s', async (outcome) => {
    const { runtime, attributes, activity, value } = setUp();
    attributes.automatic = false;
    activity.active('d1');
    await runtime.advance(3000);
    attributes.saves[0]?.answer.resolve(outcome);
    await settleAll();
    attributes.automatic = true;
    activity.active('d1');
    const last = runtime.wall;
    await runtime.advance(3000);
    expect(value('lastActivityTime')).toBe(last);
    expect(value('active')).toBe(true);
    expect(attributes.saves).toHaveLength(2);
  });

  it('reports an exception of the store and tries again', async () => {
    const { runtime, attributes, faults, activity, value } = setUp();
    attributes.automatic = false;
    activity.active('d1');
    await runtime.advance(3000);
    attributes.saves[0]?.answer.reject(new TypeError('broken'));
    await settleAll();
    expect(faults).toEqual([new TypeError('broken')]);
    attributes.automatic = true;
    await runtime.advance(3000);
    expect(value('active')).toBe(true);
  });

  it('has one report in flight; a slow store loses nothing', async () => {
    const { runtime, attributes, activity, value } = setUp();
    attributes.automatic = false;
    activity.active('d1');
    await runtime.advance(3000);
    activity.active('d2');
    await runtime.advance(9000);
    expect(attributes.saves).toHaveLength(1);
    attributes.automatic = true;
    attributes.saves[0]?.answer.resolve('stored');
    await settleAll();
    await runtime.advance(3000);
    expect(value('active', 'd1')).toBe(true);
    expect(value('active', 'd2')).toBe(true);
  });

  it('splits a large report', async () => {
    const { runtime, attributes, activity } = setUp();
    for (let i = 0; i < 3000; i++) activity.active(`d${i}`);
    await runtime.advance(3000);
    expect(attributes.saves.map(({ changes }) => changes.length)).toEqual([5000, 1000]);
  });

  it('writes what is left when it closes, and leaves no timer', async () => {
    const { runtime, activity, value } = setUp();
    activity.active('d1');
    await activity.close();
    expect(value('active')).toBe(true);
    expect(runtime.timers).toBe(0);
  });

  it('writes active = false for a new device, and nothing for a deleted one', async () => {
    const { runtime, attributes, activity, value } = setUp();
    activity.created('d1');
    activity.active('d2');
    activity.removed('d2');
    await runtime.advance(3000);
    expect(value('active')).toBe(false);
    expect(attributes.saves.flatMap(({ changes }) => changes.map(({ owner }) => owner))).toEqual(['d1']);
    expect(activity.isActive('d2')).toBe(false);
  });
});

describe('silence', () => {
  it('makes a device inactive after 600 s, found within 60 s', async () => {
    const { runtime, events, activity, value } = setUp();
    activity.active('d1');
    await runtime.advance(599_999);
    expect(activity.isActive('d1')).toBe(true);
    await runtime.advance(60_001);
    const alarm = runtime.wall;
    expect(activity.isActive('d1')).toBe(false);
    expect(events).toEqual(['d1 active', 'd1 inactive']);
    await runtime.advance(3000);
    expect(value('active')).toBe(false);
    expect(value('inactivityAlarmTime')).toBe(alarm);
    await runtime.advance(600_000);
    expect(events).toHaveLength(2);
  });

  it('TB-23 with inactivityTimeout 5000 a silent device becomes inactive, and active again on the next message', async () => {
    const { runtime, events, activity, value } = setUp();
    activity.attributesStored('d1', 'SERVER', longs({ inactivityTimeout: 5000 }));
    activity.connected('d1');
    await runtime.advance(63_000);
    expect(activity.isActive('d1')).toBe(false);
    expect(value('active')).toBe(false);
    expect(value('inactivityAlarmTime')).toBeGreaterThan(0);
    activity.active('d1');
    expect(activity.isActive('d1')).toBe(true);
    await runtime.advance(3000);
    expect(value('active')).toBe(true);
    expect(value('inactivityAlarmTime')).toBe(0);
    expect(events).toEqual(['d1 connected', 'd1 active', 'd1 inactive', 'd1 active']);
  });

  it('PINGREQ every minute keeps a device active', async () => {
    const { runtime, events, activity } = setUp();
    for (let i = 0; i < 30; i++) {
      activity.active('d1');
      await runtime.advance(60_000);
    }
    expect(events).toEqual(['d1 active']);
  });

  it('follows inactivityTimeout up, down and away; other scopes and nonsense mean the default', async () => {
    const { runtime, activity } = setUp();
    activity.active('d1');
    activity.attributesStored('d1', 'SHARED', longs({ inactivityTimeout: 1 }));
    await runtime.advance(120_000);
    expect(activity.isActive('d1')).toBe(true);
    const asText = new PointList();
    asText.add(0, 'inactivityTimeout', ValueKind.String, '60000');
    activity.attributesStored('d1', 'SERVER', asText);
    await runtime.advance(60_000);
    expect(activity.isActive('d1')).toBe(false);
    activity.attributesStored('d1', 'SERVER', longs({ inactivityTimeout: 3_600_000 }));
    expect(activity.isActive('d1')).toBe(true);
    activity.attributesStored('d1', 'SERVER', longs({ inactivityTimeout: 60_000 }));
    await runtime.advance(60_000);
    expect(activity.isActive('d1')).toBe(false);
    activity.attributesStored('d1', 'SERVER', longs({ inactivityTimeout: -1 }));
    expect(activity.isActive('d1')).toBe(true);
    activity.attributesStored('d1', 'SERVER', longs({ inactivityTimeout: 60_000 }));
    await runtime.advance(60_000);
    activity.attributesRemoved('d1', 'SERVER', ['x', 'inactivityTimeout']);
    expect(activity.isActive('d1')).toBe(true);
  });

  it('a jump of the wall clock declares nobody inactive', async () => {
    const { runtime, events, activity } = setUp();
    activity.active('d1');
    await runtime.advance(3000);
    runtime.wall += 3_600_000;
    await runtime.advance(60_000);
    runtime.wall -= 7_200_000;
    await runtime.advance(60_000);
    expect(events).toEqual(['d1 active']);
  });
});

describe('restart', () => {
  it('takes up the devices of the earlier run, and finds those that fell silent', async () => {
    const { runtime, events, activity, make, value } = setUp();
    activity.connected('d1');
    activity.attributesStored('d2', 'SERVER', longs({ inactivityTimeout: 5000 }));
    activity.active('d2');
    await activity.close();
    events.length = 0;
    await runtime.advance(590_000);
    const next = make();
    next.start();
    await next.restore(['d1', 'd2', 'd3']);
    expect([next.isActive('d1'), next.isActive('d2'), next.isActive('d3')]).toEqual([true, true, false]);
    await runtime.advance(63_000);
    expect([next.isActive('d1'), next.isActive('d2')]).toEqual([false, false]);
    expect(events.sort()).toEqual(['d1 inactive', 'd2 inactive']);
    expect(value('active')).toBe(false);
    await next.close();
  });

  it('leaves alone a device that is gone meanwhile, and stops with the end', async () => {
    const { attributes, activity, make } = setUp();
    await attributes.save([saved('lastActivityTime', 6)]);
    await activity.restore(['d1'], () => false);
    expect(activity.isActive('d1')).toBe(false);
    const asked: string[] = [];
    const next = make();
    const owners = (function* () {
      for (const owner of ['d1', 'd2', 'd3']) {
        asked.push(owner);
        yield owner;
      }
    })();
    const restoring = next.restore(owners);
    await next.close();
    await restoring;
    expect(asked.length).toBeLessThan(3);
  });

  it('keeps what was heard before the restore, with the timeout of the earlier run', async () => {
    const { runtime, attributes, activity, value } = setUp();
    await attributes.save([
      saved('inactivityTimeout', 5000),
      saved('inactivityAlarmTime', 7),
      saved('lastActivityTime', 6),
      saved('lastDisconnectTime', 5),
    ]);
    activity.connected('d1');
    const heard = runtime.wall;
    await activity.restore(['d1']);
    expect(activity.isActive('d1')).toBe(true);
    await runtime.advance(3000);
    expect(value('lastActivityTime')).toBe(heard);
    expect(value('inactivityAlarmTime')).toBe(0);
    expect(value('lastDisconnectTime')).toBe(5);
    await runtime.advance(60_000);
    expect(activity.isActive('d1')).toBe(false);
  });
});

function saved(key: string, value: number) {
  return { owner: 'd1', scope: 'SERVER', key, attribute: { kind: ValueKind.Long, value, lastUpdateTs: 1 } } as const;
}
