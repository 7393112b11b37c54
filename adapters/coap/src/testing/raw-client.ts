import { createSocket, type Socket } from 'node:dgram';
import { type CoapMessage, type CoapOption, type MessageType, NO_BYTES } from '../message/coap-message.ts';
import { decodeMessage } from '../message/decode-message.ts';
import { encodeMessage } from '../message/encode-message.ts';
import { OptionNumber } from '../message/option-numbers.ts';
import { type Block, writeBlock, writeUint } from '../message/option-values.ts';

/** What a test says of a request; the rest is as usual. */
export interface RequestParts {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path?: string;
  readonly query?: readonly string[];
  readonly type?: MessageType;
  readonly messageId?: number;
  readonly token?: string;
  readonly observe?: number;
  readonly block1?: Block;
  readonly block2?: Block;
  readonly options?: readonly CoapOption[];
  readonly payload?: string | Uint8Array;
}

const METHOD_CODES = { GET: 1, POST: 2, PUT: 3, DELETE: 4 };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export function requestMessage(parts: RequestParts, messageId: number): CoapMessage {
  const { path = '/', query = [], observe, block1, block2, options = [], payload = '' } = parts;
  const all: CoapOption[] = [
    ...path
      .split('/')
      .slice(1)
      .filter((level, index, levels) => level !== '' || index < levels.length - 1)
      .map((level) => ({ number: OptionNumber.uriPath, value: bytesOf(level) })),
    ...query.map((pair) => ({ number: OptionNumber.uriQuery, value: bytesOf(pair) })),
    ...(observe === undefined ? [] : [{ number: OptionNumber.observe, value: writeUint(observe) }]),
    ...(block1 === undefined ? [] : [{ number: OptionNumber.block1, value: writeBlock(block1) }]),
    ...(block2 === undefined ? [] : [{ number: OptionNumber.block2, value: writeBlock(block2) }]),
    ...options,
  ];
  return {
    type: parts.type ?? 'confirmable',
    code: METHOD_CODES[parts.method ?? 'GET'],
    messageId: parts.messageId ?? messageId,
    token: bytesOf(parts.token ?? 'tk'),
    options: all.toSorted((a, b) => a.number - b.number),
    payload: typeof payload === 'string' ? bytesOf(payload) : payload,
  };
}

export function optionOf(message: CoapMessage, number: number): Uint8Array | undefined {
  return message.options.find((option) => option.number === number)?.value;
}

export const textOf = (message: CoapMessage): string => new TextDecoder().decode(message.payload);

/** A client that sends and reads single messages, so that a test decides what is acknowledged. */
export class RawClient {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #arrived: CoapMessage[] = [];
  readonly #waiting: ((message: CoapMessage) => void)[] = [];
  readonly #port: number;
  #messageId = 1000;

  private constructor(port: number, host: string) {
    this.#port = port;
    this.#host = host;
    this.#socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.#socket.on('message', (bytes) => {
      const message = decodeMessage(new Uint8Array(bytes));
      if (message === undefined || 'formatError' in message) throw new TypeError('The server sent no CoAP');
      const next = this.#waiting.shift();
      if (next === undefined) this.#arrived.push(message);
      else next(message);
    });
  }

  static async open(port: number, host: string): Promise<RawClient> {
    const client = new RawClient(port, host);
    await new Promise<void>((resolve) => client.#socket.bind(0, host, resolve));
    return client;
  }

  /** Resolves when the datagram has left. */
  sendBytes(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, this.#port, this.#host, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  async send(parts: RequestParts): Promise<number> {
    const message = requestMessage(parts, this.#messageId++);
    await this.sendBytes(encodeMessage(message));
    return message.messageId;
  }

  sendEmpty(type: 'acknowledgement' | 'reset' | 'confirmable', messageId: number): Promise<void> {
    const empty = { code: 0, token: NO_BYTES, options: [], payload: NO_BYTES };
    return this.sendBytes(encodeMessage({ ...empty, type, messageId }));
  }

  next(): Promise<CoapMessage> {
    const first = this.#arrived.shift();
    return first === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(first);
  }

  async request(parts: RequestParts): Promise<CoapMessage> {
    await this.send(parts);
    return this.next();
  }

  /** Rejects unless the next that comes is the answer to a ping: nothing else was on its way. */
  async expectSilence(): Promise<void> {
    const messageId = 0xfff0;
    await this.sendEmpty('confirmable', messageId);
    const { type, messageId: answered, code } = await this.next();
    if (type !== 'reset' || answered !== messageId) throw new TypeError(`unexpected ${type} ${code}`);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

/** The code as text: `2.05`. */
export function codeText(code: number): string {
  return `${code >> 5}.${String(code & 31).padStart(2, '0')}`;
}
