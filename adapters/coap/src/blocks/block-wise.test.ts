import type { DeviceCoapAnswer, DeviceRequest, PulledPayload } from '@moorage/dialect-api';
import { FakeTime } from '@moorage/testkit';
import { request as coapRequest, type IncomingMessage, type OutgoingMessage } from 'coap';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CoapMessage } from '../message/coap-message.ts';
import { OptionNumber } from '../message/option-numbers.ts';
import { readBlock, readUint } from '../message/option-values.ts';
import { answer, Bench, route } from '../testing/bench.ts';
import { codeText, optionOf, textOf } from '../testing/raw-client.ts';

let time: FakeTime;
let bench: Bench;

beforeEach(() => {
  time = new FakeTime();
  bench = new Bench(time);
});
afterEach(() => bench.close());

const blockOf = (message: CoapMessage, number: number) => {
  const value = optionOf(message, number);
  return value === undefined ? undefined : readBlock(value);
};

function pulled(length: number) {
  const file = Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
  const seen = { largest: 0, reads: 0, closed: 0 };
  const payload: PulledPayload = {
    length,
    read: async (offset, wanted) => {
      seen.reads++;
      seen.largest = Math.max(seen.largest, wanted);
      return file.subarray(offset, offset + wanted);
    },
    close: () => void seen.closed++,
  };
  return { file, seen, answer: { code: '2.05', contentFormat: 42, body: payload } satisfies DeviceCoapAnswer };
}

/** By the client of the `coap` package. */
function fetch(options: Parameters<typeof coapRequest>[0], payload?: Uint8Array): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const out: OutgoingMessage = coapRequest(options);
    out.on('response', resolve);
    out.on('error', reject);
    out.end(payload === undefined ? undefined : Buffer.from(payload));
  });
}

const at = (pathname: string, more: object = {}) => ({ hostname: '127.0.0.1', port: bench.port, pathname, ...more });

describe('answers in blocks (RFC 7959, Block2)', () => {
  it('are fetched whole by the client of the coap package, one block read at a time', async () => {
    const { file, seen, answer: found } = pulled(20_000);
    await bench.open([route('GET', '/fw/:token', () => found)]);
    const got = await fetch(at('/fw/t'));
    expect(got.code).toBe('2.05');
    expect(Buffer.from(got.payload).equals(Buffer.from(file))).toBe(true);
    expect(seen).toMatchObject({ largest: 1024, reads: 20 });
    time.advance(125_000);
    expect(seen.closed).toBe(1);
  });

  it('say the number, whether more follow, the size of all, and one tag for all', async () => {
    const { answer: found } = pulled(2500);
    await bench.open([route('GET', '/fw', () => found)]);
    const client = await bench.client();
    const first = await client.request({ path: '/fw' });
    expect(blockOf(first, OptionNumber.block2)).toEqual({ number: 0, more: true, size: 1024 });
    expect(readUint(optionOf(first, OptionNumber.size2) ?? new Uint8Array(0))).toBe(2500);
    expect([...(optionOf(first, OptionNumber.contentFormat) ?? [])]).toEqual([42]);
    const last = await client.request({ path: '/fw', token: 'x', block2: { number: 2, more: false, size: 1024 } });
    expect(blockOf(last, OptionNumber.block2)).toEqual({ number: 2, more: false, size: 1024 });
    expect(last.payload.length).toBe(452);
    expect(optionOf(last, OptionNumber.eTag)).toEqual(optionOf(first, OptionNumber.eTag));
    expect(codeText((await client.request({ path: '/fw', block2: { number: 3, more: false, size: 1024 } })).code)).toBe(
      '4.00',
    );
  });

  it('are as small as the client asks, from the beginning or later', async () => {
    const { file, answer: found } = pulled(100);
    await bench.open([route('GET', '/fw', () => found)]);
    const client = await bench.client();
    const first = await client.request({ path: '/fw', block2: { number: 0, more: false, size: 32 } });
    expect([first.payload.length, blockOf(first, OptionNumber.block2)?.more]).toEqual([32, true]);
    const later = await client.request({ path: '/fw', block2: { number: 6, more: false, size: 16 } });
    expect([...later.payload]).toEqual([...file.subarray(96)]);
    expect(blockOf(later, OptionNumber.block2)).toEqual({ number: 6, more: false, size: 16 });
  });

  it('are read anew for GET when the server has forgotten them, and 4.08 for any other method', async () => {
    const files = [pulled(3000), pulled(3000)];
    let calls = 0;
    await bench.open([
      route('GET', '/fw', () => files[calls++]?.answer ?? answer('4.04')),
      route('POST', '/rpc', () => answer('2.05', 'x'.repeat(3000))),
    ]);
    const client = await bench.client();
    const first = await client.request({ path: '/fw' });
    time.advance(125_000);
    expect(files[0]?.seen.closed).toBe(1);
    const second = await client.request({ path: '/fw', block2: { number: 1, more: false, size: 1024 } });
    expect(second.payload.length).toBe(1024);
    // The file may have changed, so the client has to see that these are two transfers.
    expect(optionOf(second, OptionNumber.eTag)).not.toEqual(optionOf(first, OptionNumber.eTag));
    expect(codeText((await client.request({ method: 'POST', path: '/rpc' })).code)).toBe('2.05');
    const rest = { method: 'POST', path: '/rpc', block2: { number: 1, more: false, size: 1024 } } as const;
    expect((await client.request({ ...rest })).payload.length).toBe(1024);
    time.advance(125_000);
    expect(codeText((await client.request({ ...rest })).code)).toBe('4.08');
  });

  it('belong to the endpoint that asked', async () => {
    const files = [pulled(2000), pulled(2000)];
    let calls = 0;
    await bench.open([route('GET', '/fw', () => files[calls++]?.answer ?? answer('4.04'))]);
    const client = await bench.client();
    await client.request({ path: '/fw' });
    const other = await bench.client();
    await other.request({ path: '/fw', block2: { number: 1, more: false, size: 1024 } });
    expect(calls).toBe(2);
  });

  it('end with 5.00 where the file cannot be read, and close it', async () => {
    let closed = 0;
    const broken = (read: PulledPayload['read']): DeviceCoapAnswer => ({
      code: '2.05',
      contentFormat: 42,
      body: { length: 3000, read, close: () => void closed++ },
    });
    await bench.open([
      route('GET', '/throws', () => broken(() => Promise.reject(new TypeError('disk')))),
      route('GET', '/short', () => broken(async () => new Uint8Array(5))),
    ]);
    const client = await bench.client();
    expect(codeText((await client.request({ path: '/throws' })).code)).toBe('5.00');
    expect(codeText((await client.request({ path: '/short' })).code)).toBe('5.00');
    expect(closed).toBe(2);
  });

  it('that fit one message come without a block, unless one was asked for; the file is closed at once', async () => {
    const files = [pulled(1024), pulled(10)];
    let calls = 0;
    await bench.open([route('GET', '/fw', () => files[calls++]?.answer ?? answer('4.04'))]);
    const client = await bench.client();
    const whole = await client.request({ path: '/fw' });
    expect([whole.payload.length, blockOf(whole, OptionNumber.block2)]).toEqual([1024, undefined]);
    const asked = await client.request({ path: '/fw', block2: { number: 0, more: false, size: 64 } });
    expect(blockOf(asked, OptionNumber.block2)).toEqual({ number: 0, more: false, size: 64 });
    expect(files.map(({ seen }) => seen.closed)).toEqual([1, 1]);
  });
});

describe('bodies in blocks (RFC 7959, Block1)', () => {
  const echo = (seen: DeviceRequest[]) =>
    route('POST', '/api/v1/:token/telemetry', (request) => {
      seen.push(request);
      return answer('2.01');
    });
  const path = '/api/v1/t/telemetry';

  it('are sent whole by the client of the coap package', async () => {
    const seen: DeviceRequest[] = [];
    await bench.open([{ ...echo(seen), bodyLimit: 65_536 }]);
    const body = Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff);
    const out = coapRequest(at(path, { method: 'POST' }));
    out.setOption('Block1', Buffer.of(0x06));
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      out.on('response', resolve);
      out.on('error', reject);
    });
    out.end(Buffer.from(body));
    expect((await response).code).toBe('2.01');
    expect(seen).toHaveLength(1);
    expect(Buffer.from(seen[0]?.body ?? []).equals(Buffer.from(body))).toBe(true);
  });

  it('are acknowledged block by block, also with a new Token for each', async () => {
    const seen: DeviceRequest[] = [];
    await bench.open([echo(seen)]);
    const client = await bench.client();
    const block = (number: number, more: boolean, length: number) =>
      client.request({
        method: 'POST',
        path,
        token: `t${number}`,
        block1: { number, more, size: 64 },
        payload: String(number).repeat(length),
      });
    const first = await block(0, true, 64);
    expect([codeText(first.code), blockOf(first, OptionNumber.block1)]).toEqual([
      '2.31',
      { number: 0, more: true, size: 64 },
    ]);
    expect(codeText((await block(1, true, 64)).code)).toBe('2.31');
    const last = await block(2, false, 3);
    expect([codeText(last.code), blockOf(last, OptionNumber.block1)]).toEqual([
      '2.01',
      { number: 2, more: false, size: 64 },
    ]);
    expect(Buffer.from(seen[0]?.body ?? []).toString()).toBe(`${'0'.repeat(64)}${'1'.repeat(64)}222`);
  });

  it('are refused with 4.08 where a block is missing and with 4.00 where one is not full', async () => {
    await bench.open([echo([])]);
    const client = await bench.client();
    const block = async (number: number, more: boolean, length: number) => {
      const block1 = { number, more, size: 64 };
      return codeText((await client.request({ method: 'POST', path, block1, payload: 'x'.repeat(length) })).code);
    };
    expect(await block(1, true, 64)).toBe('4.08');
    expect(await block(0, true, 64)).toBe('2.31');
    expect(await block(2, false, 1)).toBe('4.08');
    expect(await block(0, true, 63)).toBe('4.00');
    expect(bench.counts.get('coap.body.dropped')).toBe(3);
  });

  it('TB-99 over the limit are refused with 4.13 and the limit: at once, announced, or while they arrive', async () => {
    const seen: DeviceRequest[] = [];
    await bench.open([{ ...echo(seen), bodyLimit: 100 }]);
    const client = await bench.client();
    const size1 = [{ number: OptionNumber.size1, value: Uint8Array.of(101) }];
    const post = { method: 'POST', path } as const;
    const refused = [
      await client.request({ ...post, payload: 'x'.repeat(101) }),
      await client.request({
        ...post,
        options: size1,
        block1: { number: 0, more: true, size: 16 },
        payload: 'x'.repeat(16),
      }),
    ];
    await client.request({ ...post, block1: { number: 0, more: true, size: 64 }, payload: 'x'.repeat(64) });
    refused.push(
      await client.request({ ...post, block1: { number: 1, more: false, size: 64 }, payload: 'x'.repeat(37) }),
    );
    for (const one of refused) {
      expect(codeText(one.code)).toBe('4.13');
      expect([...(optionOf(one, OptionNumber.size1) ?? [])]).toEqual([100]);
    }
    expect(seen).toEqual([]);
  });

  it('of an unknown path are refused before anything is kept', async () => {
    await bench.open([echo([])]);
    const client = await bench.client();
    const block1 = { number: 0, more: true, size: 16 };
    const got = await client.request({ method: 'POST', path: '/x', block1, payload: 'x'.repeat(16) });
    expect(codeText(got.code)).toBe('4.04');
  });

  it('may be answered in blocks', async () => {
    await bench.open([route('POST', '/rpc', ({ body }) => answer('2.05', 'y'.repeat(body.length * 20)))]);
    const client = await bench.client();
    const post = { method: 'POST', path: '/rpc' } as const;
    await client.request({ ...post, block1: { number: 0, more: true, size: 64 }, payload: 'x'.repeat(64) });
    const first = await client.request({
      ...post,
      block1: { number: 1, more: false, size: 64 },
      payload: 'x'.repeat(36),
    });
    expect(codeText(first.code)).toBe('2.05');
    expect(blockOf(first, OptionNumber.block1)).toEqual({ number: 1, more: false, size: 64 });
    expect(blockOf(first, OptionNumber.block2)).toEqual({ number: 0, more: true, size: 1024 });
    const second = await client.request({ ...post, block2: { number: 1, more: false, size: 1024 } });
    expect(textOf(first) + textOf(second)).toBe('y'.repeat(2000));
  });
});
