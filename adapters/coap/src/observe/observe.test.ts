import type { CoapObservation, DeviceCoapAnswer, DeviceCoapRoute } from '@moorage/dialect-api';
import { FakeTime } from '@moorage/testkit';
import { request as coapRequest, type IncomingMessage, type ObserveReadStream } from 'coap';
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

interface Opened {
  readonly notify: (answer: DeviceCoapAnswer) => Promise<boolean>;
  readonly end: (answer: DeviceCoapAnswer) => void;
  closed: number;
}

/** A resource whose observations a test drives. */
function resource(first: DeviceCoapAnswer = answer('2.05', 'first'), more: Partial<DeviceCoapRoute> = {}) {
  const opened: Opened[] = [];
  const watch: DeviceCoapRoute = route('GET', '/r/:token', () => answer('2.05', 'plain'), {
    cancelled: answer('2.02'),
    observe: async (_request, _desk, notify, end): Promise<CoapObservation> => {
      const one: Opened = { notify, end, closed: 0 };
      opened.push(one);
      return { first, close: () => void one.closed++ };
    },
    ...more,
  });
  const at = (index: number): Opened => {
    const one = opened[index];
    if (one === undefined) throw new TypeError('no such observation');
    return one;
  };
  return { watch, opened, at };
}

const sequenceOf = (message: CoapMessage) => {
  const value = optionOf(message, OptionNumber.observe);
  return value === undefined ? undefined : readUint(value);
};
const seen = (message: CoapMessage) => [message.type, codeText(message.code), textOf(message)];

describe('observations (RFC 7641)', () => {
  it('begin with the first answer and go on with confirmable notifications in rising order', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    const first = await client.request({ path: '/r/t', observe: 0, token: 'obs' });
    expect(seen(first)).toEqual(['acknowledgement', '2.05', 'first']);
    let last = sequenceOf(first) ?? -1;
    expect(last).toBeGreaterThan(0);
    for (const text of ['a', 'b', 'c']) {
      const arrived = at(0).notify(answer('2.05', text));
      const got = await client.next();
      expect(seen(got)).toEqual(['confirmable', '2.05', text]);
      expect(Buffer.from(got.token).toString()).toBe('obs');
      expect(sequenceOf(got)).toBeGreaterThan(last);
      last = sequenceOf(got) ?? -1;
      await client.sendEmpty('acknowledgement', got.messageId);
      expect(await arrived).toBe(true);
    }
  });

  it('notify by non-confirmable messages where the request was one, and by a confirmable one after a day', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    const first = await client.request({ path: '/r/t', observe: 0, type: 'nonConfirmable' });
    expect(first.type).toBe('nonConfirmable');
    expect(await at(0).notify(answer('2.05', 'a'))).toBe(true);
    expect(seen(await client.next())).toEqual(['nonConfirmable', '2.05', 'a']);
    time.advance(86_400_001);
    const arrived = at(0).notify(answer('2.05', 'b'));
    const got = await client.next();
    expect(got.type).toBe('confirmable');
    await client.sendEmpty('acknowledgement', got.messageId);
    expect(await arrived).toBe(true);
    expect(await at(0).notify(answer('2.05', 'c'))).toBe(true);
    expect((await client.next()).type).toBe('nonConfirmable');
  });

  it('send one notification after the other, each when the one before is acknowledged', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    await client.request({ path: '/r/t', observe: 0 });
    const arrived = ['a', 'b'].map((text) => at(0).notify(answer('2.05', text)));
    const first = await client.next();
    await client.expectSilence();
    await client.sendEmpty('acknowledgement', first.messageId);
    const second = await client.next();
    expect([textOf(first), textOf(second)]).toEqual(['a', 'b']);
    await client.sendEmpty('acknowledgement', second.messageId);
    expect(await Promise.all(arrived)).toEqual([true, true]);
  });

  it('hold back what is notified before the first answer is sent', async () => {
    const { watch } = resource(undefined, {
      observe: async (_request, _desk, notify) => {
        void notify(answer('2.05', 'early'));
        await new Promise((resolve) => setImmediate(resolve));
        return { first: answer('2.05', 'first'), close: () => undefined };
      },
    });
    await bench.open([watch]);
    const client = await bench.client();
    expect(textOf(await client.request({ path: '/r/t', observe: 0 }))).toBe('first');
    expect(textOf(await client.next())).toBe('early');
  });

  it('end when an acknowledgement is lost: the notification did not arrive, nor did those behind it', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    await client.request({ path: '/r/t', observe: 0 });
    const arrived = [at(0).notify(answer('2.05', 'a')), at(0).notify(answer('2.05', 'b'))];
    await client.next();
    time.advance(62_000);
    expect(await Promise.all(arrived)).toEqual([false, false]);
    expect(at(0).closed).toBe(1);
    expect(await at(0).notify(answer('2.05', 'c'))).toBe(false);
    expect(bench.counts.get('coap.observation.lost')).toBe(1);
    // The last repetitions are still on their way to this client.
    for (let repetition = 0; repetition < 4; repetition++) await client.next();
    await client.expectSilence();
  });

  it.each(['confirmable', 'nonConfirmable'] as const)('end by a Reset: %s', async (type) => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    await client.request({ path: '/r/t', observe: 0, type });
    const arrived = at(0).notify(answer('2.05', 'a'));
    const got = await client.next();
    await client.sendEmpty('reset', got.messageId);
    await client.expectSilence();
    expect(await arrived).toBe(type === 'nonConfirmable');
    expect(at(0).closed).toBe(1);
    expect(await at(0).notify(answer('2.05', 'b'))).toBe(false);
  });

  it('end by Observe 1 with the same Token, or with another one on the same path', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    await client.request({ path: '/r/t', observe: 0, token: 'a' });
    await client.request({ path: '/r/t', observe: 0, token: 'b' });
    expect(seen(await client.request({ path: '/r/t', observe: 1, token: 'a' }))).toEqual([
      'acknowledgement',
      '2.02',
      '',
    ]);
    expect([at(0).closed, at(1).closed]).toEqual([1, 0]);
    expect(codeText((await client.request({ path: '/r/t', observe: 1, token: 'z' })).code)).toBe('2.02');
    expect(at(1).closed).toBe(1);
    const other = await bench.client();
    await client.request({ path: '/r/t', observe: 0, token: 'c' });
    await other.request({ path: '/r/t', observe: 1, token: 'c' });
    expect(at(2).closed).toBe(0);
  });

  it('are renewed by the same Token without a word to the old one', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    const first = await client.request({ path: '/r/t', observe: 0, token: 'a' });
    const second = await client.request({ path: '/r/t', observe: 0, token: 'a' });
    expect(sequenceOf(second)).toBeGreaterThan(sequenceOf(first) ?? 0);
    expect([at(0).closed, at(1).closed]).toEqual([1, 0]);
    await client.expectSilence();
    expect(await at(0).notify(answer('2.05', 'old'))).toBe(false);
  });

  it('end with a last answer of the route, without Observe', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    await client.request({ path: '/r/t', observe: 0 });
    at(0).end(answer('2.02'));
    const got = await client.next();
    expect(seen(got)).toEqual(['confirmable', '2.02', '']);
    expect(sequenceOf(got)).toBeUndefined();
    expect(at(0).closed).toBe(1);
    at(0).end(answer('2.02'));
    await client.sendEmpty('acknowledgement', got.messageId);
    await client.expectSilence();
  });

  it('that the route ends before they are open are answered with its last answer', async () => {
    let closed = 0;
    const { watch } = resource(undefined, {
      observe: async (_request, _desk, _notify, end) => {
        end(answer('4.01'));
        return { first: answer('2.05', 'first'), close: () => void closed++ };
      },
    });
    await bench.open([watch]);
    const client = await bench.client();
    const got = await client.request({ path: '/r/t', observe: 0 });
    expect([codeText(got.code), sequenceOf(got)]).toEqual(['4.01', undefined]);
    expect(closed).toBe(1);
    await client.expectSilence();
  });

  it('may be refused by the route, or fail in it', async () => {
    const { watch } = resource(undefined, { observe: async () => answer('4.01') });
    const broken = { ...watch, path: '/broken', observe: () => Promise.reject(new TypeError('inner')) };
    await bench.open([watch, broken], { limits: { observationsPerEndpoint: 1 } });
    const client = await bench.client();
    for (let round = 0; round < 3; round++) {
      const got = await client.request({ path: '/r/t', observe: 0, token: `t${round}` });
      expect([codeText(got.code), sequenceOf(got)]).toEqual(['4.01', undefined]);
      expect(codeText((await client.request({ path: '/broken', observe: 0, token: `b${round}` })).code)).toBe('5.00');
    }
  });

  it('are plain requests where the route has none', async () => {
    await bench.open([route('GET', '/x', () => answer('2.05', 'plain'))]);
    const client = await bench.client();
    const got = await client.request({ path: '/x', observe: 0 });
    expect([textOf(got), sequenceOf(got)]).toEqual(['plain', undefined]);
    expect(textOf(await client.request({ path: '/x', observe: 1 }))).toBe('plain');
  });

  it('are bounded for an endpoint and in all', async () => {
    const { watch } = resource();
    await bench.open([watch], { limits: { observations: 3, observationsPerEndpoint: 2 } });
    const [one, two] = [await bench.client(), await bench.client()];
    const open = async (client: typeof one, token: string) =>
      codeText((await client.request({ path: '/r/t', observe: 0, token })).code);
    expect([await open(one, 'a'), await open(one, 'b'), await open(one, 'c')]).toEqual(['2.05', '2.05', '5.03']);
    expect([await open(two, 'a'), await open(two, 'b')]).toEqual(['2.05', '5.03']);
    expect(bench.counts.get('coap.observation.refused')).toBe(2);
  });

  it('keep at most 100 notifications for a client that does not acknowledge', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    await client.request({ path: '/r/t', observe: 0 });
    const outcomes: boolean[] = [];
    const arrived = Array.from({ length: 102 }, () => at(0).notify(answer('2.05', 'x')));
    arrived[101]?.then((one) => outcomes.push(one));
    await client.next();
    expect(outcomes).toEqual([false]);
  });

  it('carry a long notification in blocks, of which the client fetches the rest', async () => {
    const { watch, at } = resource();
    await bench.open([watch]);
    const client = await bench.client();
    await client.request({ path: '/r/t', observe: 0 });
    void at(0).notify(answer('2.05', 'y'.repeat(1500)));
    const got = await client.next();
    expect(readBlock(optionOf(got, OptionNumber.block2) ?? new Uint8Array(4))).toMatchObject({ number: 0, more: true });
    await client.sendEmpty('acknowledgement', got.messageId);
    const rest = await client.request({ path: '/r/t', block2: { number: 1, more: false, size: 1024 } });
    expect(textOf(got) + textOf(rest)).toBe('y'.repeat(1500));
  });

  it('learn that the server stops', async () => {
    const { watch, at } = resource();
    const server = await bench.open([watch]);
    const client = await bench.client();
    await client.request({ path: '/r/t', observe: 0 });
    const unfinished = at(0).notify(answer('2.05', 'a'));
    await client.next();
    await server.close();
    expect(await unfinished).toBe(false);
    expect(at(0).closed).toBe(1);
    expect(seen(await client.next())).toEqual(['nonConfirmable', '5.03', '']);
    expect(time.timers).toBe(0);
  });

  it('serve the client of the coap package', async () => {
    const cancelled = Promise.withResolvers<void>();
    const { watch } = resource();
    const opened: Opened[] = [];
    const at = (index: number): Opened =>
      opened[index] ?? { notify: async () => false, end: () => undefined, closed: 0 };
    await bench.open([
      {
        ...watch,
        observe: async (_request, _desk, notify, end) => {
          opened.push({ notify, end, closed: 0 });
          return { first: answer('2.05', 'first'), close: () => cancelled.resolve() };
        },
      },
    ]);
    const out = coapRequest({ hostname: '127.0.0.1', port: bench.port, pathname: '/r/t', observe: true });
    const response = new Promise<ObserveReadStream>((resolve) => {
      out.on('response', (one: IncomingMessage) => resolve(one as ObserveReadStream));
    });
    out.end();
    const stream = await response;
    const texts: string[] = [];
    const got = (count: number) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (texts.length >= count) resolve();
          else stream.once('data', look);
        };
        look();
      });
    stream.on('data', (chunk: Buffer) => texts.push(chunk.toString()));
    await got(1);
    expect(await at(0).notify(answer('2.05', 'a'))).toBe(true);
    expect(await at(0).notify(answer('2.05', 'b'))).toBe(true);
    await got(3);
    expect(texts).toEqual(['first', 'a', 'b']);
    // What close(true) of this client does, which closes its socket too early to be able to send.
    stream.emit('deregister');
    await cancelled.promise;
    stream.close();
  });
});
