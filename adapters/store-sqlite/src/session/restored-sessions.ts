import type { RestoredSession, SessionClaim, StoredSubscription } from '@moorage/mqtt-broker';
import { ByteReader } from '../telemetry/byte-reader.ts';
import { readNumber, viewBytes } from './byte-fields.ts';
import { readSubscription, readWill } from './message-codec.ts';

/** No key begins with it: it is no character. */
const RETIRED = '\uffff';

/** The key under which a retired Session waits for its end; its number is never used again. */
export function retiredKey(id: number): string {
  return `${RETIRED}${id}`;
}

/** Adds a page of Sessions to `restored`; gives the number of the last one, 0 if the page is empty. */
export function readSessions(
  reader: ByteReader,
  claimOf: (key: string, id: number) => SessionClaim,
  restored: RestoredSession[],
): number {
  let id = 0;
  for (let count = reader.varint(); count > 0; count--) {
    id = reader.varint();
    restored.push(readSession(reader, id, claimOf));
  }
  return id;
}

function readSession(
  reader: ByteReader,
  id: number,
  claimOf: (key: string, id: number) => SessionClaim,
): RestoredSession {
  const key = reader.text();
  const space = reader.byte() === 0 ? null : reader.text();
  const clientId = reader.text();
  const expiryInterval = reader.double();
  const queue = { messages: reader.double(), bytes: reader.double(), ageMs: reader.double() };
  const disconnectedAt = reader.double();
  const lastSequence = reader.varint();
  const lastPacketIdentifier = reader.varint();
  const queuedMessages = reader.varint();
  const will = readWill(viewBytes(reader));
  const subscriptions: StoredSubscription[] = [];
  for (let count = readNumber(reader); count > 0; count--) {
    const topicFilter = reader.text();
    subscriptions.push(readSubscription(topicFilter, new ByteReader(viewBytes(reader))));
  }
  return {
    claim: claimOf(key, id),
    record: { key, space, clientId, expiryInterval, queue, will },
    subscriptions,
    disconnectedAt: Number.isNaN(disconnectedAt) ? null : disconnectedAt,
    lastSequence,
    lastPacketIdentifier,
    queuedMessages,
    retired: key.startsWith(RETIRED),
  };
}
