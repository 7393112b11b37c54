import type { ClaimIntent, TextDecoding } from '@moorage/core';
import { type AttributeKeys, askedKeys, keyList } from '../attribute-requests.ts';
import { claimOf } from '../claiming.ts';
import type { ClientCall } from '../client-rpc.ts';
import type { Problem } from '../payload-context.ts';
import { readText } from './scalars.ts';
import { WireReader, WireType } from './wire-reader.ts';

/** Requests in the platform's own messages, which no profile replaces. Field numbers are observed in the original. */

const MALFORMED: Problem = { problem: 'The payload is no message in Protocol Buffers.' };

/** The texts and whole numbers of a message by their field numbers; null: malformed. */
function readFields(
  payload: Uint8Array,
  decoding: TextDecoding,
): { readonly texts: ReadonlyMap<number, string>; readonly numbers: ReadonlyMap<number, bigint> } | null {
  const reader = new WireReader(payload);
  const texts = new Map<number, string>();
  const numbers = new Map<number, bigint>();
  for (let number = reader.next(); number !== 0; number = reader.next()) {
    // No message of this page has more than two fields.
    if (number > 2) reader.skip();
    else if (reader.wireType === WireType.Bytes) texts.set(number, readText(reader, decoding));
    else if (reader.wireType === WireType.Varint) numbers.set(number, reader.varint());
    else reader.skip();
  }
  return reader.malformed ? null : { texts, numbers };
}

/** `{clientKeys = 1, sharedKeys = 2}`, each a list with commas. */
export function readAttributesRequest(payload: Uint8Array, decoding: TextDecoding): AttributeKeys | Problem {
  const fields = readFields(payload, decoding);
  if (fields === null) return MALFORMED;
  const clientKeys = keyList(fields.texts.get(1) ?? null);
  const sharedKeys = keyList(fields.texts.get(2) ?? null);
  if (clientKeys === undefined || sharedKeys === undefined) return { problem: 'The request names too many keys.' };
  return askedKeys(clientKeys, sharedKeys);
}

/** `{method = 1, params = 2}`, where params is JSON text. */
export function readClientCall(payload: Uint8Array, decoding: TextDecoding): ClientCall | Problem {
  const fields = readFields(payload, decoding);
  if (fields === null) return MALFORMED;
  const method = fields.texts.get(1) ?? '';
  if (method === '') return { problem: 'The call names no method.' };
  return { method, params: fields.texts.get(2) || 'null' };
}

/** `{secretKey = 1, durationMs = 2}`. */
export function readClaim(payload: Uint8Array, decoding: TextDecoding): ClaimIntent | Problem {
  const fields = readFields(payload, decoding);
  if (fields === null) return MALFORMED;
  return claimOf(fields.texts.get(1) ?? '', Number(BigInt.asIntN(64, fields.numbers.get(2) ?? 0n)));
}
