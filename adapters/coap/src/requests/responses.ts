import type { DeviceCoapAnswer } from '@moorage/dialect-api';
import type { Transfer, Transfers } from '../blocks/transfers.ts';
import { type CoapOption, codeClass, codeNumber, NO_BYTES } from '../message/coap-message.ts';
import { OptionNumber } from '../message/option-numbers.ts';
import { type Block, LARGEST_BLOCK, MAXIMUM_BLOCK_NUMBER, writeBlock, writeUint } from '../message/option-values.ts';
import type { Response } from '../transport/outlet.ts';

/** Which answer, and which block of it, a client asked for. */
export interface Wanted {
  readonly endpointKey: string;
  /** Of the transfer, should the answer need one. */
  readonly transferKey: string;
  readonly block2: Block | null;
  /** Options that go along. */
  readonly more: readonly CoapOption[];
}

export function plainResponse(code: string, options: readonly CoapOption[] = []): Response {
  return { code: codeNumber(code), options: inOrder(options), payload: NO_BYTES };
}

export function uintOption(number: number, value: number): CoapOption {
  return { number, value: writeUint(value) };
}

/**
 * The response for an answer: whole if it fits one datagram, else the wanted block of it, with the rest kept to be
 * fetched. Lets go of the answer's payload if it can not be sent, and rejects then.
 */
export async function responseOf(answer: DeviceCoapAnswer, wanted: Wanted, transfers: Transfers): Promise<Response> {
  const { body } = answer;
  const code = codeNumber(answer.code);
  if (body === null) return plainResponse(answer.code, [...wanted.more, ...formatOf(answer)]);
  const size = wanted.block2?.size ?? LARGEST_BLOCK;
  const isSuccess = codeClass(code) === 2;
  if (isSuccess && (body.length > size || (wanted.block2?.number ?? 0) > 0)) {
    const transfer = transfers.open(wanted.endpointKey, wanted.transferKey, answer, body);
    return blockOf(transfer, wanted, transfers);
  }
  try {
    const length = Math.min(body.length, size);
    const payload = body instanceof Uint8Array ? body.subarray(0, length) : await body.read(0, length);
    const block = wanted.block2 !== null && isSuccess ? [blockOption({ number: 0, more: false, size })] : [];
    return { code, options: inOrder([...wanted.more, ...formatOf(answer), ...block]), payload };
  } finally {
    if (!(body instanceof Uint8Array)) body.close();
  }
}

/** One block of an answer that is being fetched. RFC 7959, 2.4 */
export async function blockOf(transfer: Transfer, wanted: Wanted, transfers: Transfers): Promise<Response> {
  const { answer, length, eTag } = transfer;
  const { number, size } = wanted.block2 ?? { number: 0, size: LARGEST_BLOCK };
  const offset = number * size;
  if (offset >= length || number > MAXIMUM_BLOCK_NUMBER) return plainResponse('4.00', wanted.more);
  const expected = Math.min(size, length - offset);
  try {
    const payload = await transfer.read(offset, expected);
    if (payload.length !== expected) throw new RangeError('The payload is shorter than announced.');
    const options: CoapOption[] = [
      ...wanted.more,
      ...formatOf(answer),
      { number: OptionNumber.eTag, value: eTag },
      blockOption({ number, more: offset + size < length, size }),
    ];
    if (number === 0) options.push(uintOption(OptionNumber.size2, length));
    return { code: codeNumber(answer.code), options: inOrder(options), payload };
  } catch (error) {
    transfers.remove(wanted.transferKey);
    throw error;
  }
}

/** Lets go of an answer that nobody will get. */
export function dropAnswer({ body }: DeviceCoapAnswer): void {
  if (body !== null && !(body instanceof Uint8Array)) body.close();
}

function formatOf({ contentFormat, body }: DeviceCoapAnswer): readonly CoapOption[] {
  return contentFormat === null || body === null ? [] : [uintOption(OptionNumber.contentFormat, contentFormat)];
}

function blockOption(block: Block): CoapOption {
  return { number: OptionNumber.block2, value: writeBlock(block) };
}

function inOrder(options: readonly CoapOption[]): readonly CoapOption[] {
  return options.toSorted((a, b) => a.number - b.number);
}
