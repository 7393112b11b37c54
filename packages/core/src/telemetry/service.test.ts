import { describe, expect, it } from 'vitest';
import { refuse, success } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import { NULL_ID } from '../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import type { Caller, SeriesRangeQuery } from '../platform.ts';
import { PointList } from '../values/point-list.ts';
import { type Value, ValueKind } from '../values/value.ts';
import { TelemetryIngest } from './ingest.ts';
import { createTelemetryService } from './service.ts';
import {
  FakeAttributeStore,
  FakeRuntime,
  FakeTelemetryStore,
  longs,
  RecordingObserver,
  settleAll,
} from './test-fakes.ts';

const CALLER: Caller = { userId: 'u', authority: 'TENANT_ADMIN', tenantId: 't', customerId: NULL_ID };
const READER: Caller = { ...CALLER, authority: 'CUSTOMER_USER' };

const DEVICE: DeviceRef = {
  id: 'd1',
  tenantId: 't',
  name: 'Device',
  profileId: 'p',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

function setUp() {
  const runtime = new FakeRuntime();
  const telemetry = new FakeTelemetryStore();
  const attributes = new FakeAttributeStore();
  const observer = new RecordingObserver();
  const pushed: unknown[] = [];
  const ingest = new TelemetryIngest({ telemetry, attributes, clock: runtime, scheduler: runtime, observer });
  const service = createTelemetryService({
    telemetry,
    attributes,
    ingest,
    observer,
    clock: runtime,
    scheduler: runtime,
    access: {
      entity: (caller, id, action) => {
        if (id !== 'd1') return refuse('notFound');
        if (caller === READER && action === 'WRITE') return refuse('permissionDenied');
        return success(DEVICE);
      },
    },
    listener: {
      sharedAttributesChanged: (deviceId, change) =>
        pushed.push('values' in change ? [deviceId, [...change.values]] : [deviceId, change.deleted]),
    },
  });
  /** Runs a write through its group commit. */
  const write = async <T>(task: Promise<T>): Promise<T> => {
    await settleAll();
    runtime.endTurn();
    return task;
  };
  return { runtime, telemetry, attributes, observer, pushed, ingest, service, write };
}

function range(query: Partial<SeriesRangeQuery>): SeriesRangeQuery {
  return {
    keys: ['a'],
    startTs: 0,
    endTs: 10_000,
    intervalMs: 0,
    limit: 100,
    aggregate: null,
    order: 'desc',
    ...query,
  };
}

function values(entries: Record<string, number>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(entries).map(([key, value]) => [key, { kind: ValueKind.Long, value }]));
}

describe('reading series', () => {
  it('TBS-66 lists the keys that have a latest value', async () => {
    const { telemetry, service } = setUp();
    const [a = 0] = telemetry.know('d1', 'a', 'b');
    telemetry.latestPoints.set(a, { ts: 1, kind: ValueKind.Long, value: 5 });
    expect(await service.keys(CALLER, 'd1')).toEqual(success(['a']));
  });

  it('TBS-48 answers null for a requested key without data; without keys only those with data', async () => {
    const { telemetry, service } = setUp();
    const [a = 0] = telemetry.know('d1', 'a', 'b');
    const point = { ts: 1, kind: ValueKind.Long, value: 5 };
    telemetry.latestPoints.set(a, point);
    const asked = await service.latest(CALLER, 'd1', ['never', 'b', 'a']);
    expect(asked.ok && [...asked.value]).toEqual([
      ['never', null],
      ['b', null],
      ['a', point],
    ]);
    const every = await service.latest(CALLER, 'd1', null);
    expect(every.ok && [...every.value]).toEqual([['a', point]]);
  });

  it('TBS-49 TBS-50 asks for [startTs, endTs) with limit and order per key, and leaves out keys without points', async () => {
    const { telemetry, service } = setUp();
    const [a = 0, b = 0] = telemetry.know('d1', 'a', 'b');
    expect(await service.range(CALLER, 'd1', range({ keys: ['a', 'x', 'b', 'a'], limit: 5, order: 'asc' }))).toEqual(
      success(new Map()),
    );
    expect(telemetry.rangeQueries).toEqual([
      { series: a, from: 0, to: 10_000, order: 'asc', limit: 5 },
      { series: b, from: 0, to: 10_000, order: 'asc', limit: 5 },
    ]);
    telemetry.rangePoints = [{ ts: 1, kind: ValueKind.Long, value: 5 }];
    const found = await service.range(CALLER, 'd1', range({}));
    expect(found.ok && [...found.value]).toEqual([['a', telemetry.rangePoints]]);
  });

  it('TBS-51 aggregates in buckets that begin at startTs', async () => {
    const { telemetry, service } = setUp();
    const [a = 0] = telemetry.know('d1', 'a');
    const bucket = { sum: 3, longSum: 3n, min: 1, max: 2, minText: undefined, maxText: undefined };
    telemetry.buckets = [
      { from: 500, counts: [0, 0, 2, 0, 0, 0], ...bucket },
      { from: 2500, counts: [0, 0, 2, 0, 0, 0], ...bucket },
    ];
    const found = await service.range(
      CALLER,
      'd1',
      range({ startTs: 500, endTs: 3000, intervalMs: 1000, aggregate: 'avg', limit: 0 }),
    );
    expect(telemetry.aggregateQueries).toEqual([{ series: a, from: 500, to: 3000, intervalMs: 1000 }]);
    expect(found.ok && found.value.get('a')).toEqual([
      { ts: 1000, kind: ValueKind.Double, value: 1.5 },
      { ts: 2750, kind: ValueKind.Double, value: 1.5 },
    ]);
  });

  it('TBS-52 an aggregate without an interval gives raw points, however long the range', async () => {
    const { telemetry, service } = setUp();
    telemetry.know('d1', 'a');
    const found = await service.range(CALLER, 'd1', range({ endTs: 8e12, aggregate: 'avg', intervalMs: 0 }));
    expect(found.ok).toBe(true);
    expect(telemetry.aggregateQueries).toEqual([]);
    expect(telemetry.rangeQueries).toHaveLength(1);
  });

  it.each([
    [{ endTs: 700_000, intervalMs: 1000 }, true],
    [{ endTs: 701_000, intervalMs: 1000 }, false],
    [{ endTs: 700_999, intervalMs: 1 }, true],
    [{ endTs: 701_000, intervalMs: 1 }, false],
    [{ endTs: 7_010_000, intervalMs: 10_000 }, false],
    [{ startTs: 5, endTs: 4, intervalMs: 1000 }, false],
    [{ startTs: 5, endTs: 4, aggregate: null }, false],
  ] as const)(
    'TBS-53 refuses more than 700 buckets and a range that ends before it begins (%j)',
    async (query, allowed) => {
      const { telemetry, service } = setUp();
      telemetry.know('d1', 'a');
      const found = await service.range(CALLER, 'd1', range({ aggregate: 'sum', ...query }));
      expect(found.ok).toBe(allowed);
      if (!found.ok)
        expect(found).toMatchObject({ code: 'badRequest', message: expect.stringContaining('intervals is too high') });
    },
  );

  it.each([
    { limit: 0 },
    { limit: 1.5 },
    { startTs: Number.NaN },
    { endTs: 9e15 },
    { aggregate: 'sum', intervalMs: 1.5 },
  ] as const)('refuses nonsense (%j)', async (query) => {
    const { service } = setUp();
    expect(await service.range(CALLER, 'd1', range(query))).toMatchObject({ ok: false, code: 'badRequest' });
  });

  it('bounds the answer over all keys', async () => {
    const { telemetry, service } = setUp();
    telemetry.know('d1', 'a', 'b', 'c');
    telemetry.rangePoints = Array.from({ length: 500_000 }, () => ({ ts: 1, kind: ValueKind.Long, value: 5 }));
    const ask = (keys: string[]) => service.range(CALLER, 'd1', range({ keys, limit: 9_000_000 }));
    expect(await ask(['a', 'b'])).toMatchObject({ ok: true });
    expect(await ask(['a', 'b', 'c'])).toMatchObject({ ok: false, code: 'limitExceeded' });
    expect(telemetry.rangeQueries.every(({ limit }) => limit <= 1_000_000)).toBe(true);
  });
});

describe('writing series', () => {
  it('is done when the points are durable, and reaches the live feed', async () => {
    const { telemetry, observer, service, runtime } = setUp();
    telemetry.automatic = false;
    let done = false;
    const saved = service.save(CALLER, 'd1', longs({ a: 1 })).then((result) => {
      done = true;
      return result;
    });
    await settleAll();
    telemetry.interns[0]?.answer.resolve('ok');
    await settleAll();
    runtime.endTurn();
    await settleAll();
    expect(done).toBe(false);
    telemetry.appends[0]?.answer.resolve('stored');
    expect(await saved).toEqual(success(null));
    expect(observer.lines).toEqual(['telemetry d1 a']);
    expect(runtime.timers).toBe(0);
  });

  it.each([
    ['tooMany', 'limitExceeded'],
    ['full', 'storageFull'],
    ['failed', 'storageFailed'],
  ] as const)('says so when keys get no series (%s)', async (outcome, code) => {
    const { telemetry, service } = setUp();
    telemetry.automatic = false;
    const saved = service.save(CALLER, 'd1', longs({ a: 1 }));
    await settleAll();
    telemetry.interns[0]?.answer.resolve(outcome);
    expect(await saved).toMatchObject({ ok: false, code });
    expect(telemetry.appends).toEqual([]);
  });

  it.each([
    ['full', 'storageFull'],
    ['failed', 'storageFailed'],
  ] as const)('says so when the store is %s', async (outcome, code) => {
    const { telemetry, service, write } = setUp();
    telemetry.know('d1', 'a');
    telemetry.automatic = false;
    const saved = write(service.save(CALLER, 'd1', longs({ a: 1 })));
    await settleAll();
    telemetry.appends[0]?.answer.resolve(outcome);
    expect(await saved).toMatchObject({ ok: false, code });
  });

  it('gives up after 30 s without an answer of the store', async () => {
    const { runtime, telemetry, service, write } = setUp();
    telemetry.know('d1', 'a');
    telemetry.automatic = false;
    const saved = write(service.save(CALLER, 'd1', longs({ a: 1 })));
    await settleAll();
    await runtime.advance(30_000);
    expect(await saved).toMatchObject({ ok: false, code: 'storageFailed' });
  });

  it('refuses what can not be stored, with the reason', async () => {
    const { service } = setUp();
    expect(await service.save(CALLER, 'd1', longs({ ' ': 1 }))).toEqual(refuse('badRequest', 'Key cannot be blank'));
    expect(await service.save(CALLER, 'd1', longs({ ['k'.repeat(256)]: 1 }))).toMatchObject({ code: 'badRequest' });
    expect(await service.save(CALLER, 'd1', longs({ a: 1 }, 0.5))).toMatchObject({ code: 'badRequest' });
    expect(await service.save(CALLER, 'd1', longs({ a: Number.NaN }))).toMatchObject({ code: 'badRequest' });
  });

  it('saves no points without asking the store', async () => {
    const { telemetry, service, runtime } = setUp();
    expect(await service.save(CALLER, 'd1', new PointList())).toEqual(success(null));
    expect(telemetry.interns).toEqual([]);
    expect(runtime.timers).toBe(0);
  });
});

describe('removing series', () => {
  it('TBS-65 erases the range of every known key', async () => {
    const { telemetry, service } = setUp();
    const [a] = telemetry.know('d1', 'a');
    const query = { keys: ['a', 'x'], range: { startTs: 1, endTs: 9 }, latestAfter: 'rewrite' } as const;
    expect(await service.remove(CALLER, 'd1', query)).toEqual(success(null));
    expect(telemetry.erased).toEqual([{ series: a, from: 1, to: 9, latestAfter: 'rewrite' }]);
  });

  it('erases everything without a range, also the last possible moment', async () => {
    const { telemetry, service } = setUp();
    telemetry.know('d1', 'a');
    await service.remove(CALLER, 'd1', { keys: ['a'], range: null, latestAfter: 'delete' });
    expect(telemetry.erased).toMatchObject([{ from: -8.64e15, to: 8.64e15 + 1 }]);
  });

  it('refuses no keys and impossible times, and passes on what the store says', async () => {
    const { telemetry, service } = setUp();
    telemetry.know('d1', 'a');
    const remove = (keys: string[], startTs: number) =>
      service.remove(CALLER, 'd1', { keys, range: { startTs, endTs: 9 }, latestAfter: 'keep' });
    expect(await remove([], 1)).toEqual(refuse('badRequest', 'Empty keys: []'));
    expect(await remove(['a'], Number.NaN)).toMatchObject({ code: 'badRequest' });
    telemetry.eraseOutcome = 'failed';
    expect(await remove(['a'], 1)).toMatchObject({ code: 'storageFailed' });
  });
});

describe('attributes', () => {
  it('TBS-60 writes them, and tells the device of shared ones only', async () => {
    const { attributes, observer, pushed, service, write } = setUp();
    expect(await write(service.saveAttributes(CALLER, 'd1', 'SHARED', values({ a: 1 })))).toEqual(success(null));
    expect(await write(service.saveAttributes(CALLER, 'd1', 'SERVER', values({ b: 2 })))).toEqual(success(null));
    expect(attributes.value('d1', 'SHARED', 'a')).toBe(1);
    expect(attributes.value('d1', 'SERVER', 'b')).toBe(2);
    expect(pushed).toEqual([['d1', [...values({ a: 1 })]]]);
    expect(observer.lines).toEqual(['attributes d1 SHARED a', 'attributes d1 SERVER b']);
  });

  it('TBS-61 refuses to write client attributes', async () => {
    const { attributes, service } = setUp();
    expect(await service.saveAttributes(CALLER, 'd1', 'CLIENT', values({ a: 1 }))).toEqual(
      refuse('badRequest', 'Invalid scope: CLIENT_SCOPE'),
    );
    const viewer = { ...CALLER, userId: NULL_ID, authority: 'CUSTOMER_USER', isPublic: true } as const;
    expect(await service.saveAttributes(viewer, 'd1', 'CLIENT', values({ a: 1 }))).toEqual(
      refuse('badRequest', 'Invalid scope: CLIENT_SCOPE'),
    );
    expect(attributes.saves).toEqual([]);
  });

  it('refuses nothing at all and blank keys', async () => {
    const { service } = setUp();
    expect(await service.saveAttributes(CALLER, 'd1', 'SERVER', values({}))).toEqual(
      refuse('badRequest', 'No attributes data found in request body!'),
    );
    expect(await service.saveAttributes(CALLER, 'd1', 'SERVER', values({ ' ': 1 }))).toEqual(
      refuse('badRequest', 'Key cannot be blank'),
    );
  });

  it('tells nobody of shared attributes that were not stored', async () => {
    const { attributes, pushed, observer, service, write } = setUp();
    attributes.automatic = false;
    const saved = write(service.saveAttributes(CALLER, 'd1', 'SHARED', values({ a: 1 })));
    await settleAll();
    attributes.saves[0]?.answer.resolve('full');
    expect(await saved).toMatchObject({ code: 'storageFull' });
    expect(pushed).toEqual([]);
    expect(observer.lines).toEqual([]);
  });

  it('TBS-62 reads by scope and keys', async () => {
    const { service, write } = setUp();
    await write(service.saveAttributes(CALLER, 'd1', 'SERVER', values({ a: 1, b: 2 })));
    await write(service.saveAttributes(CALLER, 'd1', 'SHARED', values({ a: 3 })));
    const read = async (...args: [Parameters<typeof service.attributes>[2], string[] | null]) => {
      const result = await service.attributes(READER, 'd1', ...args);
      return result.ok && result.value.map(({ scope, key, value }) => `${scope} ${key} ${value}`);
    };
    expect(await read(null, null)).toEqual(['SERVER a 1', 'SERVER b 2', 'SHARED a 3']);
    expect(await read('SERVER', ['b', 'x'])).toEqual(['SERVER b 2']);
  });

  it('TBS-64 tells the device which shared attributes are gone; unknown keys are ignored', async () => {
    const { attributes, observer, pushed, service, write } = setUp();
    await write(service.saveAttributes(CALLER, 'd1', 'SHARED', values({ a: 1 })));
    pushed.length = 0;
    observer.lines.length = 0;
    expect(await service.removeAttributes(CALLER, 'd1', 'SHARED', ['a', 'x'])).toEqual(success(null));
    expect(attributes.value('d1', 'SHARED', 'a')).toBeUndefined();
    expect(pushed).toEqual([['d1', ['a']]]);
    expect(observer.lines).toEqual(['removed d1 SHARED a']);
    expect(await service.removeAttributes(CALLER, 'd1', 'SHARED', ['x'])).toEqual(success(null));
    expect(pushed).toHaveLength(1);
    expect(await service.removeAttributes(CALLER, 'd1', 'SHARED', [])).toMatchObject({ code: 'badRequest' });
  });
});

describe('a time to live', () => {
  it('TBS-58 counts from the moment of the call, and ends with the last time there is', async () => {
    const { runtime, telemetry, service, write } = setUp();
    telemetry.know('d1', 'a');
    const expiresAt = async (ttlMs?: number) => {
      expect(await write(service.save(CALLER, 'd1', longs({ a: 1 }), ttlMs))).toEqual(success(null));
      return telemetry.appends.at(-1)?.batch.expiring?.[0]?.at;
    };
    expect(await expiresAt(2000)).toBe(runtime.now() + 2000);
    expect(await expiresAt(1e300)).toBe(8.64e15);
    expect([await expiresAt(0), await expiresAt()]).toEqual([undefined, undefined]);
  });
});

describe('access', () => {
  it('refuses every use case for a device that the caller may not see', async () => {
    const { telemetry, attributes, service } = setUp();
    telemetry.know('d2', 'a');
    const refusals = await Promise.all([
      service.keys(CALLER, 'd2'),
      service.latest(CALLER, 'd2', null),
      service.range(CALLER, 'd2', range({})),
      service.save(CALLER, 'd2', longs({ a: 1 })),
      service.remove(CALLER, 'd2', { keys: ['a'], range: null, latestAfter: 'keep' }),
      service.attributes(CALLER, 'd2', null, null),
      service.saveAttributes(CALLER, 'd2', 'SERVER', values({ a: 1 })),
      service.removeAttributes(CALLER, 'd2', 'SERVER', ['a']),
    ]);
    for (const refusal of refusals) expect(refusal).toMatchObject({ ok: false, code: 'notFound' });
    expect([telemetry.appends, telemetry.erased, telemetry.interns, attributes.saves]).toEqual([[], [], [], []]);
  });

  it('refuses every change to a caller who may only read', async () => {
    const { service } = setUp();
    const refusals = await Promise.all([
      service.save(READER, 'd1', longs({ a: 1 })),
      service.remove(READER, 'd1', { keys: ['a'], range: null, latestAfter: 'keep' }),
      service.saveAttributes(READER, 'd1', 'SERVER', values({ a: 1 })),
      service.removeAttributes(READER, 'd1', 'SERVER', ['a']),
    ]);
    for (const refusal of refusals) expect(refusal).toMatchObject({ ok: false, code: 'permissionDenied' });
    expect(await service.keys(READER, 'd1')).toMatchObject({ ok: true });
  });
});
