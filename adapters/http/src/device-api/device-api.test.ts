import { execFile } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute, DeviceRequest, PulledPayload } from '@moorage/dialect-api';
import type { FastifyBaseLogger } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpServer } from '../options.ts';
import { openTestServer } from '../testing/test-server.ts';
import { BodyMemory, FREE_BYTES, LONG_BODIES_BYTES } from './body-memory.ts';

const TOKEN = 'A1_TEST_TOKEN';
const OK: DeviceHttpAnswer = { status: 200, contentType: null, body: null };

/** Time limits that a test lets pass by hand. */
class Limits {
  readonly #tasks = new Map<() => void, number>();

  readonly after = (delayMs: number, task: () => void): (() => void) => {
    this.#tasks.set(task, delayMs);
    return () => void this.#tasks.delete(task);
  };

  get delays(): number[] {
    return [...this.#tasks.values()];
  }

  expire(): void {
    for (const task of [...this.#tasks.keys()]) task();
  }
}

type Handle = (request: DeviceRequest) => Promise<DeviceHttpAnswer> | DeviceHttpAnswer;

function route(method: DeviceHttpRoute['method'], path: string, handle: Handle, bodyLimit = 100): DeviceHttpRoute {
  return {
    method,
    path,
    bodyLimit,
    handle: async (request) => handle(request),
    tooLarge: (limit) => ({ status: 413, contentType: 'application/json', body: `"more than ${limit}"` }),
  };
}

let server: HttpServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function open(routes: readonly DeviceHttpRoute[], logger: FastifyBaseLogger | false = false) {
  const limits = new Limits();
  // Routes of these tests ask the desk for nothing; the server asks it for its clock alone.
  const desk = { after: limits.after } as unknown as DeviceDesk;
  const test = await openTestServer({ deviceApi: { routes, desk }, logger });
  server = test.server;
  return { ...test, limits };
}

function pulled(bytes: Uint8Array, changes: Partial<PulledPayload> = {}) {
  const seen = { reads: [] as number[], closed: 0 };
  const payload: PulledPayload = {
    length: bytes.length,
    read: async (offset, length) => {
      seen.reads.push(offset);
      return bytes.subarray(offset, offset + length);
    },
    close: () => void seen.closed++,
    ...changes,
  };
  return { payload, seen };
}

/** Resolves with the first value given to `got`. */
function promised<T>() {
  return Promise.withResolvers<T>();
}

async function listening(): Promise<number> {
  if (server === undefined) throw new TypeError('no server');
  return server.listen('127.0.0.1', 0);
}

function dial(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  socket.on('error', () => undefined);
  return socket;
}

function curl(...options: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('curl', ['-sS', '--max-time', '20', ...options], { encoding: 'latin1' }, (error, out) =>
      error === null ? resolve(out) : reject(error),
    );
  });
}

describe('device routes over HTTP', () => {
  it('are given parameters, query and body as they came', async () => {
    const seen: DeviceRequest[] = [];
    const { send } = await open([
      route('POST', '/api/v1/:token/rpc/:id', (request) => {
        seen.push(request);
        return OK;
      }),
    ]);
    const answer = await send({
      method: 'POST',
      url: '/api/v1/a%2Fb%20c/rpc/7?k=2&k=1&__proto__=x&e=&bad=%E0%A4%A',
      payload: Buffer.from([0xff, 0, 1]),
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('');
    expect(answer.headers['content-length']).toBe('0');
    expect(seen[0]?.parameters).toEqual({ token: 'a/b c', id: '7' });
    expect(seen[0]?.query.slice(0, 4)).toEqual([
      ['k', '2'],
      ['k', '1'],
      ['__proto__', 'x'],
      ['e', ''],
    ]);
    expect([...(seen[0]?.body ?? [])]).toEqual([0xff, 0, 1]);
    expect(seen[0]?.remoteAddress).toBe('127.0.0.1');
  });

  it.each(['application/json', 'text/plain', 'nonsense', 'application/x-www-form-urlencoded', '', undefined])(
    'take the content type %s',
    async (type) => {
      const bodies: string[] = [];
      const { send } = await open([
        route('POST', '/api/v1/:token/telemetry', ({ body }) => {
          bodies.push(Buffer.from(body).toString());
          return OK;
        }),
      ]);
      const headers = type === undefined ? {} : { 'content-type': type };
      const url = `/api/v1/${TOKEN}/telemetry`;
      expect((await send({ method: 'POST', url, headers, payload: '{a:1}' })).statusCode).toBe(200);
      expect((await send({ method: 'POST', url, headers })).statusCode).toBe(200);
      expect(bodies).toEqual(['{a:1}', '']);
    },
  );

  it('are given path and query as they stand in the request line, the scheme, and the address of the peer', async () => {
    const seen: unknown[] = [];
    await open([
      route('GET', '/api/v1/:token/rpc', ({ target, scheme, peerAddress }) => {
        seen.push([target, scheme, peerAddress]);
        return OK;
      }),
    ]);
    const path = `/api/v1/${TOKEN}/rpc?b=%2f%20+&a=1&&b`;
    await curl('--path-as-is', '-H', 'X-Forwarded-For: 10.0.0.9', `http://127.0.0.1:${await listening()}${path}`);
    expect(seen).toEqual([[path, 'http', '127.0.0.1']]);
  });

  it('are given the content type as it was sent', async () => {
    const types: unknown[] = [];
    await open([
      route('POST', '/api/v1/:token/telemetry', ({ headers }) => {
        types.push(headers?.['content-type'], headers?.['x-more']);
        return OK;
      }),
    ]);
    const url = `http://127.0.0.1:${await listening()}/api/v1/${TOKEN}/telemetry`;
    await curl('-H', 'cONTENT-tYPE: Application/Octet-Stream', '-H', 'X-MORE: 1', '-d', 'x', url);
    await curl('-H', 'Content-Type:', '-d', 'x', url);
    expect(types).toEqual(['Application/Octet-Stream', '1', undefined, undefined]);
  });

  it('answer an unknown path and HEAD with 404, without asking for a token', async () => {
    const { send } = await open([
      route('GET', '/api/v1/:token/rpc', () => OK),
      route('POST', '/api/v1/provision', () => OK),
    ]);
    for (const request of [
      { method: 'GET', url: `/api/v1/${TOKEN}/nothing` },
      { method: 'HEAD', url: `/api/v1/${TOKEN}/rpc` },
      { method: 'PUT', url: `/api/v1/${TOKEN}/rpc` },
      { method: 'GET', url: '/api/v1' },
      { method: 'GET', url: '/api/v1/' },
      { method: 'POST', url: `/api/v1/${TOKEN}/nothing`, payload: '{}' },
      { method: 'POST', url: `/api/v1/${TOKEN}/rpc`, payload: 'x'.repeat(10_000) },
    ] as const) {
      const answer = await send(request);
      expect([answer.statusCode, answer.body], request.url).toEqual([404, '']);
    }
    expect((await send({ url: '/api/device/types' })).statusCode).toBe(401);
  });

  it('REC-39 stand beside the API where a path ends with and without a solidus', async () => {
    const paths = ['/api/sample-test', '/api/sample-test/'];
    const { send } = await open(paths.map((path) => route('GET', path, () => OK)));
    for (const url of paths) expect((await send({ url })).statusCode).toBe(200);
    for (const url of ['/api/sample', '/api/sample-test/x', '/api/device/types']) {
      expect((await send({ url })).statusCode, url).toBe(401);
    }
  });

  it('answer a path that is not well-formed with 400', async () => {
    const { send } = await open([route('GET', '/api/v1/:token/rpc', () => OK)]);
    expect((await send({ url: '/api/v1/%E0%A4%A/rpc' })).statusCode).toBe(400);
    expect((await send({ url: `/api/v1/${'a'.repeat(5000)}/rpc` })).statusCode).not.toBe(200);
  });

  it('stand beside those of the API and are not in its document', async () => {
    const { send } = await open([route('GET', '/api/v1/:token/attributes', () => OK)]);
    const document = (await send({ url: '/openapi.json' })).json();
    expect(Object.keys(document.paths).filter((path) => path.includes('/v1/'))).toEqual([]);
  });

  it('serve connections that another listener has accepted', async () => {
    await open([route('GET', '/api/v1/:token/rpc', () => ({ status: 200, contentType: 'text/plain', body: 'here' }))]);
    const listener = createServer({ pauseOnConnect: true }, (socket) => {
      server?.serve(socket);
      socket.resume();
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const address = listener.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await curl(`http://127.0.0.1:${port}/api/v1/${TOKEN}/rpc`)).toBe('here');
    await new Promise((resolve) => listener.close(resolve));
  });

  it('may be absent', async () => {
    const { send } = await open([]);
    expect((await send({ url: `/api/v1/${TOKEN}/rpc` })).statusCode).toBe(401);
  });
});

describe('bodies', () => {
  const long = route('POST', '/api/v1/:token/telemetry', ({ body }) => ({
    status: 200,
    contentType: 'text/plain',
    body: String(body.length),
  }));

  it('TB-99 over the limit are answered by the route, with Content-Length and without', async () => {
    await open([long]);
    const port = await listening();
    const head = `POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: x\r\n`;
    for (const [rest, status] of [
      [`Content-Length: 100\r\nConnection: close\r\n\r\n${'x'.repeat(100)}`, '200 OK'],
      ['Content-Length: 101\r\n\r\n', '413 Payload Too Large'],
      [
        `Transfer-Encoding: chunked\r\n\r\n40\r\n${'x'.repeat(64)}\r\n40\r\n${'x'.repeat(64)}\r\n`,
        '413 Payload Too Large',
      ],
    ] as const) {
      let text = '';
      const socket = dial(port, head + rest);
      socket.on('data', (chunk) => {
        text += chunk;
      });
      await new Promise((resolve) => socket.once('close', resolve));
      expect(text).toContain(`HTTP/1.1 ${status}\r\n`);
      expect(text.endsWith(status === '200 OK' ? '100' : '"more than 100"')).toBe(true);
    }
  });

  it('TB-99 are refused while they arrive: curl', async () => {
    await open([{ ...long, bodyLimit: 65_536 }]);
    const port = await listening();
    const url = `http://127.0.0.1:${port}/api/v1/${TOKEN}/telemetry`;
    const fits = await curl('-X', 'POST', '--data-binary', 'x'.repeat(65_536), url);
    expect(fits).toBe('65536');
    const status = ['-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST'];
    expect(await curl(...status, '--data-binary', 'x'.repeat(65_537), url)).toBe('413');
    expect(await curl(...status, '-H', 'Transfer-Encoding: chunked', '--data-binary', 'x'.repeat(65_537), url)).toBe(
      '413',
    );
  });

  it('of a client that goes away never reach the route', async () => {
    const calls: number[] = [];
    await open([
      route('POST', '/api/v1/:token/telemetry', ({ body }) => {
        calls.push(body.length);
        return OK;
      }),
    ]);
    const port = await listening();
    const broken = dial(port, `POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf`);
    await new Promise((resolve) => setImmediate(resolve));
    broken.destroy();
    const whole = dial(port, `POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`);
    await new Promise((resolve) => whole.once('data', resolve));
    whole.destroy();
    expect(calls).toEqual([2]);
  });

  it('take no more memory together than they may, and ordinary ones none of it', async () => {
    const memory = new BodyMemory(10);
    expect([memory.take(6), memory.take(5), memory.take(4)]).toEqual([true, false, true]);
    memory.give(10);
    expect(memory.usedBytes).toBe(0);
    const held = promised<void>();
    const released = promised<void>();
    const { send } = await open([
      {
        ...route('POST', '/api/v1/:token/telemetry', async ({ body }) => {
          held.resolve();
          if (body.length === LONG_BODIES_BYTES) await released.promise;
          return OK;
        }),
        bodyLimit: LONG_BODIES_BYTES,
      },
    ]);
    const url = `/api/v1/${TOKEN}/telemetry`;
    const first = send({ method: 'POST', url, payload: Buffer.alloc(LONG_BODIES_BYTES) });
    await held.promise;
    const second = await send({ method: 'POST', url, payload: Buffer.alloc(3 * FREE_BYTES) });
    expect(second.statusCode).toBe(503);
    expect((await send({ method: 'POST', url, payload: 'x' })).statusCode).toBe(200);
    released.resolve();
    expect((await first).statusCode).toBe(200);
    expect((await send({ method: 'POST', url, payload: Buffer.alloc(3 * FREE_BYTES) })).statusCode).toBe(200);
  });
});

describe('answers', () => {
  it('carry texts, bytes and headers', async () => {
    const { send } = await open([
      route('GET', '/api/v1/:token/text', () => ({ status: 200, contentType: 'application/json', body: '{"a":1}' })),
      route('GET', '/api/v1/:token/bytes', () => ({
        status: 200,
        contentType: 'image/x-firmware',
        headers: { 'x-filename': 'f' },
        body: new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
      })),
    ]);
    const text = await send({ url: `/api/v1/${TOKEN}/text` });
    expect(text.json()).toEqual({ a: 1 });
    expect(text.headers['content-type']).toMatch(/^application\/json/);
    const bytes = await send({ url: `/api/v1/${TOKEN}/bytes` });
    expect([...bytes.rawPayload]).toEqual([2, 3]);
    expect(bytes.headers).toMatchObject({ 'content-type': 'image/x-firmware', 'x-filename': 'f' });
  });

  it('pull a file in pieces, with Content-Length, and close it', async () => {
    const file = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, index) => (index * 31) & 0xff));
    const { payload, seen } = pulled(file);
    const { send } = await open([
      route('GET', '/api/v1/:token/firmware', () => ({ status: 200, contentType: null, body: payload })),
    ]);
    const answer = await send({ url: `/api/v1/${TOKEN}/firmware` });
    expect(answer.rawPayload.equals(file)).toBe(true);
    expect(answer.headers['content-length']).toBe('200000');
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    expect(seen).toEqual({ reads: [0, 65_536, 131_072, 196_608], closed: 1 });
  });

  it('pull no further than the connection takes, and close the file when the client goes', async () => {
    const closed = promised<void>();
    const { payload, seen } = pulled(new Uint8Array(0), {
      length: 1_000_000_000,
      read: async (offset, length) => {
        seen.reads.push(offset);
        return new Uint8Array(length);
      },
      close: () => closed.resolve(),
    });
    await open([route('GET', '/api/v1/:token/firmware', () => ({ status: 200, contentType: null, body: payload }))]);
    const port = await listening();
    const socket = dial(port, `GET /api/v1/${TOKEN}/firmware HTTP/1.1\r\nHost: x\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    let before = -1;
    while (before !== seen.reads.length) {
      before = seen.reads.length;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen.reads.length).toBeLessThan(1000);
    socket.destroy();
    await closed.promise;
  });

  it('break off when the file is shorter than promised or cannot be read', async () => {
    const short = pulled(Buffer.from('abc'), { length: 10 });
    const unreadable = pulled(Buffer.from('abc'), { read: () => Promise.reject(new TypeError('secret detail')) });
    await open([
      route('GET', '/api/v1/:token/short', () => ({ status: 200, contentType: null, body: short.payload })),
      route('GET', '/api/v1/:token/unreadable', () => ({ status: 200, contentType: null, body: unreadable.payload })),
    ]);
    const port = await listening();
    for (const path of ['short', 'unreadable']) {
      let text = '';
      const socket = dial(port, `GET /api/v1/${TOKEN}/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      socket.on('data', (chunk) => {
        text += chunk;
      });
      await new Promise((resolve) => socket.once('close', resolve));
      expect(text).not.toContain('200 OK');
      expect(text).not.toContain('secret');
    }
    expect([short.seen.closed, unreadable.seen.closed]).toEqual([1, 1]);
  });

  it('to nobody are dropped with their file', async () => {
    const { payload, seen } = pulled(Buffer.from('abc'));
    const began = promised<DeviceRequest>();
    const go = promised<void>();
    await open([
      route('GET', '/api/v1/:token/firmware', async (request) => {
        began.resolve(request);
        await go.promise;
        return { status: 200, contentType: null, body: payload };
      }),
    ]);
    const port = await listening();
    const socket = dial(port, `GET /api/v1/${TOKEN}/firmware HTTP/1.1\r\nHost: x\r\n\r\n`);
    const request = await began.promise;
    const gone = promised<void>();
    request.onGone(gone.resolve);
    socket.destroy();
    await gone.promise;
    let late = false;
    request.onGone(() => {
      late = true;
    });
    expect(late).toBe(true);
    go.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual({ reads: [], closed: 1 });
  });
});

describe('long polls', () => {
  it('are aborted with 503 after 300 s, and told so', async () => {
    const began = promised<DeviceRequest>();
    const never = promised<DeviceHttpAnswer>();
    const { send, limits } = await open([
      route('GET', '/api/v1/:token/rpc', (request) => {
        began.resolve(request);
        return never.promise;
      }),
    ]);
    const answer = send({ url: `/api/v1/${TOKEN}/rpc?timeout=999999999` });
    const request = await began.promise;
    let gone = 0;
    request.onGone(() => {
      gone++;
    });
    expect(limits.delays).toEqual([300_000]);
    limits.expire();
    expect((await answer).statusCode).toBe(503);
    expect((await answer).body).toBe('');
    never.resolve(OK);
    await new Promise((resolve) => setImmediate(resolve));
    expect(gone).toBe(1);
    expect(limits.delays).toEqual([]);
  });

  it('that are answered are not told of the end of their connection', async () => {
    let gone = 0;
    const { send, limits } = await open([
      route('GET', '/api/v1/:token/rpc', ({ onGone }) => {
        onGone(() => {
          gone++;
        });
        return OK;
      }),
    ]);
    expect((await send({ url: `/api/v1/${TOKEN}/rpc` })).statusCode).toBe(200);
    expect(gone).toBe(0);
    expect(limits.delays).toEqual([]);
  });

  it('do not keep the server from closing once they are ended', async () => {
    const began = promised<void>();
    const stopping = promised<DeviceHttpAnswer>();
    await open([
      route('GET', '/api/v1/:token/rpc', () => {
        began.resolve();
        return stopping.promise;
      }),
    ]);
    const port = await listening();
    let text = '';
    const socket = dial(port, `GET /api/v1/${TOKEN}/rpc HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.on('data', (chunk) => {
      text += chunk;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await began.promise;
    stopping.resolve({ status: 503, contentType: null, body: null });
    await server?.close();
    server = undefined;
    await closed;
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
  });
});

describe('failures', () => {
  function recordingLogger() {
    const entries: string[] = [];
    const write = (...parts: unknown[]): void =>
      void entries.push(
        JSON.stringify(parts, (_key, value: unknown) => (value instanceof Error ? value.message : value)),
      );
    const logger: FastifyBaseLogger = {
      level: 'trace',
      error: write,
      fatal: write,
      warn: write,
      info: write,
      debug: write,
      trace: write,
      silent: write,
      child: (bindings: object) => {
        write(bindings);
        return logger;
      },
    };
    return { logger, entries };
  }

  it('are answered with 500 and nothing else, and logged without the path', async () => {
    const { logger, entries } = recordingLogger();
    const { send } = await open(
      [
        route('GET', '/api/v1/:token/rpc', () => Promise.reject(new TypeError('inner detail'))),
        route('POST', '/api/v1/:token/rpc', () => OK),
      ],
      logger,
    );
    const answer = await send({ url: `/api/v1/${TOKEN}/rpc?a=${TOKEN}` });
    expect([answer.statusCode, answer.body]).toEqual([500, '']);
    expect(entries.filter((entry) => entry.includes('inner detail'))).toHaveLength(1);
    await send({ method: 'POST', url: `/api/v1/${TOKEN}/rpc`, payload: 'x'.repeat(1000) });
    await send({ url: `/api/v1/${TOKEN}/nothing` });
    await send({ url: `/api/v1/${TOKEN}/%E0%A4%A` });
    const port = await listening();
    const socket = dial(port, `GET /api/v1/${TOKEN}/rpc HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n`);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(entries.filter((entry) => entry.includes(TOKEN))).toEqual([]);
  });

  it('count in the metrics under the pattern of the route', async () => {
    const { send } = await open([route('GET', '/api/v1/:token/rpc', () => OK)]);
    await send({ url: `/api/v1/${TOKEN}/rpc` });
    const metrics = (await send({ url: '/metrics' })).body;
    expect(metrics).toContain('route="/api/v1/:token/rpc"');
    expect(metrics).not.toContain(TOKEN);
  });
});
