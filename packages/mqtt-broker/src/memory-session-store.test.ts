import { describeSessionStore } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { MemorySessionStore } from './memory-session-store.ts';

let store: MemorySessionStore;

// Memory does not survive a restart; a store that is used again by a new broker stands for one that does.
describeSessionStore('memory', {
  open: (now) => {
    store = new MemorySessionStore(now);
    return Promise.resolve(store);
  },
  reopen: () => Promise.resolve(store),
  close: () => Promise.resolve(),
});

describe('MemorySessionStore', () => {
  it('refuses what exceeds its memory, for all targets or none', () => {
    const small = new MemorySessionStore(() => 0, 1_000);
    const outcomes: string[] = [];
    const note = { release: (outcome: string) => outcomes.push(outcome) };
    const queue = { messages: 10, bytes: 10_000, ageMs: 1_000 };
    const claims = ['a', 'b'].map((key) =>
      small.claim({ key, space: null, clientId: key, expiryInterval: 1, queue, will: null }, false, note),
    );
    const message = {
      topicName: 't',
      payload: new Uint8Array(400),
      qos: 1,
      retain: false,
      properties: null,
      expiresAt: 1,
    } as const;
    const shared = { sequence: 1, qos: 1, retain: false, subscriptionIdentifiers: null, packetIdentifier: 0 } as const;
    small.enqueue(
      message,
      claims.map((claim) => ({ ...shared, claim, completion: null })),
      note,
    );
    expect(small.statistics().messages).toBe(0);
    expect(outcomes).toEqual(['stored', 'stored', 'full']);
  });
});
