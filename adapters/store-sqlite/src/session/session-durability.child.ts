import { readFileSync } from 'node:fs';
import type { SessionClaim, StoreCompletion } from '@moorage/mqtt-broker';
import {
  heldOf,
  keyOf,
  LANES,
  messageOf,
  QUEUE_LENGTH,
  QUEUES,
  recordOf,
  retainedOf,
  SPACE,
  subscriptionOf,
} from './session-lanes.ts';
import { SqliteSessionStore } from './sqlite-session-store.ts';

/**
 * Changes every lane, one change after the other, and says on its output which ones are acknowledged: `lane,number`.
 * Reads from its input: number of the first change, changes per lane (0: until killed), directory.
 */
const [first = '0', changes = '0', directory = ''] = readFileSync(0, 'utf8').trim().split(' ');
const last = changes === '0' ? Number.POSITIVE_INFINITY : Number(first) + Number(changes);
const store = await SqliteSessionStore.open({
  directory,
  installationId: 'durability',
  now: () => 1_700_000_000_000,
  ballastBytes: 0,
});
await store.retained.load();
await store.load();

/** Resolves when the change is stored. */
function change(make: (done: StoreCompletion) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    make({ release: (outcome) => (outcome === 'stored' ? resolve() : reject(new TypeError(outcome))) });
  });
}

async function claimed(key: string): Promise<SessionClaim> {
  let claim: SessionClaim = { key };
  await change((done) => {
    claim = store.claim(recordOf(key), false, done);
  });
  return claim;
}

async function lane(name: string): Promise<void> {
  const claim = name.startsWith('retained') ? null : await claimed(keyOf(name, Number(first)));
  for (let number = Number(first); number < last; number++) {
    await change((done) => {
      if (claim === null) store.retained.put(SPACE, `topic/${name}`, retainedOf(name, number), done);
      else if (name.startsWith('filter')) {
        const subscription = subscriptionOf(number);
        if (subscription === null) store.saveSubscriptions(claim, [], ['a/+/filter'], done);
        else store.saveSubscriptions(claim, [subscription], [], done);
      } else {
        const before = heldOf(number - 1);
        const after = heldOf(number);
        if (number === Number(first) || after.length > before.length)
          store.holdIncoming(claim, after.at(-1) ?? 0, done);
        else store.releaseIncoming(claim, before[0] ?? 0, done);
      }
    });
    process.stdout.write(`${name},${number}\n`);
  }
}

/** Settles a message with each one it stores, so that some are always there. */
async function queue(name: string): Promise<void> {
  const claim = await claimed(keyOf(name, Number(first)));
  for (let number = 1; number < last; number++) {
    await change((done) => {
      if (number > QUEUE_LENGTH) store.settle(claim, number - QUEUE_LENGTH);
      const qos = number % 2 === 0 ? 1 : 2;
      const own = { claim, sequence: number, qos, retain: false, packetIdentifier: 0, completion: null } as const;
      store.enqueue(messageOf(name, number), [{ ...own, subscriptionIdentifiers: [number] }], done);
    });
    process.stdout.write(`${name},${number}\n`);
  }
}

await Promise.all([...LANES.map(lane), ...QUEUES.map(queue)]);
await store.close();
