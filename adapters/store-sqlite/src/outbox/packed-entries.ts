import type { DeadLetter, OutboxEntry } from '@moorage/core';

/** An entry without its body. */
export interface EntryFields {
  readonly sequence: number;
  readonly createdTime: number;
  readonly kind: string;
  readonly targetId: string;
  readonly tenantId: string;
  readonly eventId: string;
  readonly orderKey: string;
  readonly url: string;
  readonly contentType: string;
  readonly bodyBytes: number;
  /** Of a dead letter. */
  readonly letter: Pick<DeadLetter, 'id' | 'attempts' | 'lastError' | 'expiresTime'> | null;
}

/** Entries on their way between the threads: the bodies lie one behind the other in one buffer, which changes hands. */
export interface PackedEntries {
  readonly fields: readonly EntryFields[];
  readonly bodies: Uint8Array<ArrayBuffer>;
}

export function packBodies(bodies: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 0));
  let at = 0;
  for (const body of bodies) {
    packed.set(body, at);
    at += body.length;
  }
  return packed;
}

export function packEntries(entries: readonly OutboxEntry[]): PackedEntries {
  const fields = entries.map(({ sequence, createdTime, message }) => {
    const { kind, targetId, tenantId, eventId, orderKey, url, contentType, body } = message;
    const texts = { kind, targetId, tenantId, eventId, orderKey, url, contentType };
    return { sequence, createdTime, ...texts, bodyBytes: body.length, letter: null };
  });
  return { fields, bodies: packBodies(entries.map(({ message }) => message.body)) };
}

/** Entries that each have a body of their own. */
export function unpackEntries({ fields, bodies }: PackedEntries): OutboxEntry[] {
  let at = 0;
  return fields.map((entry) => {
    const body = bodies.slice(at, at + entry.bodyBytes);
    at += entry.bodyBytes;
    const { sequence, createdTime, kind, targetId, tenantId, eventId, orderKey, url, contentType } = entry;
    return {
      sequence,
      createdTime,
      message: { kind, targetId, tenantId, eventId, orderKey, url, contentType, body },
    };
  });
}

export function unpackLetters(packed: PackedEntries): DeadLetter[] {
  const letters: DeadLetter[] = [];
  for (const [index, entry] of unpackEntries(packed).entries()) {
    const letter = packed.fields[index]?.letter;
    if (letter !== undefined && letter !== null) letters.push({ ...entry, ...letter });
  }
  return letters;
}
