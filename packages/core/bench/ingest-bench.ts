import { TelemetryIngest } from '../src/telemetry/ingest.ts';
import { FakeAttributeStore, FakeRuntime, FakeTelemetryStore, RecordingObserver } from '../src/telemetry/test-fakes.ts';
import { PointList } from '../src/values/point-list.ts';
import { ValueKind } from '../src/values/value.ts';

// Cost of the ingest alone: prepared lists in, completions out, a store that does nothing. One JSON line for each case.
// Run: node packages/core/bench/ingest-bench.ts

const DEVICES = 1000;
const MESSAGES_PER_TURN = 200;
const TURNS = 400;
const ROUNDS = 7;

class NoStore extends FakeTelemetryStore {
  override append(): Promise<'stored'> {
    return Promise.resolve('stored');
  }
}

class Stake {
  held = 0;
  hold(): void {
    this.held += 1;
  }
  release(): void {
    this.held -= 1;
  }
}

function messages(pointsPerMessage: number): PointList[] {
  return Array.from({ length: MESSAGES_PER_TURN }, (_, message) => {
    const points = new PointList();
    // As they come out of a parser: every key is a string of its own.
    for (let i = 0; i < pointsPerMessage; i++) {
      const key = JSON.parse(`"key${i % 10}"`);
      if (i % 2 === 0) points.add(1_700_000_000_000 + i, key, ValueKind.Double, message * 0.25);
      else points.add(1_700_000_000_000 + i, key, ValueKind.Long, message);
    }
    return points;
  });
}

async function measure(pointsPerMessage: number): Promise<void> {
  const runtime = new FakeRuntime();
  const telemetry = new NoStore();
  const attributes = new FakeAttributeStore();
  const observer = new RecordingObserver();
  const ingest = new TelemetryIngest({ telemetry, attributes, clock: runtime, scheduler: runtime, observer });
  const sinks = Array.from({ length: DEVICES }, (_, device) => {
    telemetry.know(`device${device}`, ...Array.from({ length: 10 }, (_unused, i) => `key${i}`));
    return ingest.sink(`device${device}`);
  });
  const lists = messages(pointsPerMessage);
  const stakes = lists.map(() => new Stake());
  const microsPerPoint: number[] = [];
  let next = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let turn = 0; turn < TURNS; turn++) {
      for (let i = 0; i < MESSAGES_PER_TURN; i++) {
        const sink = sinks[next];
        const points = lists[i];
        next = next + 1 === DEVICES ? 0 : next + 1;
        if (sink !== undefined && points !== undefined) ingest.submit(sink, points, stakes[i] ?? null, false);
      }
      runtime.endTurn();
      await null;
      await null;
    }
    const used = process.cpuUsage(before);
    microsPerPoint.push((used.user + used.system) / (TURNS * MESSAGES_PER_TURN * pointsPerMessage));
  }
  await ingest.drain();
  microsPerPoint.sort((a, b) => a - b);
  const median = microsPerPoint[ROUNDS >> 1] ?? 0;
  process.stdout.write(
    `${JSON.stringify({
      bench: 'core-ingest',
      pointsPerMessage,
      cpuMicrosPerPoint: Number(median.toFixed(4)),
      cpuMicrosPerMessage: Number((median * pointsPerMessage).toFixed(4)),
      best: Number((microsPerPoint[0] ?? 0).toFixed(4)),
      stored: ingest.counters().telemetry.stored.points,
      unreleased: stakes.reduce((sum, { held }) => sum + held, 0),
    })}\n`,
  );
}

for (const pointsPerMessage of [1, 2, 5, 10, 50]) await measure(pointsPerMessage);
