import { describe, expect, it } from 'vitest';
import { PointList } from '../values/point-list.ts';
import { type Scalar, ValueKind } from '../values/value.ts';
import type { FlowSnapshot } from './flow-counters.ts';
import { type IngestLimits, TelemetryIngest } from './ingest.ts';
import {
  FakeAttributeStore,
  FakeCompletion,
  FakeRuntime,
  FakeTelemetryStore,
  longs,
  RecordingObserver,
  settleAll,
} from './test-fakes.ts';

function setUp(limits: Partial<IngestLimits> = {}) {
  const runtime = new FakeRuntime();
  const telemetry = new FakeTelemetryStore();
  const attributes = new FakeAttributeStore();
  const observer = new RecordingObserver();
  telemetry.automatic = false;
  attributes.automatic = false;
  telemetry.know('d1', 'a', 'b', 'c');
  telemetry.know('d2', 'a');
  const ingest = new TelemetryIngest({ telemetry, attributes, clock: runtime, scheduler: runtime, observer, limits });
  return { runtime, telemetry, attributes, observer, ingest };
}

function point(kind: ValueKind, value: Scalar, ts = 5, key = 'a'): PointList {
  const points = new PointList();
  points.add(ts, key, kind, value);
  return points;
}

function droppedPoints({ dropped }: FlowSnapshot): Record<string, number> {
  return Object.fromEntries(
    Object.entries(dropped)
      .filter(([, count]) => count.messages > 0)
      .map(([reason, count]) => [reason, count.points]),
  );
}

describe('group commit of telemetry', () => {
  it('commits everything of one turn together, at its end', () => {
    const { runtime, telemetry, ingest } = setUp();
    ingest.submit(ingest.sink('d1'), longs({ a: 1, b: 2 }), null, false);
    ingest.submit(ingest.sink('d2'), longs({ a: 3 }, 2000), null, false);
    expect(telemetry.appends).toHaveLength(0);
    runtime.endTurn();
    expect(telemetry.appends.map(({ points }) => points)).toEqual([
      [
        { owner: 'd1', key: 'a', ts: 1000, kind: ValueKind.Long, value: 1 },
        { owner: 'd1', key: 'b', ts: 1000, kind: ValueKind.Long, value: 2 },
        { owner: 'd2', key: 'a', ts: 2000, kind: ValueKind.Long, value: 3 },
      ],
    ]);
  });

  it('names the points of a batch that have a time to live, also of messages that waited for a new key', async () => {
    const { runtime, telemetry, ingest } = setUp();
    const sink = ingest.sink('d1');
    ingest.submit(sink, longs({ a: 1 }), null, false);
    ingest.submit(sink, longs({ a: 2, b: 2 }), null, false, 9000);
    ingest.submit(sink, longs({ x: 3 }), null, false, 9500);
    telemetry.interns[0]?.answer.resolve('ok');
    await settleAll();
    runtime.endTurn();
    expect(telemetry.appends[0]?.points.map(({ value }) => value)).toEqual([1, 2, 2, 3]);
    expect(telemetry.appends[0]?.batch.expiring).toEqual([
      { from: 1, to: 3, at: 9000 },
      { from: 3, to: 4, at: 9500 },
    ]);
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    ingest.submit(sink, longs({ a: 4 }), null, false);
    runtime.endTurn();
    expect(telemetry.appends[1]?.batch).not.toHaveProperty('expiring');
  });

  it('has one commit in flight; what arrives meanwhile forms the next one', async () => {
    const { runtime, telemetry, ingest } = setUp();
    const sink = ingest.sink('d1');
    ingest.submit(sink, longs({ a: 1 }), null, false);
    runtime.endTurn();
    for (const value of [2, 3]) {
      ingest.submit(sink, longs({ a: value }), null, false);
      runtime.endTurn();
    }
    expect(telemetry.appends).toHaveLength(1);
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(telemetry.appends).toHaveLength(2);
    expect(telemetry.appends[1]?.points.map(({ value }) => value)).toEqual([2, 3]);
  });

  it('releases completions in order, only after the store has answered [N6]', async () => {
    const { runtime, telemetry, ingest } = setUp();
    const log: string[] = [];
    const completions = ['m1', 'm2', 'm3'].map((name) => new FakeCompletion(name, log));
    for (const completion of completions) ingest.submit(ingest.sink('d1'), longs({ a: 1 }), completion, false);
    runtime.endTurn();
    await settleAll();
    expect(completions.map(({ held }) => held)).toEqual([1, 1, 1]);
    expect(log).toEqual([]);
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(log).toEqual(['m1 stored', 'm2 stored', 'm3 stored']);
  });

  it.each(['full', 'failed'] as const)('tells every completion that the store is %s, and goes on', async (outcome) => {
    const { runtime, telemetry, observer, ingest } = setUp();
    const first = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ a: 1, b: 1 }), first, true);
    runtime.endTurn();
    telemetry.appends[0]?.answer.resolve(outcome);
    await settleAll();
    expect(first.releases).toEqual([outcome]);
    expect(observer.lines).toEqual([]);
    expect(droppedPoints(ingest.counters().telemetry)).toEqual({
      [outcome === 'full' ? 'storageFull' : 'storageFailed']: 2,
    });
    const second = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ a: 2 }), second, false);
    runtime.endTurn();
    telemetry.appends[1]?.answer.resolve('stored');
    await settleAll();
    expect(second.releases).toEqual(['stored']);
  });

  it('takes a store that rejects for one that failed', async () => {
    const { runtime, telemetry, observer, ingest } = setUp();
    const completion = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), completion, false);
    runtime.endTurn();
    telemetry.appends[0]?.answer.reject(new TypeError('broken'));
    await settleAll();
    expect(completion.releases).toEqual(['failed']);
    expect(observer.faults).toEqual([new TypeError('broken')]);
  });

  it('releases the others when one completion throws', async () => {
    const { runtime, telemetry, observer, ingest } = setUp();
    const broken = {
      hold: () => undefined,
      release: () => {
        throw new TypeError('gone');
      },
    };
    const other = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), broken, false);
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), other, false);
    runtime.endTurn();
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(other.releases).toEqual(['stored']);
    expect(observer.faults).toHaveLength(1);
    expect(ingest.counters().telemetry.waiting.messages).toBe(0);
  });

  it('releases nothing while the store does not answer', async () => {
    const { runtime, ingest } = setUp();
    const completion = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), completion, false);
    runtime.endTurn();
    await runtime.advance(3_600_000);
    expect(completion.releases).toEqual([]);
  });

  it('closes a batch at the cap and never splits a message', async () => {
    const { runtime, telemetry, ingest } = setUp({ maxPointsPerCommit: 4 });
    const sink = ingest.sink('d1');
    for (let i = 0; i < 5; i++) ingest.submit(sink, longs({ a: i, b: i, c: i }), null, false);
    runtime.endTurn();
    for (let i = 0; i < 5; i++) {
      expect(telemetry.appends).toHaveLength(i + 1);
      expect(telemetry.appends[i]?.points.map(({ value }) => value)).toEqual([i, i, i]);
      telemetry.appends[i]?.answer.resolve('stored');
      await settleAll();
    }
    expect(ingest.counters().telemetry.stored).toEqual({ messages: 5, points: 15 });
  });

  it('closes a batch whose text reaches the byte cap', () => {
    const { runtime, telemetry, ingest } = setUp({ maxBytesPerCommit: 1000 });
    const sink = ingest.sink('d1');
    ingest.submit(sink, point(ValueKind.String, 'x'.repeat(600)), null, false);
    expect(telemetry.appends).toHaveLength(1);
    ingest.submit(sink, longs({ a: 1 }), null, false);
    runtime.endTurn();
    expect(telemetry.appends).toHaveLength(1);
  });

  it('keeps the interval between commits, except for a full batch', async () => {
    const { runtime, telemetry, ingest } = setUp({ commitIntervalMs: 200, maxPointsPerCommit: 3 });
    telemetry.automatic = true;
    const sink = ingest.sink('d1');
    const submit = async () => {
      ingest.submit(sink, longs({ a: 1 }), null, false);
      runtime.endTurn();
      await settleAll();
    };
    await submit();
    expect(telemetry.appends).toHaveLength(1);
    await submit();
    await runtime.advance(199);
    expect(telemetry.appends).toHaveLength(1);
    await runtime.advance(1);
    expect(telemetry.appends).toHaveLength(2);
    for (let i = 0; i < 3; i++) await submit();
    expect(telemetry.appends).toHaveLength(3);
    expect(telemetry.appends[2]?.batch.count).toBe(3);
    expect(runtime.timers).toBe(0);
    await runtime.advance(1000);
    expect(telemetry.appends).toHaveLength(3);
    expect(runtime.timers).toBe(0);
  });

  it('gives every batch its own columns, for the store takes them over', async () => {
    const { runtime, telemetry, ingest } = setUp();
    telemetry.automatic = true;
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 500; j++) ingest.submit(ingest.sink('d1'), longs({ a: j }), null, false);
      runtime.endTurn();
      await settleAll();
    }
    expect(telemetry.appends.map(({ batch }) => batch.count)).toEqual([500, 500]);
    expect(telemetry.appends[1]?.batch.ts.buffer).not.toBe(telemetry.appends[0]?.batch.ts.buffer);
  });
});

describe('what a message may hold', () => {
  it('writes all kinds, and a Long beyond the safe integers beside the columns', () => {
    const { runtime, telemetry, ingest } = setUp();
    const points = new PointList();
    points.add(-5, 'a', ValueKind.Boolean, true);
    points.add(0, 'b', ValueKind.Double, -0.5);
    points.add(8.64e15, 'c', ValueKind.Long, 9_007_199_254_740_993n);
    points.add(1, 'a', ValueKind.Long, 12n);
    points.add(2, 'b', ValueKind.String, '');
    points.add(3, 'c', ValueKind.Json, '{"x":1}');
    ingest.submit(ingest.sink('d1'), points, null, false);
    runtime.endTurn();
    expect(telemetry.appends[0]?.points.map(({ ts, kind, value }) => [ts, kind, value])).toEqual([
      [-5, ValueKind.Boolean, 1],
      [0, ValueKind.Double, -0.5],
      [8.64e15, ValueKind.Long, 9_007_199_254_740_993n],
      [1, ValueKind.Long, 12],
      [2, ValueKind.String, ''],
      [3, ValueKind.Json, '{"x":1}'],
    ]);
    expect(telemetry.appends[0]?.batch.other.map(({ index }) => index)).toEqual([2, 4, 5]);
  });

  it.each([
    ['a time that is no number', point(ValueKind.Long, 1, Number.NaN), 'invalidTime'],
    ['a fractional time', point(ValueKind.Long, 1, 1.5), 'invalidTime'],
    ['a time beyond dates', point(ValueKind.Long, 1, 8.64e15 + 2), 'invalidTime'],
    ['a time before dates', point(ValueKind.Long, 1, Number.NEGATIVE_INFINITY), 'invalidTime'],
    ['a blank key', point(ValueKind.Long, 1, 1, ' '), 'invalidKey'],
    ['an empty key', point(ValueKind.Long, 1, 1, ''), 'invalidKey'],
    ['a key with a null character', point(ValueKind.Long, 1, 1, 'k\0'), 'invalidKey'],
    ['a key of 256 characters', point(ValueKind.Long, 1, 1, 'k'.repeat(256)), 'invalidKey'],
    ['NaN', point(ValueKind.Double, Number.NaN), 'invalidValue'],
    ['an infinite number', point(ValueKind.Double, Number.POSITIVE_INFINITY), 'invalidValue'],
    ['an unsafe Long', point(ValueKind.Long, 2 ** 53), 'invalidValue'],
    ['a Long of 65 bits', point(ValueKind.Long, 2n ** 63n), 'invalidValue'],
    ['a number as text', point(ValueKind.String, 5), 'invalidValue'],
    ['text as a truth value', point(ValueKind.Boolean, 'true'), 'invalidValue'],
    ['an invalid value under an unknown key', point(ValueKind.Double, Number.NaN, 1, 'new'), 'invalidValue'],
  ])('drops a message with %s, whole, counted and acknowledged', async (_, bad, reason) => {
    const { runtime, telemetry, observer, ingest } = setUp();
    const sink = ingest.sink('d1');
    const points = longs({ a: 1 });
    points.add(1000, 'b', ValueKind.String, 'text');
    for (let i = 0; i < bad.length; i++)
      points.add(bad.ts[i] ?? 0, bad.keys[i] ?? '', bad.kinds[i] ?? 1, bad.values[i] ?? 0);
    const completion = new FakeCompletion();
    ingest.submit(sink, points, completion, true);
    ingest.submit(sink, longs({ c: 7 }), null, false);
    runtime.endTurn();
    await settleAll();
    expect(completion.releases).toEqual(completion.held === 0 ? [] : ['stored']);
    expect(telemetry.interns).toEqual([]);
    expect(telemetry.appends[0]?.points).toEqual([{ owner: 'd1', key: 'c', ts: 1000, kind: ValueKind.Long, value: 7 }]);
    expect(telemetry.appends[0]?.batch.other).toEqual([]);
    expect(observer.lines).toEqual([`dropped d1 ${reason} 3`]);
    expect(droppedPoints(ingest.counters().telemetry)).toEqual({ [reason]: 3 });
  });

  it('TB-31 takes a message without points as done', () => {
    const { runtime, telemetry, ingest } = setUp();
    const completion = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), new PointList(), completion, true);
    runtime.endTurn();
    expect(completion.held).toBe(0);
    expect(telemetry.appends).toEqual([]);
    expect(ingest.counters().telemetry.stored).toEqual({ messages: 1, points: 0 });
  });
});

describe('unknown keys', () => {
  it('holds the message, and later ones of the same sink behind it; other sinks go on', async () => {
    const { runtime, telemetry, ingest } = setUp();
    const log: string[] = [];
    const sink = ingest.sink('d1');
    ingest.submit(sink, longs({ a: 1, x: 1, y: 1 }), new FakeCompletion('m1', log), false);
    ingest.submit(sink, longs({ a: 2 }), new FakeCompletion('m2', log), false);
    ingest.submit(ingest.sink('d2'), longs({ a: 9 }), new FakeCompletion('other', log), false);
    runtime.endTurn();
    expect(telemetry.interns.map(({ owner, keys }) => [owner, keys])).toEqual([['d1', ['x', 'y']]]);
    expect(telemetry.appends[0]?.points.map(({ value }) => value)).toEqual([9]);
    telemetry.appends[0]?.answer.resolve('stored');
    telemetry.interns[0]?.answer.resolve('ok');
    await settleAll();
    runtime.endTurn();
    expect(telemetry.appends[1]?.points.map(({ key, value }) => `${key}${value}`)).toEqual(['a1', 'x1', 'y1', 'a2']);
    telemetry.appends[1]?.answer.resolve('stored');
    await settleAll();
    expect(log).toEqual(['other stored', 'm1 stored', 'm2 stored']);
    ingest.submit(sink, longs({ x: 3 }), null, false);
    runtime.endTurn();
    expect(telemetry.interns).toHaveLength(1);
    expect(telemetry.appends[2]?.points.map(({ value }) => value)).toEqual([3]);
  });

  it('drops the message of an owner with too many series, acknowledged, and goes on with the next', async () => {
    const { runtime, telemetry, observer, ingest } = setUp();
    const log: string[] = [];
    const sink = ingest.sink('d1');
    ingest.submit(sink, longs({ x: 1 }), new FakeCompletion('m1', log), false);
    ingest.submit(sink, longs({ a: 2 }), new FakeCompletion('m2', log), false);
    telemetry.interns[0]?.answer.resolve('tooMany');
    await settleAll();
    runtime.endTurn();
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(log).toEqual(['m1 stored', 'm2 stored']);
    expect(observer.lines).toEqual(['dropped d1 tooManySeries 1']);
    expect(telemetry.appends[0]?.points.map(({ value }) => value)).toEqual([2]);
  });

  it.each(['full', 'failed'] as const)('passes on that the store was %s at the keys', async (outcome) => {
    const { telemetry, observer, ingest } = setUp();
    const completion = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ x: 1 }), completion, false);
    telemetry.interns[0]?.answer.resolve(outcome);
    await settleAll();
    expect(completion.releases).toEqual([outcome]);
    expect(observer.lines).toEqual([]);
    expect(ingest.counters().telemetry.waiting.messages).toBe(0);
  });

  it('takes a rejected look-up of keys for a failed one', async () => {
    const { telemetry, observer, ingest } = setUp();
    const completion = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ x: 1 }), completion, false);
    telemetry.interns[0]?.answer.reject(new TypeError('broken'));
    await settleAll();
    expect(completion.releases).toEqual(['failed']);
    expect(observer.faults).toHaveLength(1);
  });

  it('ends for a device that is deleted while its keys are given series', async () => {
    const { telemetry, observer, ingest } = setUp();
    const completion = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ x: 1 }), completion, false);
    telemetry.know = () => [];
    telemetry.interns[0]?.answer.resolve('ok');
    await settleAll();
    expect(completion.releases).toEqual(['stored']);
    expect(observer.lines).toEqual(['dropped d1 ownerRemoved 1']);
    expect(telemetry.interns).toHaveLength(1);
  });

  it('treats __proto__ and constructor as keys like any other', async () => {
    const { runtime, telemetry, ingest } = setUp();
    const points = point(ValueKind.Long, 1, 1, '__proto__');
    points.add(1, 'constructor', ValueKind.Long, 2);
    ingest.submit(ingest.sink('d1'), points, null, false);
    expect(telemetry.interns[0]?.keys).toEqual(['__proto__', 'constructor']);
    telemetry.interns[0]?.answer.resolve('ok');
    await settleAll();
    runtime.endTurn();
    expect(telemetry.appends[0]?.points.map(({ key }) => key)).toEqual(['__proto__', 'constructor']);
  });
});

describe('attributes', () => {
  it('commits them together with the time of receipt, and tells the observer', async () => {
    const { runtime, attributes, observer, ingest } = setUp();
    const log: string[] = [];
    ingest.submitAttributes('d1', 'CLIENT', longs({ a: 1, b: 2 }), 77, new FakeCompletion('m1', log));
    ingest.submitAttributes('d2', 'SHARED', longs({ a: 3 }), 78, new FakeCompletion('m2', log));
    expect(attributes.saves).toHaveLength(0);
    runtime.endTurn();
    expect(attributes.saves[0]?.changes).toEqual([
      { owner: 'd1', scope: 'CLIENT', key: 'a', attribute: { kind: ValueKind.Long, value: 1, lastUpdateTs: 77 } },
      { owner: 'd1', scope: 'CLIENT', key: 'b', attribute: { kind: ValueKind.Long, value: 2, lastUpdateTs: 77 } },
      { owner: 'd2', scope: 'SHARED', key: 'a', attribute: { kind: ValueKind.Long, value: 3, lastUpdateTs: 78 } },
    ]);
    ingest.submitAttributes('d1', 'CLIENT', longs({ a: 9 }), 79, null);
    runtime.endTurn();
    expect(attributes.saves).toHaveLength(1);
    attributes.saves[0]?.answer.resolve('stored');
    await settleAll();
    expect(log).toEqual(['m1 stored', 'm2 stored']);
    expect(observer.lines).toEqual(['attributes d1 CLIENT a,b', 'attributes d2 SHARED a']);
    expect(attributes.saves).toHaveLength(2);
  });

  it.each([' ', '', 'k'.repeat(256)])('drops a message with the key "%s"', (key) => {
    const { runtime, attributes, observer, ingest } = setUp();
    const completion = new FakeCompletion();
    ingest.submitAttributes('d1', 'CLIENT', point(ValueKind.Long, 1, 0, key), 1, completion);
    runtime.endTurn();
    expect(attributes.saves).toEqual([]);
    expect(completion.held).toBe(0);
    expect(observer.lines).toEqual(['dropped d1 invalidKey 1']);
  });

  it('counts what a full store refuses', async () => {
    const { runtime, attributes, observer, ingest } = setUp();
    const completion = new FakeCompletion();
    ingest.submitAttributes('d1', 'CLIENT', longs({ a: 1, b: 1 }), 1, completion);
    runtime.endTurn();
    attributes.saves[0]?.answer.resolve('full');
    await settleAll();
    expect(completion.releases).toEqual(['full']);
    expect(observer.lines).toEqual([]);
    expect(droppedPoints(ingest.counters().attributes)).toEqual({ storageFull: 2 });
  });
});

describe('live feed', () => {
  it('hears of stored messages that asked for it, after their release', async () => {
    const { runtime, telemetry, observer, ingest } = setUp();
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), new FakeCompletion('m1', observer.lines), true);
    ingest.submit(ingest.sink('d1'), longs({ b: 1 }), null, false);
    ingest.submit(ingest.sink('d2'), longs({ a: 1 }), null, true);
    runtime.endTurn();
    await settleAll();
    expect(observer.lines).toEqual([]);
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(observer.lines).toEqual(['m1 stored', 'telemetry d1 a', 'telemetry d2 a']);
  });

  it('loses its own notice when it throws, and nothing else', async () => {
    const { runtime, telemetry, observer, ingest } = setUp();
    const heard: string[] = [];
    observer.telemetryStored = (owner) => {
      heard.push(owner);
      throw new TypeError('feed');
    };
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), null, true);
    ingest.submit(ingest.sink('d2'), longs({ a: 1 }), null, true);
    runtime.endTurn();
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(heard).toEqual(['d1', 'd2']);
    expect(observer.faults).toHaveLength(2);
    expect(ingest.counters().telemetry.stored.messages).toBe(2);
  });
});

describe('back-pressure', () => {
  it('is congested above the high-water mark of points until half of it is left', async () => {
    const { runtime, telemetry, observer, ingest } = setUp({ highWaterPoints: 4, maxPointsPerCommit: 2 });
    const sink = ingest.sink('d1');
    for (let i = 0; i < 4; i++) ingest.submit(sink, longs({ a: i }), null, false);
    expect(ingest.congested).toBe(false);
    ingest.submit(sink, longs({ a: 4 }), null, false);
    expect(ingest.congested).toBe(true);
    runtime.endTurn();
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(ingest.congested).toBe(true);
    telemetry.appends[1]?.answer.resolve('stored');
    await settleAll();
    expect(ingest.congested).toBe(false);
    expect(observer.lines).toEqual(['congested true', 'congested false']);
  });

  it('counts bytes too, also of attributes and of messages that wait for keys', async () => {
    const { runtime, telemetry, attributes, observer, ingest } = setUp({ highWaterBytes: 1000 });
    ingest.submit(ingest.sink('d1'), point(ValueKind.String, 'x'.repeat(400), 1, 'new'), null, false);
    expect(ingest.congested).toBe(false);
    ingest.submitAttributes('d1', 'CLIENT', longs({ a: 1 }), 1, null);
    expect(ingest.congested).toBe(true);
    runtime.endTurn();
    attributes.saves[0]?.answer.resolve('stored');
    telemetry.interns[0]?.answer.resolve('tooMany');
    await settleAll();
    expect(ingest.counters().waitingBytes).toBe(0);
    expect(observer.lines).toContain('congested false');
  });
});

describe('drain', () => {
  it('resolves at once when nothing waits', async () => {
    await expect(setUp().ingest.drain()).resolves.toBeUndefined();
  });

  it('commits without keeping the interval, and resolves when all is answered', async () => {
    const { runtime, telemetry, attributes, ingest } = setUp({ commitIntervalMs: 1000 });
    let drained = false;
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), null, false);
    ingest.submit(ingest.sink('d1'), longs({ x: 1 }), null, false);
    ingest.submitAttributes('d1', 'CLIENT', longs({ a: 1 }), 1, null);
    const done = ingest.drain().then(() => {
      drained = true;
    });
    expect(telemetry.appends).toHaveLength(1);
    telemetry.appends[0]?.answer.resolve('stored');
    attributes.saves[0]?.answer.resolve('stored');
    await settleAll();
    expect(drained).toBe(false);
    telemetry.interns[0]?.answer.resolve('ok');
    await settleAll();
    runtime.endTurn();
    expect(telemetry.appends).toHaveLength(2);
    expect(drained).toBe(false);
    telemetry.appends[1]?.answer.resolve('stored');
    await done;
  });
});
