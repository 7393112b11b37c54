import type { DeviceCoapRoute } from '@moorage/dialect-api';
import type { CoapMessage } from '../message/coap-message.ts';
import { isUnknownCritical, OptionNumber } from '../message/option-numbers.ts';
import { type Block, readBlock, readUint } from '../message/option-values.ts';

const METHODS: readonly (DeviceCoapRoute['method'] | undefined)[] = [undefined, 'GET', 'POST', 'PUT', 'DELETE'];

/** A request as its options say. */
export interface CoapRequest {
  /** undefined: FETCH and others that no route has. */
  readonly method: DeviceCoapRoute['method'] | undefined;
  readonly levels: readonly string[];
  readonly query: readonly (readonly [name: string, value: string])[];
  /** 0: register, 1: cancel. RFC 7641, 2 */
  readonly observe: number | null;
  readonly block1: Block | null;
  readonly block2: Block | null;
  /** The same for all requests that fetch or send blocks of one thing. RFC 7959, 2.4 */
  readonly resourceKey: string;
}

/** The code of the refusal. */
export type Unparsable = '4.02' | '5.05';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Options that differ between the blocks of one thing. */
const OF_ONE_BLOCK: readonly number[] = [
  OptionNumber.observe,
  OptionNumber.block1,
  OptionNumber.block2,
  OptionNumber.size1,
  OptionNumber.size2,
];

export function parseRequest({ code, options }: CoapMessage): CoapRequest | Unparsable {
  const levels: string[] = [];
  const query: (readonly [string, string])[] = [];
  let observe: number | null = null;
  let block1: Block | null = null;
  let block2: Block | null = null;
  let resourceKey = String(code);
  for (const { number, value } of options) {
    if (!OF_ONE_BLOCK.includes(number)) resourceKey += `|${number}:${Buffer.from(value).toString('latin1')}`;
    switch (number) {
      case OptionNumber.uriPath:
      case OptionNumber.uriQuery: {
        const text = textOf(value);
        if (text === undefined) return '4.02';
        if (number === OptionNumber.uriPath) levels.push(text);
        else query.push(pairOf(text));
        break;
      }
      case OptionNumber.observe:
        // Elective: one that cannot be read is left out. RFC 7252, 5.4.3
        observe ??= value.length <= 3 ? (readUint(value) ?? null) : null;
        break;
      case OptionNumber.block1:
      case OptionNumber.block2: {
        const block = readBlock(value);
        if (block === undefined) return '4.02';
        if (number === OptionNumber.block1) block1 ??= block;
        else block2 ??= block;
        break;
      }
      case OptionNumber.proxyUri:
      case OptionNumber.proxyScheme:
        return '5.05';
      default:
        if (isUnknownCritical(number)) return '4.02';
    }
  }
  // A path that ends with a slash.
  if (levels.length > 1 && levels.at(-1) === '') levels.pop();
  return { method: METHODS[code], levels, query, observe, block1, block2, resourceKey };
}

function textOf(value: Uint8Array): string | undefined {
  try {
    return utf8.decode(value);
  } catch {
    return undefined;
  }
}

function pairOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
