import { describe, expect, it } from 'vitest';
import type { Completion } from '../ports/runtime.ts';
import type { OwnerId } from '../ports/telemetry-store.ts';
import { PointList } from '../values/point-list.ts';
import { ValueKind } from '../values/value.ts';
import { TelemetryIngest } from './ingest.ts';
import type { TelemetryTap } from './tap.ts';
import {
  FakeAttributeStore,
  FakeCompletion,
  FakeRuntime,
  FakeTelemetryStore,
  longs,
  RecordingObserver,
  settleAll,
} from './test-fakes.ts';

/** Remembers what it hears; holds every completion until the test releases it. */
class RecordingTap implements TelemetryTap {
  readonly asked: OwnerId[] = [];
  readonly heard: string[] = [];
  readonly held: Completion[] = [];
  wanted = true;

  wants(owner: OwnerId): boolean {
    this.asked.push(owner);
    return this.wanted;
  }

  taken(owner: OwnerId, points: PointList, completion: Completion | null): void {
    this.heard.push(`${owner} ${points.keys.join()}=${points.values.join()}`);
    completion?.hold();
    if (completion !== null) this.held.push(completion);
  }
}

function setUp(tap: TelemetryTap) {
  const runtime = new FakeRuntime();
  const telemetry = new FakeTelemetryStore();
  telemetry.automatic = false;
  telemetry.know('d1', 'a', 'b');
  const observer = new RecordingObserver();
  const attributes = new FakeAttributeStore();
  const ingest = new TelemetryIngest({
    telemetry,
    attributes,
    clock: runtime,
    scheduler: runtime,
    observer,
    limits: { maxPointsPerCommit: 4 },
    tap,
  });
  return { runtime, telemetry, observer, ingest };
}

describe('a tap on telemetry', () => {
  it('hears a message at once, and the acknowledgement waits for the tap and for the store [N6]', async () => {
    const tap = new RecordingTap();
    const { runtime, telemetry, ingest } = setUp(tap);
    const [first, second] = [new FakeCompletion(), new FakeCompletion()];
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), first, false);
    ingest.submit(ingest.sink('d1'), longs({ b: 2 }), second, false);
    expect(tap.heard).toEqual(['d1 a=1', 'd1 b=2']);
    expect([first.held, second.held]).toEqual([2, 2]);
    runtime.endTurn();
    tap.held[0]?.release('stored');
    expect(first.releases).toEqual(['stored']);
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(first.releases).toEqual(['stored', 'stored']);
    expect(second.releases).toEqual(['stored']);
    tap.held[1]?.release('failed');
    expect(second.releases).toEqual(['stored', 'failed']);
  });

  it('does not hear what is dropped for a fault of its own, what is empty, nor what the store has no room for', async () => {
    const tap = new RecordingTap();
    const { runtime, telemetry, ingest } = setUp(tap);
    const sink = ingest.sink('d1');
    const bad = new PointList();
    bad.add(1, 'a', ValueKind.Double, Number.NaN);
    ingest.submit(sink, bad, null, false);
    ingest.submit(sink, new PointList(), null, false);
    const refused = new FakeCompletion();
    ingest.submit(sink, longs({ new: 1 }), refused, false);
    telemetry.interns[0]?.answer.resolve('full');
    await settleAll();
    runtime.endTurn();
    expect(tap.asked).toEqual([]);
    expect(tap.heard).toEqual([]);
    expect(refused.releases).toEqual(['full']);
  });

  it('hears messages that waited for their keys once and in order, and holds their completions too', async () => {
    const tap = new RecordingTap();
    const { runtime, telemetry, ingest } = setUp(tap);
    const sink = ingest.sink('d1');
    const completions = [new FakeCompletion(), new FakeCompletion(), new FakeCompletion()];
    for (const [index, completion] of completions.entries()) {
      ingest.submit(sink, index === 1 ? longs({ a: 1 }) : longs({ x: index }), completion, false);
    }
    expect(tap.heard).toEqual([]);
    telemetry.interns[0]?.answer.resolve('ok');
    await settleAll();
    expect(tap.heard).toEqual(['d1 x=0', 'd1 a=1', 'd1 x=2']);
    expect(completions.map(({ held }) => held)).toEqual([2, 2, 2]);
    runtime.endTurn();
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(completions.map(({ releases }) => releases)).toEqual([['stored'], ['stored'], ['stored']]);
  });

  it('is asked once for each message and not told of what it does not want', () => {
    const tap = new RecordingTap();
    tap.wanted = false;
    const { ingest } = setUp(tap);
    const completion = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), completion, false);
    ingest.submit(ingest.sink('d1'), longs({ a: 2 }), null, false);
    expect(tap.asked).toEqual(['d1', 'd1']);
    expect(tap.heard).toEqual([]);
    expect(completion.held).toBe(1);
  });

  it('that throws is reported, and the message is stored all the same', async () => {
    const broken: TelemetryTap = {
      wants: () => true,
      taken: () => {
        throw new TypeError('broken tap');
      },
    };
    const { runtime, telemetry, observer, ingest } = setUp(broken);
    const completion = new FakeCompletion();
    ingest.submit(ingest.sink('d1'), longs({ a: 1 }), completion, false);
    runtime.endTurn();
    telemetry.appends[0]?.answer.resolve('stored');
    await settleAll();
    expect(observer.faults).toEqual([new TypeError('broken tap')]);
    expect(completion.releases).toEqual(['stored']);
  });
});
