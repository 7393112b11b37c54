import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { CERTIFICATES } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { Receiver } from './testing/receivers.ts';
import { UndiciWebhookSender, type WebhookSenderOptions } from './undici-webhook-sender.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function receiver(answer?: RequestListener, options?: { tls: boolean }): Promise<Receiver> {
  const made = await Receiver.listen(answer, options);
  opened.push(made);
  return made;
}

function sender(options: Partial<WebhookSenderOptions> = {}): UndiciWebhookSender {
  const made = new UndiciWebhookSender({ allowPrivateAddresses: true, ...options });
  opened.unshift(made);
  return made;
}

const request = (url: string, parts: { headers?: Record<string, string>; text?: string; timeoutMs?: number } = {}) => ({
  url,
  headers: parts.headers ?? {},
  body: new TextEncoder().encode(parts.text ?? '{}'),
  timeoutMs: parts.timeoutMs ?? 5_000,
});
const REFUSED = { kind: 'refused', reason: 'the address is private or reserved' };
/** Every name leads to this machine. */
const here = async () => [{ address: '127.0.0.1', family: 4 }];

describe('a webhook request', () => {
  it('has the address, the body and the headers with exactly the names that were given', async () => {
    const to = await receiver();
    const headers = { 'Content-Type': 'application/json; charset=utf-8', 'X-ACCESS-ID': 'foobar', 'x-oDD-Name': '1' };
    const url = to.url('/hook/%C3%A9?a=b&c=%20d#part');
    expect(await sender().send(request(url, { headers, text: '{"a":"\u00e9"}' }))).toEqual({
      kind: 'status',
      status: 200,
    });
    const [received] = to.received;
    expect(received).toMatchObject({ method: 'POST', url: '/hook/%C3%A9?a=b&c=%20d', body: '{"a":"\u00e9"}' });
    const raw = received?.rawHeaders ?? [];
    const names = raw.filter((_, index) => index % 2 === 0);
    expect(Object.fromEntries(names.map((name, index) => [name, raw[2 * index + 1]]))).toMatchObject({
      'User-Agent': 'Moorage',
      'Content-Type': 'application/json; charset=utf-8',
      'X-ACCESS-ID': 'foobar',
      'x-oDD-Name': '1',
    });
    expect(names.map((name) => name.toLowerCase())).not.toContain('transfer-encoding');
    expect(names.map((name) => name.toLowerCase())).toContain('content-length');
    expect(raw[raw.findIndex((name) => name.toLowerCase() === 'host') + 1]).toBe(`127.0.0.1:${to.port}`);
  });

  it('gives any status as it is, and follows no redirect', async () => {
    const inside = await receiver();
    let status = 200;
    const to = await receiver((_, response) => {
      response.writeHead(status, { Location: inside.url('/secret') });
      response.end();
    });
    const from = sender();
    for (status of [204, 301, 302, 307, 308, 400, 410, 500, 503]) {
      expect(await from.send(request(to.url()))).toEqual({ kind: 'status', status });
    }
    expect(inside.received).toEqual([]);
    expect(to.received.every(({ method }) => method === 'POST')).toBe(true);
  });

  it('uses connections again, and no more than 64 to one host', async () => {
    const waiting: (() => void)[] = [];
    let hold = false;
    const to = await receiver((_, response) => {
      if (hold) waiting.push(() => response.end());
      else response.end('x'.repeat(1_000));
    });
    const from = sender();
    for (let count = 0; count < 5; count += 1) await from.send(request(to.url()));
    // The second request may come before the first connection is free again.
    expect(to.connections).toBeLessThanOrEqual(2);
    hold = true;
    const all = Array.from({ length: 100 }, () => from.send(request(to.url())));
    while (waiting.length < 64) await new Promise((resolve) => setImmediate(resolve));
    hold = false;
    for (const answer of waiting) answer();
    expect(await Promise.all(all)).toEqual(Array.from({ length: 100 }, () => ({ kind: 'status', status: 200 })));
    expect(to.mostOpen).toBe(64);
  });

  it('takes no way through a proxy of the environment', async () => {
    const proxy = await receiver();
    const to = await receiver();
    const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'ALL_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = proxy.url();
    try {
      expect(await sender().send(request(to.url()))).toEqual({ kind: 'status', status: 200 });
    } finally {
      for (const [index, name] of names.entries()) {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    expect(proxy.connections).toBe(0);
  });

  it('speaks TLS with certificates that are trusted and of the host', async () => {
    const to = await receiver(undefined, { tls: true });
    const ca = CERTIFICATES.ca.certificate;
    const secure = (host: string) => request(to.url('/', host, 'https'));
    expect(await sender({ ca, resolve: here }).send(secure('localhost'))).toEqual({ kind: 'status', status: 200 });
    expect(await sender({ ca }).send(secure('127.0.0.1'))).toEqual({ kind: 'status', status: 200 });
    expect(await sender({ resolve: here }).send(secure('localhost'))).toMatchObject({
      kind: 'failed',
      reason: 'the certificate is not trusted',
    });
    expect(await sender({ ca, resolve: here }).send(secure('other.example.org'))).toMatchObject({
      kind: 'failed',
      reason: 'the certificate is of another host',
    });
    expect(to.received).toHaveLength(2);
  });
});

describe('addresses inside', () => {
  it('B10 are refused in every spelling', async () => {
    const to = await receiver();
    const from = sender({ allowPrivateAddresses: false });
    for (const host of [
      '127.0.0.1',
      '127.1',
      '127.0.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '017700000001',
      '127.0.0.1.',
      '\uff11\uff12\uff17.0.0.1',
      '%31%32%37.0.0.1',
      '0',
      '0.0.0.0',
      '[::1]',
      '[::]',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[64:ff9b::7f00:1]',
      '[::127.0.0.1]',
      '10.1.2.3',
      '192.168.0.1',
      '172.16.0.1',
      '100.64.0.1',
      '169.254.169.254',
      '[fd00::1]',
      '[fe80::1]',
      '224.0.0.1',
      '255.255.255.255',
    ]) {
      expect(await from.send(request(`http://${host}:${to.port}/`)), host).toEqual(REFUSED);
    }
    expect(await from.send(request(to.url('/', 'localhost')))).toEqual(REFUSED);
    expect(to.connections).toBe(0);
  });

  it('B10 are refused behind names, whatever DNS says at the second question', async () => {
    const to = await receiver();
    for (const address of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', 'fd00::1']) {
      const family = address.includes(':') ? 6 : 4;
      const from = sender({ allowPrivateAddresses: false, resolve: async () => [{ address, family }] });
      expect(await from.send(request(to.url('/', 'receiver.test'))), address).toEqual(REFUSED);
    }
    expect(to.connections).toBe(0);
    // Asked once for a connection, which goes to that answer: the second answer is for the next connection.
    const answers = ['127.0.0.1', '169.254.169.254'];
    let asked = 0;
    const from = sender({
      resolve: async () => {
        asked += 1;
        return [{ address: answers[asked - 1] ?? '', family: 4 }];
      },
    });
    expect(await from.send(request(to.url('/', 'receiver.test')))).toEqual({ kind: 'status', status: 200 });
    expect(asked).toBe(1);
    const other = await receiver();
    expect(await from.send(request(other.url('/', 'receiver.test')))).toEqual(REFUSED);
    expect(asked).toBe(2);
    expect(other.connections).toBe(0);
  });

  it('that are not allowed are left out of an answer with several', async () => {
    const to = await receiver();
    const from = sender({
      resolve: async () => [
        { address: '169.254.169.254', family: 4 },
        { address: '127.0.0.1', family: 4 },
        { address: '0.0.0.0', family: 4 },
      ],
    });
    expect(await from.send(request(to.url('/', 'receiver.test')))).toEqual({ kind: 'status', status: 200 });
    expect(to.received[0]?.rawHeaders).toContain(`receiver.test:${to.port}`);
  });

  it('stay refused where they are link-local or reserved, also if private ones are allowed', async () => {
    const from = sender();
    for (const host of ['169.254.169.254', '[fe80::1]', '0.0.0.0', '224.0.0.1', '[ff02::1]']) {
      expect(await from.send(request(`http://${host}/`)), host).toEqual(REFUSED);
    }
  });

  it('and other things that are no web addresses are refused', async () => {
    const to = await receiver();
    const from = sender();
    for (const url of [
      'ftp://127.0.0.1/',
      'file:///etc/passwd',
      'unix:/run/x',
      'http://',
      'nonsense',
      `//x:${to.port}/`,
    ]) {
      expect(await from.send(request(url)), url).toMatchObject({ kind: 'refused' });
    }
    expect(await from.send(request(to.url('/', 'name:secret@127.0.0.1')))).toMatchObject({ kind: 'refused' });
    expect(await from.send(request(to.url(), { headers: { 'X-A': 'b\r\nX-C: d' } }))).toMatchObject({
      kind: 'refused',
    });
    expect(await from.send(request(to.url(), { headers: { 'X A': 'b' } }))).toMatchObject({ kind: 'refused' });
    expect(to.received).toEqual([]);
  });
});

describe('a receiver that misbehaves', () => {
  it('B10 is left after the time that it has', async () => {
    const to = await receiver(() => {});
    const from = sender();
    expect(await from.send(request(to.url(), { timeoutMs: 100 }))).toEqual({
      kind: 'failed',
      reason: 'no answer within 0.1 s',
    });
    const resolve = () => new Promise<never>(() => {});
    expect(await sender({ resolve }).send(request('http://receiver.test/', { timeoutMs: 50 }))).toMatchObject({
      kind: 'failed',
    });
  });

  it('B10 that sends without end is cut off, and its status counts', async () => {
    let written = 0;
    let stopped = (): void => {};
    const end = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const to = await receiver((_, response) => {
      const chunk = Buffer.alloc(16_384);
      const more = (): void => {
        while (!response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) break;
        }
      };
      response.on('drain', more).on('close', stopped);
      more();
    });
    expect(await sender().send(request(to.url()))).toEqual({ kind: 'status', status: 200 });
    await end;
    // What lies in the buffers of the two sockets comes on top.
    expect(written).toBeLessThan(16_777_216);
  });

  it('that never ends its response is left after a moment, and its status counts', async () => {
    const to = await receiver((_, response) => {
      response.writeHead(202);
      response.write('a');
    });
    expect(await sender().send(request(to.url()))).toEqual({ kind: 'status', status: 202 });
  });

  it('fails the attempt with a reason that says nothing of the network', async () => {
    const garbage = createServer((socket) => {
      socket.on('error', () => {}).resume();
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
    const address = garbage.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const from = sender({ resolve: here });
    expect(await from.send(request(`http://127.0.0.1:${port}/`))).toEqual({
      kind: 'failed',
      reason: 'the response is not HTTP',
    });
    await new Promise((resolve) => garbage.close(resolve));
    expect(await from.send(request(`http://receiver.test:${port}/`))).toEqual({
      kind: 'failed',
      reason: 'the connection was refused',
    });
    const unknown = sender({ resolve: () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })) });
    expect(await unknown.send(request('http://receiver.test/'))).toEqual({
      kind: 'failed',
      reason: 'the host name is not known',
    });
    const cut = await receiver((_, response) => response.socket?.destroy());
    expect(await from.send(request(cut.url()))).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^the connection was/),
    });
  });

  it('does not keep the sender from its end', async () => {
    const to = await receiver(() => {});
    const from = sender();
    const sent = from.send(request(to.url()));
    while (to.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await from.close();
    expect(await sent).toEqual({ kind: 'failed', reason: 'the server is stopping' });
  });
});
