import type { DeviceCoapAnswer, DeviceRequest } from '@moorage/dialect-api';
import { FakeTime, seededRandom } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeMessage } from './message/encode-message.ts';
import { OptionNumber } from './message/option-numbers.ts';
import { answer, Bench, route } from './testing/bench.ts';
import { codeText, requestMessage, textOf } from './testing/raw-client.ts';

let time: FakeTime;
let bench: Bench;

beforeEach(() => {
  time = new FakeTime();
  bench = new Bench(time);
});
afterEach(async () => {
  await bench.close();
  expect(time.timers).toBe(0);
});

const hello = route('GET', '/hello', () => answer('2.05', 'world'));
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** A route whose answers a test gives. */
function held(path = '/slow') {
  const requests: DeviceRequest[] = [];
  const answers: ((answer: DeviceCoapAnswer) => void)[] = [];
  const arrived: (() => void)[] = [];
  return {
    requests,
    answers,
    arrival: () => new Promise<void>((resolve) => arrived.push(resolve)),
    route: route('GET', path, (request) => {
      requests.push(request);
      const result = new Promise<DeviceCoapAnswer>((resolve) => answers.push(resolve));
      for (const one of arrived.splice(0)) one();
      return result;
    }),
  };
}

describe('requests', () => {
  it('are given to the route with path, query, body and address', async () => {
    const seen: DeviceRequest[] = [];
    const all = route('POST', '/api/v1/:token/rpc/:id', (request) => {
      seen.push(request);
      return answer('2.01');
    });
    await bench.open([all]);
    const client = await bench.client();
    const path = '/api/v1/a%2F/rpc/7';
    const got = await client.request({ method: 'POST', path, query: ['a=1', 'b', 'a=2=3'], payload: '{}' });
    expect([got.type, codeText(got.code), got.payload.length]).toEqual(['acknowledgement', '2.01', 0]);
    expect(seen[0]).toMatchObject({
      // CoAP does not know percent-encoding: clients have decoded it already. RFC 7252, 6.4
      parameters: { token: 'a%2F', id: '7' },
      query: [
        ['a', '1'],
        ['b', ''],
        ['a', '2=3'],
      ],
      remoteAddress: '127.0.0.1',
    });
    expect(Buffer.from(seen[0]?.body ?? []).toString()).toBe('{}');
  });

  it('prefer a fixed level to a parameter, and take a path with a slash at its end', async () => {
    await bench.open([
      route('GET', '/a/:x', () => answer('2.05', 'parameter')),
      route('GET', '/a/b', () => answer('2.05', 'fixed')),
    ]);
    const client = await bench.client();
    expect(textOf(await client.request({ path: '/a/b' }))).toBe('fixed');
    expect(textOf(await client.request({ path: '/a/c/' }))).toBe('parameter');
  });

  it.each([
    ['an unknown path', { path: '/nothing' }, '4.04'],
    ['a path that is longer', { path: '/hello/x' }, '4.04'],
    ['another method', { method: 'POST', path: '/hello' }, '4.05'],
    ['a proxy', { path: '/hello', options: [{ number: OptionNumber.proxyUri, value: bytes('61') }] }, '5.05'],
    ['an unknown critical option', { path: '/hello', options: [{ number: 9, value: bytes('') }] }, '4.02'],
    ['a condition', { path: '/hello', options: [{ number: 5, value: bytes('') }] }, '4.02'],
    ['a path that is not UTF-8', { options: [{ number: OptionNumber.uriPath, value: bytes('ff') }] }, '4.02'],
    ['a block of the reserved size', { options: [{ number: OptionNumber.block2, value: bytes('07') }] }, '4.02'],
  ] as const)('are refused shortly: %s', async (_title, parts, code) => {
    await bench.open([hello]);
    const client = await bench.client();
    const got = await client.request(parts);
    expect(codeText(got.code)).toBe(code);
    expect(got.payload.length).toBe(0);
  });

  it('may have unknown elective options', async () => {
    await bench.open([hello]);
    const client = await bench.client();
    const options = [
      { number: 258, value: bytes('1a') },
      { number: OptionNumber.accept, value: bytes('00') },
    ];
    expect(textOf(await client.request({ path: '/hello', options }))).toBe('world');
  });

  it('are answered with 5.00 and nothing else when the route throws; the log has the pattern of the path', async () => {
    const broken = route('GET', '/api/:token', () => Promise.reject(new TypeError('inner detail')));
    await bench.open([broken]);
    const client = await bench.client();
    const got = await client.request({ path: '/api/SECRET_TOKEN' });
    expect([codeText(got.code), got.payload.length]).toEqual(['5.00', 0]);
    expect(bench.logged).toMatchObject([{ err: { message: 'inner detail' }, route: '/api/:token' }]);
    expect(JSON.stringify(bench.logged)).not.toContain('SECRET');
    expect(bench.counts.get('coap.fault')).toBe(1);
  });

  it('over the number that may be under way are answered with 5.03', async () => {
    const slow = held();
    await bench.open([slow.route], { limits: { requestsUnderWay: 1 } });
    const client = await bench.client();
    const arrival = slow.arrival();
    await client.send({ path: '/slow', token: 'a' });
    await arrival;
    expect(codeText((await client.request({ path: '/slow', token: 'b' })).code)).toBe('5.03');
    slow.answers[0]?.(answer('2.05', 'one'));
    expect(textOf(await client.next())).toBe('one');
  });
});

describe('the message layer', () => {
  it('answers a confirmable request with the acknowledgement, within 500 ms', async () => {
    const slow = held();
    await bench.open([slow.route]);
    const client = await bench.client();
    const arrival = slow.arrival();
    const messageId = await client.send({ path: '/slow', token: 'abc' });
    await arrival;
    time.advance(499);
    slow.answers[0]?.(answer('2.05', 'x'));
    const got = await client.next();
    expect(got).toMatchObject({ type: 'acknowledgement', messageId });
    expect(Buffer.from(got.token).toString()).toBe('abc');
    await client.expectSilence();
  });

  it('acknowledges after 500 ms and answers separately, until that is acknowledged', async () => {
    const slow = held();
    await bench.open([slow.route]);
    const client = await bench.client();
    const arrival = slow.arrival();
    const messageId = await client.send({ path: '/slow', token: 'abc' });
    await arrival;
    time.advance(500);
    expect(await client.next()).toMatchObject({ type: 'acknowledgement', messageId, code: 0 });
    slow.answers[0]?.(answer('2.05', 'x'));
    const first = await client.next();
    expect(first.type).toBe('confirmable');
    expect(Buffer.from(first.token).toString()).toBe('abc');
    time.advance(2000);
    expect(await client.next()).toEqual(first);
    await client.sendEmpty('acknowledgement', first.messageId);
    await client.expectSilence();
    time.advance(100_000);
    await client.expectSilence();
  });

  it('sends a refusal of an unknown credential once, also when it comes late', async () => {
    const slow = held();
    await bench.open([slow.route]);
    const client = await bench.client();
    const arrival = slow.arrival();
    await client.send({ path: '/slow' });
    await arrival;
    time.advance(5000);
    await client.next();
    slow.answers[0]?.(answer('4.01'));
    expect(await client.next()).toMatchObject({ type: 'nonConfirmable', code: 0x81 });
    time.advance(100_000);
    await client.expectSilence();
  });

  it('answers a non-confirmable request with a non-confirmable message of its own', async () => {
    await bench.open([hello]);
    const client = await bench.client();
    const got = await client.request({ path: '/hello', type: 'nonConfirmable', messageId: 5 });
    expect([got.type, textOf(got)]).toEqual(['nonConfirmable', 'world']);
    const next = await client.request({ path: '/hello', type: 'nonConfirmable', messageId: 6 });
    expect(next.messageId).toBe(got.messageId + 1);
  });

  it('carries out a repeated request once: it repeats the answer, or the acknowledgement', async () => {
    let calls = 0;
    const count = route('POST', '/count', () => answer('2.04', String(++calls)));
    const slow = held();
    await bench.open([count, slow.route]);
    const client = await bench.client();
    const parts = { method: 'POST', path: '/count', messageId: 77 } as const;
    const first = await client.request(parts);
    expect(await client.request(parts)).toEqual(first);
    await client.send({ ...parts, type: 'nonConfirmable', messageId: 78 });
    expect(textOf(await client.next())).toBe('2');
    await client.send({ ...parts, type: 'nonConfirmable', messageId: 78 });
    await client.expectSilence();
    const arrival = slow.arrival();
    await client.send({ path: '/slow', messageId: 79 });
    await arrival;
    await client.send({ path: '/slow', messageId: 79 });
    await client.expectSilence();
    time.advance(500);
    const acknowledgement = await client.next();
    expect(await client.request({ path: '/slow', messageId: 79 })).toEqual(acknowledgement);
    expect(slow.requests).toHaveLength(1);
    expect(bench.counts.get('coap.datagram.duplicate')).toBe(4);
  });

  it('takes a request with the Message ID of an earlier one for a new one if it says something else', async () => {
    let calls = 0;
    await bench.open([route('POST', '/count', () => answer('2.04', String(++calls)))]);
    const client = await bench.client();
    const parts = { method: 'POST', path: '/count', messageId: 77 } as const;
    expect(textOf(await client.request({ ...parts, payload: 'a' }))).toBe('1');
    expect(textOf(await client.request({ ...parts, payload: 'b' }))).toBe('2');
  });

  it('rejects a ping and a response to nothing, and ignores what asks for no answer', async () => {
    await bench.open([hello]);
    const client = await bench.client();
    await client.sendEmpty('confirmable', 9);
    expect(await client.next()).toMatchObject({ type: 'reset', messageId: 9, code: 0 });
    await client.sendBytes(bytes('40 45 00 0a'));
    expect(await client.next()).toMatchObject({ type: 'reset', messageId: 10 });
    await client.sendBytes(bytes('50 45 00 0b'));
    await client.sendEmpty('acknowledgement', 11);
    await client.sendEmpty('reset', 12);
    await client.expectSilence();
  });

  it('rejects a broken confirmable message and ignores any other, and what is no CoAP', async () => {
    await bench.open([hello]);
    const client = await bench.client();
    await client.sendBytes(bytes('49 01 00 0c 010203040506070809'));
    expect(await client.next()).toMatchObject({ type: 'reset', messageId: 12 });
    for (const one of ['59 01 00 0d 010203040506070809', '69 01 00 0d', '', '16 fe fd', '80 01 00 01']) {
      await client.sendBytes(bytes(one));
    }
    await client.expectSilence();
    expect(bench.counts.get('coap.datagram.invalid')).toBe(6);
  });

  it('drops what comes over the rate of an address', async () => {
    await bench.open([hello], { limits: { datagramsPerSecond: 1, datagramsAtOnce: 2 } });
    const client = await bench.client();
    await client.request({ path: '/hello' });
    await client.request({ path: '/hello' });
    await client.send({ path: '/hello' });
    while (bench.counts.get('coap.datagram.throttled') === undefined) await new Promise((r) => setImmediate(r));
    time.advance(1000);
    await client.expectSilence();
  });
});

describe('closing', () => {
  it('tells requests under way that nobody waits, drops their answers and frees the port', async () => {
    const slow = held();
    const server = await bench.open([slow.route]);
    const client = await bench.client();
    const arrival = slow.arrival();
    await client.send({ path: '/slow' });
    await arrival;
    let gone = 0;
    slow.requests[0]?.onGone(() => {
      gone++;
    });
    await server.close();
    expect(gone).toBe(1);
    let closed = 0;
    slow.answers[0]?.({
      code: '2.05',
      contentFormat: 42,
      body: { length: 5000, read: async () => new Uint8Array(1024), close: () => void closed++ },
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(1);
    expect(time.timers).toBe(0);
    const again = new Bench(time);
    const { port } = bench;
    await again.open([hello], { port });
    expect(again.port).toBe(port);
    await again.close();
    await server.close();
  });

  it('is told when the client rejects the request it sent', async () => {
    const slow = held();
    await bench.open([slow.route]);
    const client = await bench.client();
    const arrival = slow.arrival();
    const messageId = await client.send({ path: '/slow' });
    await arrival;
    const gone = new Promise<void>((resolve) => slow.requests[0]?.onGone(resolve));
    await client.sendEmpty('reset', messageId);
    await gone;
    slow.answers[0]?.(answer('2.05', 'x'));
    await client.expectSilence();
  });

  it('rejects a port that is taken', async () => {
    await bench.open([hello]);
    const other = new Bench(time);
    await expect(other.open([hello], { port: bench.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

it('listens on IPv6, and with :: on IPv4 too', async () => {
  const addresses: string[] = [];
  const who = route('GET', '/who', ({ remoteAddress }) => {
    addresses.push(remoteAddress);
    return answer('2.05', 'you');
  });
  await bench.open([who], { host: '::' });
  for (const host of ['::1', '127.0.0.1']) {
    const client = await bench.client(host);
    expect(textOf(await client.request({ path: '/who' }))).toBe('you');
  }
  expect(addresses).toEqual(['::1', '127.0.0.1']);
});

it('survives whatever is sent, and answers as before', async () => {
  const echo = route('POST', '/api/v1/:token/telemetry', ({ body }) => answer('2.01', String(body.length)));
  const watch = route('GET', '/api/v1/:token/rpc', () => answer('4.00'), {
    observe: async () => ({ first: answer('2.03'), close: () => undefined }),
    cancelled: answer('2.02'),
  });
  const server = await bench.open([echo, watch, hello], {
    limits: { datagramsAtOnce: 1_000_000, rememberedMessages: 100, bodies: 4, transfers: 4, observations: 4 },
  });
  const client = await bench.client();
  const random = seededRandom(20_261_121);
  const upTo = (limit: number): number => Math.floor(random() * limit);
  const samples = [
    { method: 'POST', path: '/api/v1/t/telemetry', payload: '{"a":1}' },
    { path: '/api/v1/t/rpc', observe: 0 },
    { path: '/api/v1/t/rpc', observe: 1 },
    { path: '/hello', block2: { number: 1, more: false, size: 16 } },
    {
      method: 'POST',
      path: '/api/v1/t/telemetry',
      block1: { number: 0, more: true, size: 16 },
      payload: 'x'.repeat(16),
    },
  ] as const;
  for (let index = 0; index < 5000; index++) {
    const sample = samples[upTo(samples.length)] ?? samples[0];
    let datagram: Uint8Array = encodeMessage(requestMessage(sample, upTo(0x10000)));
    if (upTo(4) === 0) datagram = Uint8Array.from({ length: upTo(80) }, () => upTo(256));
    for (let changes = upTo(4); changes > 0; changes--) datagram[upTo(datagram.length)] = upTo(256);
    if (upTo(5) === 0) datagram = datagram.subarray(0, upTo(datagram.length));
    await client.sendBytes(datagram);
    // The server reads between two turns; the kernel drops what it can not keep.
    if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (index % 100 === 0) time.advance(1000);
  }
  await new Promise((resolve) => setImmediate(resolve));
  const fresh = await bench.client();
  expect(textOf(await fresh.request({ path: '/hello' }))).toBe('world');
  expect(bench.counts.get('coap.fault')).toBeUndefined();
  expect(bench.counts.get('coap.request')).toBeGreaterThan(1000);
  expect(bench.counts.get('coap.datagram.invalid')).toBeGreaterThan(500);
  await server.close();
});
