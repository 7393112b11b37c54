import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PointList } from '../values/point-list.ts';
import { ValueKind } from '../values/value.ts';
import type { FlowSnapshot } from './flow-counters.ts';
import { TelemetryIngest } from './ingest.ts';
import {
  FakeAttributeStore,
  FakeCompletion,
  FakeRuntime,
  FakeTelemetryStore,
  RecordingObserver,
  settleAll,
} from './test-fakes.ts';

const OWNERS = ['d1', 'd2'];

/** What may happen, in any order. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      sink: fc.nat(2),
      keys: fc.array(fc.constantFrom('a', 'b', 'x', 'y', 'z', ' ')),
      badTime: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('attributes' as const), keys: fc.array(fc.constantFrom('a', 'b', '')) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('endTurn' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      outcome: fc.constantFrom('stored' as const, 'stored' as const, 'full' as const, 'failed' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('keys' as const),
      outcome: fc.constantFrom('ok' as const, 'ok' as const, 'tooMany' as const, 'full' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const) }) },
);

function difference({ received, stored, waiting, dropped }: FlowSnapshot): [number, number] {
  let messages = received.messages - stored.messages - waiting.messages;
  let points = received.points - stored.points - waiting.points;
  for (const count of Object.values(dropped)) {
    messages -= count.messages;
    points -= count.points;
  }
  return [messages, points];
}

class World {
  readonly runtime = new FakeRuntime();
  readonly telemetry = new FakeTelemetryStore();
  readonly attributes = new FakeAttributeStore();
  readonly observer = new RecordingObserver();
  readonly ingest: TelemetryIngest;
  readonly sinks: ReturnType<TelemetryIngest['sink']>[];
  readonly completions: FakeCompletion[] = [];
  readonly #sequence = [0, 0, 0];
  #answeredAppends = 0;
  #answeredSaves = 0;
  #answeredInterns = 0;

  constructor() {
    this.telemetry.automatic = false;
    this.attributes.automatic = false;
    for (const owner of OWNERS) this.telemetry.know(owner, 'a', 'b');
    this.ingest = new TelemetryIngest({
      telemetry: this.telemetry,
      attributes: this.attributes,
      clock: this.runtime,
      scheduler: this.runtime,
      observer: this.observer,
      limits: { maxPointsPerCommit: 5, commitIntervalMs: 10, highWaterPoints: 8 },
    });
    this.sinks = [...OWNERS, 'd1'].map((owner) => this.ingest.sink(owner));
  }

  submit(index: number, keys: readonly string[], badTime: boolean): void {
    const sink = this.sinks[index];
    if (sink === undefined) return;
    const sequence = (this.#sequence[index] ?? 0) + 1;
    this.#sequence[index] = sequence;
    const points = new PointList();
    // The value names the sink and the place of the message in it.
    for (const key of keys) points.add(badTime ? 0.5 : 1, key, ValueKind.Long, index * 1_000_000 + sequence);
    this.ingest.submit(sink, points, this.#completion(), true);
  }

  submitAttributes(keys: readonly string[]): void {
    const values = new PointList();
    for (const key of keys) values.add(0, key, ValueKind.Boolean, true);
    this.ingest.submitAttributes('d1', 'CLIENT', values, 1, this.#completion());
  }

  answer(outcome: 'stored' | 'full' | 'failed'): void {
    this.telemetry.appends[this.#answeredAppends]?.answer.resolve(outcome);
    this.#answeredAppends = Math.min(this.#answeredAppends + 1, this.telemetry.appends.length);
    this.attributes.saves[this.#answeredSaves]?.answer.resolve(outcome);
    this.#answeredSaves = Math.min(this.#answeredSaves + 1, this.attributes.saves.length);
  }

  answerKeys(outcome: 'ok' | 'tooMany' | 'full'): void {
    this.telemetry.interns[this.#answeredInterns]?.answer.resolve(outcome);
    this.#answeredInterns = Math.min(this.#answeredInterns + 1, this.telemetry.interns.length);
  }

  /** Answers everything until nothing moves any more. */
  async finish(): Promise<void> {
    const drained = this.ingest.drain();
    for (let i = 0; i < 500; i++) {
      this.runtime.endTurn();
      this.answer('stored');
      this.answerKeys('ok');
      await settleAll();
    }
    await drained;
  }

  check(): void {
    const { telemetry, attributes, waitingBytes } = this.ingest.counters();
    expect(difference(telemetry)).toEqual([0, 0]);
    expect(difference(attributes)).toEqual([0, 0]);
    if (telemetry.waiting.messages + attributes.waiting.messages === 0) expect(waitingBytes).toBe(0);
  }

  /** Values of each sink as they reached the store, without repeats. */
  storedOrder(index: number): number[] {
    const values = this.telemetry.appends
      .flatMap(({ points }) => points.map(({ value }) => Number(value)))
      .filter((value) => Math.floor(value / 1_000_000) === index);
    return values.filter((value, i) => value !== values[i - 1]);
  }

  #completion(): FakeCompletion {
    const completion = new FakeCompletion();
    this.completions.push(completion);
    return completion;
  }
}

describe('accounting', () => {
  it('received = stored + dropped + waiting after every step, whatever happens; every stake ends once; order holds [N1]', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new World();
        for (const action of steps) {
          if (action.kind === 'submit')
            world.submit(action.sink, action.keys, action.badTime && action.keys.length > 2);
          else if (action.kind === 'attributes') world.submitAttributes(action.keys);
          else if (action.kind === 'endTurn') world.runtime.endTurn();
          else if (action.kind === 'answer') world.answer(action.outcome);
          else if (action.kind === 'keys') world.answerKeys(action.outcome);
          else await world.runtime.advance(10);
          await settleAll();
          world.check();
        }
        await world.finish();
        world.check();
        const { telemetry, attributes } = world.ingest.counters();
        expect(telemetry.waiting).toEqual({ messages: 0, points: 0 });
        expect(attributes.waiting).toEqual({ messages: 0, points: 0 });
        expect(world.ingest.congested).toBe(false);
        expect(world.observer.faults).toEqual([]);
        for (const { held, releases } of world.completions) expect(releases).toHaveLength(held);
        for (const index of world.sinks.keys()) {
          const order = world.storedOrder(index);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }),
      { numRuns: 120 },
    );
  });
});
