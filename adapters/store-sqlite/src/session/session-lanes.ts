import type { Message, SessionRecord, StoredSubscription } from '@moorage/mqtt-broker';

/** What the kill test changes again and again, one change of a lane after the other. */
export const LANES = ['retained 0', 'retained 1', 'retained 2', 'filter 0', 'filter 1', 'hold 0', 'hold 1'] as const;
/** Queues, each of a Session of its own. */
export const QUEUES = ['queue 0', 'queue 1', 'queue 2'] as const;
/** Messages of a queue that are not settled yet. */
export const QUEUE_LENGTH = 10;
export const SPACE = 'space';

const QUEUE = { messages: 1_000, bytes: 100_000_000, ageMs: 1e12 };

/** Key of the Session of a lane; those of queues and identifiers are new in each run. */
export function keyOf(lane: string, first: number): string {
  return lane.startsWith('filter') ? lane : `${lane} from ${first}`;
}

export function recordOf(key: string): SessionRecord {
  return { key, space: SPACE, clientId: `client of ${key}`, expiryInterval: 3_600, queue: QUEUE, will: null };
}

export function messageOf(lane: string, number: number): Message {
  return {
    topicName: `topic/${lane}`,
    payload: new TextEncoder().encode(`${lane} ${number} `.repeat(1 + (number % 40))),
    qos: number % 2 === 0 ? 1 : 2,
    retain: lane.startsWith('retained'),
    properties: {
      userProperties: [
        ['n', String(number)],
        ['n', lane],
      ],
    },
    expiresAt: number % 3 === 0 ? 9e15 : Number.POSITIVE_INFINITY,
  };
}

/** State of a lane after its change with a number; null: nothing is there. */
export function subscriptionOf(number: number): StoredSubscription | null {
  if (number % 2 === 0) return null;
  const options = { qos: 1, noLocal: number % 4 === 1, retainAsPublished: false, retainHandling: 0 } as const;
  const topicFilter = 'a/+/filter';
  return { topicFilter, options, grantedQoS: 1, subscriptionIdentifier: number % 1_000_000, enter: [topicFilter] };
}

export function retainedOf(lane: string, number: number): Message | null {
  return number % 5 === 4 ? null : messageOf(lane, number);
}

/** Packet Identifiers held after a change: one more than before, or the oldest let go. */
export function heldOf(number: number): readonly number[] {
  const first = Math.floor(number / 2) + 1;
  const identifiers = number % 2 === 0 ? [first] : [first, first + 1];
  return identifiers.map((identifier) => (identifier % 60_000) + 1);
}
