import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createCoapServer } from '@moorage/coap';
import { type Platform, ValueKind } from '@moorage/core';
import { createHttpServer } from '@moorage/http';
import { FakeTime } from '@moorage/testkit';
import { request as coapRequest, type IncomingMessage } from 'coap';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCoapRoutes } from '../coap-routes.ts';
import { createHttpRoutes } from '../http-routes.ts';
import { FakeDesk, fakePackage, TOKEN } from './testing/fake-desk.ts';

const COAP_CLI = fileURLToPath(new URL('../../../../node_modules/.bin/coap', import.meta.url));

let time: FakeTime;
let desk: FakeDesk;
let close: () => Promise<void>;

beforeEach(() => {
  time = new FakeTime();
  desk = new FakeDesk(time);
});
afterEach(() => close());

interface Result {
  readonly out: Buffer;
  readonly error: string;
}

function run(command: string, options: readonly string[]): Promise<Result> {
  return new Promise((resolve, reject) => {
    execFile(command, options, { encoding: 'buffer', timeout: 20_000 }, (failure, out, error) =>
      failure === null ? resolve({ out, error: error.toString() }) : reject(failure),
    );
  });
}

describe('curl', () => {
  let base: string;

  beforeEach(async () => {
    const server = await createHttpServer({
      // The API of users is not called here.
      platform: {} as Platform,
      clock: time,
      signingKey: new Uint8Array(randomBytes(64)),
      issuer: 'test.example.org',
      version: '0',
      logger: false,
      health: () => ({ ready: true, checks: [] }),
      connectionGuide: () => undefined,
      connections: { logOf: () => [], recent: () => [], disconnect: () => undefined },
      deviceApi: { routes: createHttpRoutes(), desk },
    });
    base = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}/api/v1`;
    close = () => server.close();
  });

  const curl = async (path: string, ...options: string[]) => {
    const { out } = await run('curl', ['-sS', '-w', '\n%{http_code}', ...options, `${base}/${path}`]);
    const text = out.toString('latin1');
    const end = text.lastIndexOf('\n');
    return { status: Number(text.slice(end + 1)), body: text.slice(0, end) };
  };

  it('TB-97 posts telemetry as in the documentation', async () => {
    const header = ['-H', 'Content-Type:application/json'];
    expect(await curl(`${TOKEN}/telemetry`, '-X', 'POST', '-d', '{temperature:25}', ...header)).toEqual({
      status: 200,
      body: '',
    });
    expect(await curl('unknown/telemetry', '-X', 'POST', '-d', '{temperature:25}')).toEqual({ status: 401, body: '' });
    expect(desk.submitted).toMatchObject([[{ kind: 'telemetry', points: { keys: ['temperature'] } }]]);
  });

  it('TB-98 polls for an RPC and answers it; 408 when the time is over', async () => {
    desk.heard = () => desk.command({ kind: 'rpc', id: '1', method: 'getPin', params: '"4"' });
    const got = await curl(`${TOKEN}/rpc?timeout=20000`);
    expect(got).toEqual({ status: 200, body: '{"id":1,"method":"getPin","params":"4"}' });
    expect((await curl(`${TOKEN}/rpc/1`, '-d', '{"pin":1}')).status).toBe(200);
    expect(desk.submitted.at(-1)).toEqual([{ kind: 'rpcResponse', id: '1', payload: '{"pin":1}' }]);
    desk.heard = () => time.advance(1000);
    expect(await curl(`${TOKEN}/attributes/updates?timeout=1000`)).toEqual({ status: 408, body: '' });
  });

  it('TB-99 is told the limit', async () => {
    const { status, body } = await curl(`${TOKEN}/rpc`, '-d', 'x'.repeat(65_537));
    expect(status).toBe(413);
    expect(JSON.parse(body)).toContain('65536');
  });

  it('TB-86 downloads a package', async () => {
    const fake = fakePackage(300_000);
    desk.packages.FIRMWARE = fake;
    const { status, body } = await curl(`${TOKEN}/firmware?title=blinker&version=1.0`);
    expect(status).toBe(200);
    expect(Buffer.from(body, 'latin1').equals(Buffer.from(fake.file))).toBe(true);
    expect(fake.closed).toBe(1);
    const head = await run('curl', [
      '-sS',
      '-D',
      '-',
      '-o',
      '/dev/null',
      `${base}/${TOKEN}/firmware?title=blinker&version=1.0`,
    ]);
    expect(head.out.toString()).toMatch(/x-filename: blinker-1.0.bin\r\n/i);
    expect(head.out.toString()).toMatch(/content-length: 300000\r\n/i);
  });

  it('TB-76 provisions', async () => {
    desk.provisioning = { status: 'NOT_FOUND' };
    const body = '{"provisionDeviceKey":"k","provisionDeviceSecret":"s"}';
    expect((await curl('provision', '-d', body)).status).toBe(200);
  });
});

describe('CoAP clients', () => {
  let port: number;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    const server = createCoapServer({
      host: '127.0.0.1',
      port: 0,
      routes: createCoapRoutes(),
      desk,
      clock: time,
      scheduler: time,
    });
    port = await server.start();
    close = async () => {
      await server.close();
      await Promise.all(
        children.splice(0).map(
          (child) =>
            new Promise<void>((resolve) => {
              child.once('close', () => resolve());
              child.kill();
            }),
        ),
      );
    };
  });

  const url = (path: string) => `coap://127.0.0.1:${port}/${path}`;
  const cli = (...options: string[]) => run(COAP_CLI, options);

  it('TB-100 coap-cli posts telemetry and attributes and reads attributes', async () => {
    expect((await cli('post', '-p', '{temperature:25}', url(`api/v1/${TOKEN}/telemetry`))).error).toContain('(2.01)');
    expect((await cli('post', '-p', '{"a":1}', url(`api/v1/${TOKEN}/attributes`))).error).toContain('(2.01)');
    expect((await cli('get', url(`api/v1/${TOKEN}/attributes`))).error).toContain('(4.04)');
    desk.shared = [{ scope: 'SHARED', key: 's', kind: ValueKind.Long, value: 3, lastUpdateTs: 1 }];
    const found = await cli('get', url(`api/v1/${TOKEN}/attributes`));
    expect(found.error).toContain('(2.05)');
    expect(found.out.toString()).toBe('{"shared":{"s":3}}\n');
    expect(desk.submitted.flat().map(({ kind }) => kind)).toEqual(['telemetry', 'attributes']);
  });

  it('TB-101 coap-cli answers an RPC; a bad token gives 4.01, bad JSON 4.00', async () => {
    expect((await cli('post', '-p', '{"ok":true}', url(`api/v1/${TOKEN}/rpc/5`))).error).toContain('(2.01)');
    expect(desk.submitted).toEqual([[{ kind: 'rpcResponse', id: '5', payload: '{"ok":true}' }]]);
    expect((await cli('post', '-p', '{"ok":true}', url('api/v1/unknown/rpc/5'))).error).toContain('(4.01)');
    expect((await cli('post', '-p', '{"ok"', url(`api/v1/${TOKEN}/rpc/5`))).error).toContain('(4.00)');
    expect((await cli('get', url(`api/v1/${TOKEN}/telemetry`))).error).toContain('(4.00)');
    expect((await cli('post', '-p', 'x', url(`fw/${TOKEN}`))).error).toContain('(4.05)');
  });

  it('TB-100 coap-cli observes shared attributes', async () => {
    desk.shared = [{ scope: 'SHARED', key: 's', kind: ValueKind.Long, value: 3, lastUpdateTs: 1 }];
    const child = spawn(COAP_CLI, ['get', '-o', url(`api/v1/${TOKEN}/attributes`)]);
    children.push(child);
    let out = '';
    const until = (text: string) =>
      new Promise<void>((resolve) => {
        const look = (chunk?: Buffer): void => {
          out += chunk?.toString() ?? '';
          if (!out.includes(text)) return;
          child.stdout.off('data', look);
          resolve();
        };
        child.stdout.on('data', look);
        look();
      });
    await until('{"s":3}');
    const values = new Map([['s', { kind: ValueKind.Long, value: 4 }]]);
    expect(desk.command({ kind: 'sharedAttributes', values, deleted: null })).toBe(true);
    await until('{"s":4}');
    expect(desk.command({ kind: 'sharedAttributes', values: null, deleted: ['s'] })).toBe(true);
    await until('{"deleted":["s"]}');
    expect(out.trim().split('\n')).toEqual(['{"s":3}', '{"s":4}', '{"deleted":["s"]}']);
    expect(desk.deliveries[0]).toBe(true);
  });

  it.each([undefined, '2'])('TB-102 coap-cli downloads a package block by block (size option %s)', async (block) => {
    const fake = fakePackage(20_000);
    fake.file.forEach((byte, index) => {
      // coap-cli writes what it got as text.
      fake.file[index] = 0x61 + (byte % 26);
    });
    desk.packages.FIRMWARE = fake;
    const options = block === undefined ? [] : ['-b', block];
    const { out } = await cli('get', '-q', '-n', ...options, url(`fw/${TOKEN}`));
    expect(out.toString().trimEnd()).toBe(Buffer.from(fake.file).toString());
    expect(fake.reads.length).toBe(block === undefined ? 20 : 313);
  });

  it('TB-102 the client of the coap package downloads any bytes, with parameters', async () => {
    const fake = fakePackage(100_000);
    desk.packages.SOFTWARE = fake;
    const got = await new Promise<IncomingMessage>((resolve, reject) => {
      const query = 'title=blinker&version=1.0';
      const out = coapRequest({ hostname: '127.0.0.1', port, pathname: `/sw/${TOKEN}`, query });
      out.on('response', resolve);
      out.on('error', reject);
      out.end();
    });
    expect(got.code).toBe('2.05');
    expect(Buffer.from(got.payload).equals(Buffer.from(fake.file))).toBe(true);
    expect(fake.reads).toHaveLength(98);
  });

  it('TB-76 coap-cli provisions: 2.01, or 4.00 with the reason', async () => {
    const body = '{"provisionDeviceKey":"k","provisionDeviceSecret":"s"}';
    desk.provisioning = { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: 'new' };
    const success = await cli('post', '-p', body, url('api/v1/provision'));
    expect(success.error).toContain('(2.01)');
    expect(JSON.parse(success.out.toString())).toMatchObject({ status: 'SUCCESS', credentialsValue: 'new' });
    desk.provisioning = { status: 'FAILURE', reason: 'taken' };
    const failure = await cli('post', '-p', body, url('api/v1/provision'));
    expect(failure.error).toContain('(4.00)');
    expect(JSON.parse(failure.out.toString())).toMatchObject({ status: 'FAILURE' });
  });
});
