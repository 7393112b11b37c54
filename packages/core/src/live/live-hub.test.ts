import { describe, expect, it } from 'vitest';
import { refuse, success } from '../errors.ts';
import { NULL_ID } from '../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import type { Caller } from '../platform.ts';
import { ObserverFan } from '../telemetry/observer-fan.ts';
import { longs, RecordingObserver } from '../telemetry/test-fakes.ts';
import { PointList } from '../values/point-list.ts';
import { ValueKind } from '../values/value.ts';
import { LiveHub, type LiveLimits } from './live-hub.ts';
import type { LiveAttributes, LiveEvent, LiveTelemetry } from './live-messages.ts';
import type { LiveSubscriber } from './live-service.ts';

const ADMIN: Caller = { userId: 'u1', authority: 'TENANT_ADMIN', tenantId: 't', customerId: NULL_ID };
const CUSTOMER: Caller = { userId: 'u2', authority: 'CUSTOMER_USER', tenantId: 't', customerId: 'c' };
const EVERYTHING = { telemetry: true, attributes: true, events: true };

class Listener implements LiveSubscriber {
  readonly heard: string[] = [];
  readonly messages: LiveTelemetry[] = [];

  telemetry(message: LiveTelemetry): void {
    this.messages.push(message);
    this.heard.push(`telemetry ${message.deviceId} ${[...message.entries.keys()]}`);
  }

  attributes({ deviceId, scope, entries }: LiveAttributes): void {
    this.heard.push(`attributes ${deviceId} ${scope} ${Array.from(entries, ([key, [one]]) => `${key}=${one?.text}`)}`);
  }

  event(deviceId: string, { type }: LiveEvent): void {
    this.heard.push(`${type} ${deviceId}`);
  }

  ended(deviceId: string, reason: string): void {
    this.heard.push(`${reason} ${deviceId}`);
  }
}

function setUp(limits: Partial<LiveLimits> = {}) {
  const denied = new Set<Caller>();
  const faults: unknown[] = [];
  let asked = 0;
  const hub = new LiveHub({
    access: (caller, id) => {
      asked += 1;
      if (denied.has(caller)) return refuse('permissionDenied');
      if (!id.startsWith('d')) return refuse('notFound');
      return success({
        id,
        tenantId: 't',
        name: id,
        profileId: 'p',
        gateway: false,
        settings: DEFAULT_PROFILE_SETTINGS,
      });
    },
    clock: { now: () => 99 },
    fault: (error) => faults.push(error),
    limits,
  });
  const watch = (caller: Caller, id: string, listener: LiveSubscriber = new Listener(), interest = EVERYTHING) => {
    const watched = hub.watch(caller, id, interest, listener);
    if (!watched.ok) throw new TypeError(watched.message);
    return watched.value;
  };
  return { hub, denied, faults, watch, asked: () => asked };
}

describe('LiveHub', () => {
  it('wants the telemetry of a device only while somebody hears it', () => {
    const { hub, watch } = setUp();
    expect(hub.wants('d1')).toBe(false);
    const events = watch(ADMIN, 'd1', new Listener(), { telemetry: false, attributes: true, events: true });
    expect(hub.wants('d1')).toBe(false);
    const all = watch(ADMIN, 'd1');
    expect([hub.wants('d1'), hub.wants('d2')]).toEqual([true, false]);
    all.close();
    all.close();
    events.close();
    expect(hub.wants('d1')).toBe(false);
    expect(hub.counters()).toEqual({ watches: 0, devices: 0, messages: 0 });
  });

  it('tells what each watch is interested in', () => {
    const { hub, watch } = setUp();
    const [one, two] = [new Listener(), new Listener()];
    watch(ADMIN, 'd1', one);
    watch(ADMIN, 'd1', two, { telemetry: false, attributes: true, events: false });
    hub.telemetryStored('d1', longs({ a: 1, b: 2 }));
    hub.telemetryStored('d2', longs({ a: 1 }));
    hub.attributesStored('d1', 'SERVER', longs({ x: 5 }));
    hub.attributesRemoved('d1', 'SHARED', ['y']);
    hub.happened('d1', { ts: 1, type: 'connected', detail: null });
    expect(one.heard).toEqual([
      'telemetry d1 a,b',
      'attributes d1 SERVER x=5',
      'attributes d1 SHARED y=',
      'connected d1',
    ]);
    expect(two.heard).toEqual(['attributes d1 SERVER x=5', 'attributes d1 SHARED y=']);
  });

  it('makes one message and one text for all who listen, and asks for equal rights once', () => {
    const { hub, watch, asked } = setUp();
    const listeners = Array.from({ length: 1000 }, () => new Listener());
    for (const listener of listeners) watch({ ...ADMIN }, 'd1', listener);
    const before = asked();
    hub.telemetryStored('d1', longs({ a: 1 }));
    expect(asked() - before).toBe(1);
    const [message] = listeners[0]?.messages ?? [];
    let made = 0;
    for (const { messages } of listeners) {
      expect(messages[0]).toBe(message);
      messages[0]?.shared('text', () => String(++made));
    }
    expect(made).toBe(1);
  });

  it('ends the watch of a caller who may not see the device any longer, before anything is told', () => {
    const { hub, watch, denied } = setUp();
    const [customer, admin] = [new Listener(), new Listener()];
    watch(CUSTOMER, 'd1', customer);
    watch(ADMIN, 'd1', admin);
    denied.add(CUSTOMER);
    hub.telemetryStored('d1', longs({ a: 1 }));
    hub.telemetryStored('d1', longs({ a: 2 }));
    expect(customer.heard).toEqual(['denied d1']);
    expect(admin.heard).toHaveLength(2);
    expect(hub.watch(CUSTOMER, 'd1', EVERYTHING, customer)).toMatchObject({ code: 'permissionDenied' });
    expect(hub.watch(ADMIN, 'x', EVERYTHING, customer)).toMatchObject({ code: 'notFound' });
  });

  it('ends the watches of a deleted device, and of no other', () => {
    const { hub, watch } = setUp();
    const listener = new Listener();
    watch(ADMIN, 'd1', listener);
    watch(ADMIN, 'd2', listener);
    hub.revoked('d1', 'credentialsChanged');
    hub.revoked('d1', 'deleted');
    expect(listener.heard).toEqual(['deleted d1']);
    expect(hub.counters().watches).toBe(1);
  });

  it('bounds the watches of a user and of all', () => {
    const { hub, watch } = setUp({ watchesOfUser: 2, watches: 3 });
    const first = watch(ADMIN, 'd1');
    watch(ADMIN, 'd1');
    const more = (caller: Caller) => hub.watch(caller, 'd1', EVERYTHING, new Listener());
    expect(more(ADMIN)).toMatchObject({ code: 'tooManyRequests' });
    watch(CUSTOMER, 'd1');
    expect(more({ ...ADMIN, userId: 'u3' })).toMatchObject({ code: 'tooManyRequests' });
    first.close();
    expect(more(ADMIN).ok).toBe(true);
  });

  it('reports what a subscriber throws, and the others hear', () => {
    const { hub, watch, faults } = setUp();
    const broken = new Listener();
    broken.telemetry = () => {
      throw new TypeError('broken');
    };
    const listener = new Listener();
    watch(ADMIN, 'd1', broken);
    watch(ADMIN, 'd1', listener);
    hub.telemetryStored('d1', longs({ a: 1 }));
    expect([faults.length, listener.heard.length]).toEqual([1, 1]);
  });

  it('shows every kind of value as text', () => {
    const { hub, watch } = setUp();
    const listener = new Listener();
    watch(ADMIN, 'd1', listener);
    const points = new PointList();
    points.add(1, 'double', ValueKind.Double, 42);
    points.add(1, 'long', ValueKind.Long, 9007199254740993n);
    points.add(1, 'text', ValueKind.String, '"');
    points.add(1, 'json', ValueKind.Json, '{"a":"b"}');
    points.add(2, 'long', ValueKind.Long, 1);
    hub.telemetryStored('d1', points);
    expect(listener.messages[0]?.entries).toEqual(
      new Map([
        ['double', [{ ts: 1, text: '42.0', json: '"42.0"' }]],
        [
          'long',
          [
            { ts: 1, text: '9007199254740993', json: '"9007199254740993"' },
            { ts: 2, text: '1', json: '"1"' },
          ],
        ],
        ['text', [{ ts: 1, text: '"', json: '"\\""' }]],
        ['json', [{ ts: 1, text: '{"a":"b"}', json: '"{\\"a\\":\\"b\\"}"' }]],
      ]),
    );
  });
});

describe('ObserverFan', () => {
  it('tells all what was stored, and the first alone everything else', () => {
    const [first, second] = [new RecordingObserver(), new RecordingObserver()];
    const fan = new ObserverFan(first, second);
    fan.telemetryStored('d', longs({ a: 1 }));
    fan.attributesStored('d', 'CLIENT', longs({ a: 1 }));
    fan.attributesRemoved('d', 'SERVER', ['a']);
    expect(second.lines).toEqual(['telemetry d a', 'attributes d CLIENT a', 'removed d SERVER a']);
    fan.dropped('d', 'invalidKey', 2);
    fan.congestionChanged(true);
    fan.fault('f');
    expect(first.lines).toEqual([...second.lines, 'dropped d invalidKey 2', 'congested true']);
    expect([first.faults, second.faults, second.lines.length]).toEqual([['f'], [], 3]);
  });

  it('goes on when one of them throws', () => {
    const [first, last] = [new RecordingObserver(), new RecordingObserver()];
    const broken = new RecordingObserver();
    broken.telemetryStored = () => {
      throw new TypeError('broken');
    };
    broken.attributesStored = () => {
      throw new TypeError('broken');
    };
    const fan = new ObserverFan(first, broken, last);
    fan.telemetryStored('d', longs({ a: 1 }));
    fan.attributesStored('d', 'CLIENT', longs({ a: 1 }));
    expect([first.faults.length, last.lines.length]).toEqual([2, 2]);
  });
});
