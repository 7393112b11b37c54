import { FakeCrypto, FakeTime, MemoryRepositories } from '@moorage/testkit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DeliveryResult } from './command-gateway.ts';
import type { PersistentRpcOptions, RpcSubmission } from './persistent-rpc.ts';
import type { SubmitStrategy } from './rpc-entry.ts';
import { TestRpc } from './test-device.ts';

const FINAL = ['SUCCESSFUL', 'EXPIRED', 'FAILED', 'DELETED'];
/** The diagram of thingsboard-device.md, 4.3, and what a crash and a fast device add. */
const EDGES: Readonly<Record<string, readonly string[]>> = {
  QUEUED: ['SENT', 'EXPIRED', 'DELETED'],
  SENT: ['DELIVERED', 'SUCCESSFUL', 'TIMEOUT', 'FAILED', 'EXPIRED', 'QUEUED', 'DELETED'],
  TIMEOUT: ['SENT', 'DELIVERED', 'SUCCESSFUL', 'EXPIRED', 'DELETED'],
  DELIVERED: ['SUCCESSFUL', 'EXPIRED', 'DELETED'],
  SUCCESSFUL: ['DELETED'],
  EXPIRED: ['DELETED'],
  FAILED: ['DELETED'],
};
/** Time in which the last acknowledgement, response and retry are over. */
const SLACK_MS = 45_000;

const device = fc.constantFrom('d1', 'd2');
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      to: device,
      oneway: fc.boolean(),
      retries: fc.nat(2),
      lifeMs: fc.oneof(fc.integer({ min: 1, max: 60_000 }), fc.constant(3_600_000)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('listen' as const), to: device }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), to: device }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('delivered' as const),
      which: fc.nat(9),
      result: fc.constantFrom<DeliveryResult>('written', 'acknowledged', 'acknowledged', 'lost'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('answer' as const), to: device, id: fc.nat(6) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      which: fc.nat(),
      listen: fc.constantFrom('before', 'after', 'not'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 12_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('trouble' as const), what: fc.constantFrom('full', 'failed') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), clean: fc.boolean() }) },
);

/** What a record should become, beside what is stored. */
interface Submitted {
  readonly submission: RpcSubmission;
  readonly id: string;
}

/** A test run that goes through restarts, and one log of what was sent and what was told. */
class Story {
  readonly submitted: Submitted[] = [];
  /** `sent method` and `told method status`; the method names the record. */
  readonly log: string[] = [];
  readonly #options: Partial<PersistentRpcOptions>;
  #test: TestRpc;

  constructor(test: TestRpc, strategy: SubmitStrategy) {
    this.#test = test;
    this.#options = {
      strategy,
      observer: {
        rpcChanged: ({ method, status }) => this.log.push(`told ${method} ${status}`),
        fault: (error) => {
          throw error;
        },
      },
    };
  }

  get test(): TestRpc {
    return this.#test;
  }

  async restart(): Promise<void> {
    this.#test = await this.#test.restart(this.#options);
    this.#test.devices.onSend = ({ method }) => this.log.push(`sent ${method}`);
  }

  async submit(parts: Pick<RpcSubmission, 'deviceId' | 'oneway' | 'retries' | 'expirationTime'>): Promise<void> {
    const submission = this.test.submission({ ...parts, method: `m${this.submitted.length}` });
    const result = await this.test.rpc.submit(submission);
    if (result.ok) this.submitted.push({ submission, id: result.value });
    await this.test.settle();
  }

  async remove(which: number, listen: string): Promise<void> {
    const id = this.submitted[which % this.submitted.length]?.id;
    const record = id === undefined ? null : await this.test.rpc.record(id);
    if (record === null) return;
    const { devices, commands, rpc } = this.test;
    const { deviceId, method } = record;
    if (listen !== 'not') devices.listening.add(deviceId);
    // From the call on it is not sent, also if the device begins to listen meanwhile or the record is being read.
    if (listen === 'before') commands.listening(deviceId);
    const sends = this.sends(method);
    const removed = rpc.remove(record);
    if (listen === 'after') commands.listening(deviceId);
    const { ok } = await removed;
    await this.test.settle();
    if (ok) expect(this.sends(method)).toBe(sends);
  }

  /** States told of a record. */
  states(method: string): string[] {
    return this.log.flatMap((line) => {
      const [kind, of, status] = line.split(' ');
      return kind === 'told' && of === method && status !== undefined ? [status] : [];
    });
  }

  sends(method: string): number {
    return this.log.filter((line) => line === `sent ${method}`).length;
  }
}

async function play(story: Story, action: typeof step extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
  const { test } = story;
  switch (action.kind) {
    case 'submit': {
      const { to, oneway, retries, lifeMs } = action;
      return story.submit({ deviceId: to, oneway, retries, expirationTime: test.time.now() + lifeMs });
    }
    case 'listen':
      return test.listen(action.to);
    case 'leave':
      test.devices.listening.delete(action.to);
      return;
    case 'delivered':
      test.devices.received.at(-1 - action.which)?.delivered(action.result);
      return test.settle();
    case 'answer':
      return test.answer('1', String(action.id), action.to);
    case 'delete':
      return story.remove(action.which, action.listen);
    case 'time':
      return test.advance(action.ms);
    case 'trouble':
      test.world.repositories.troubles.push(action.what === 'full' ? 'full' : 'failed');
      return;
    case 'restart':
      if (action.clean) await test.rpc.close();
      return story.restart();
    default:
      action satisfies never;
  }
}

function checkStates(story: Story, { submission, id }: Submitted, listenedAt: number, now: number): void {
  const { method, oneway, retries, expirationTime } = submission;
  const states = story.states(method);
  const about = `${method} ${id}: ${states.join(' ')}`;
  for (let i = 1; i < states.length; i++) expect(EDGES[states[i - 1] ?? ''], about).toContain(states[i]);
  const last = states.at(-1) ?? '';
  expect(oneway ? ['DELIVERED', ...FINAL] : FINAL, about).toContain(last);
  if (last === 'EXPIRED') {
    expect(now, about).toBeGreaterThanOrEqual(expirationTime);
    if (!states.includes('DELIVERED')) expect(expirationTime, about).toBeLessThan(listenedAt + SLACK_MS);
  }
  if (last === 'FAILED') expect(story.sends(method), about).toBeGreaterThan(retries ?? 5);
  if (last === 'DELIVERED' || last === 'SUCCESSFUL') expect(story.sends(method), about).toBeGreaterThan(0);
}

it.each<SubmitStrategy>(['BURST', 'SEQUENTIAL_ON_ACK', 'SEQUENTIAL_ON_RESPONSE'])(
  'TB-55 TB-57 TB-58 no sequence of events loses a persistent RPC or sends one that has ended (%s) [N5]',
  async (strategy) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = { repositories: new MemoryRepositories(), time: new FakeTime(), crypto: new FakeCrypto() };
        const story = new Story(await TestRpc.start(world), strategy);
        await story.restart();
        for (const action of steps) await play(story, action);
        // In the end everybody listens, acknowledges and answers, until the last one has expired.
        world.repositories.troubles.length = 0;
        const { test } = story;
        test.devices.onSend = ({ deviceId, id, method, delivered }) => {
          story.log.push(`sent ${method}`);
          delivered('acknowledged');
          test.commands.answer(deviceId, id, '1');
        };
        const listenedAt = world.time.now();
        for (let i = 0; i < 10; i++) {
          for (const to of ['d1', 'd2']) await test.listen(to);
          await test.advance(i < 8 ? 10_000 : 3_600_000);
        }
        for (const one of story.submitted) checkStates(story, one, listenedAt, world.time.now());
        const ended = new Set<string>();
        for (const line of story.log) {
          const [kind, method = '', status = ''] = line.split(' ');
          if (kind === 'told' && FINAL.includes(status)) ended.add(method);
          else if (kind === 'sent') expect(ended, story.log.join('\n')).not.toContain(method);
        }
        expect(test.rpc.counters()).toMatchObject({ unfinished: 0, unsaved: 0 });
        await test.rpc.close();
        test.router.close();
      }),
      { numRuns: 120 },
    );
  },
);
