import { request as httpRequest } from 'node:http';
import { type Caller, type RpcReply, type RpcRequest, refuse, success } from '@moorage/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
let device: string;
let asked: { readonly caller: Caller; readonly deviceId: string; readonly request: RpcRequest }[];
let outcome: RpcReply;

beforeEach(async () => {
  t = await openTestServer();
  device = await t.device();
  asked = [];
  outcome = { kind: 'sent' };
  t.platform.rpc.call = async (caller, deviceId, request) => {
    asked.push({ caller, deviceId, request });
    return success(outcome);
  };
});
afterEach(() => t.server.close());

const V2 = '/api/rpc';
const V1 = '/api/plugins/rpc';
const post = (body: string | object, path = `${V2}/twoway`) => t.call('POST', `${path}/${device}`, body);

describe('a call of a method of a device', () => {
  it('hands everything over that the body says', async () => {
    const requestUUID = '784F394C-42B6-435A-983C-B7BEFF784F39';
    await post({
      method: 'setGpio',
      params: { pin: 7 },
      timeout: 7000,
      expirationTime: 1_800_000_000_000,
      persistent: true,
      retries: 3,
      additionalInfo: { why: 'test' },
      requestUUID,
    });
    expect(asked).toMatchObject([
      {
        deviceId: device,
        caller: { authority: 'TENANT_ADMIN' },
        request: {
          method: 'setGpio',
          params: '{"pin":7}',
          oneway: false,
          timeoutMs: 7000,
          expirationTime: 1_800_000_000_000,
          persistent: true,
          retries: 3,
          additionalInfo: { why: 'test' },
          requestId: requestUUID.toLowerCase(),
        },
      },
    ]);
  });

  it('leaves to the platform what the body does not say', async () => {
    for (const body of [{ method: 'm' }, { method: 'm', timeout: null, requestUUID: null, persistent: null }]) {
      await post(body, `${V2}/oneway`);
    }
    const nothing = { timeoutMs: null, expirationTime: null, persistent: false, retries: null, requestId: null };
    for (const { request } of asked)
      expect(request).toEqual({ ...nothing, method: 'm', params: 'null', oneway: true, additionalInfo: null });
  });

  it.each(['null', '1.0', '9007199254740993', '"s"', '[1,{"a":null}]', '{"a":1e3}'])(
    'TB-59 leaves params as they are written: %s',
    async (params) => {
      await post(`{"params":${params},"method":"m"}`);
      expect(asked[0]?.request.params).toBe(params);
    },
  );

  it('takes numbers and truth values that are texts', async () => {
    await post({ method: 'm', timeout: '7000', expirationTime: '1800000000000', persistent: 'true', retries: '2' });
    expect(asked[0]?.request).toMatchObject({
      timeoutMs: 7000,
      expirationTime: 1_800_000_000_000,
      persistent: true,
      retries: 2,
    });
  });

  it('takes bodies of any content type', async () => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', undefined]) {
      const answer = await t.send({
        method: 'POST',
        url: `${V2}/oneway/${device}`,
        headers: { 'x-authorization': `Bearer ${t.token}`, ...(type === undefined ? {} : { 'content-type': type }) },
        payload: '{"method":"m"}',
      });
      expect(answer.statusCode, type).toBe(200);
    }
    expect(asked).toHaveLength(4);
  });

  it.each([
    ['', 'The body is not valid JSON'],
    ['{', 'The body is not valid JSON'],
    ['[]', 'The body must be an object'],
    ['null', 'The body must be an object'],
    ['{"params":1}', "'method' is missing in the body"],
    ['{"method":null}', "'method' is missing in the body"],
    ['{"method":""}', "'method' is missing in the body"],
    ['{"method":{}}', "'method' in the body must be a text"],
    ['{"__proto__":{"method":"m"}}', "'method' is missing in the body"],
    ['{"method":"m","timeout":"soon"}', "'timeout' in the body must be a whole number"],
    ['{"method":"m","expirationTime":{}}', "'expirationTime' in the body must be a whole number"],
    ['{"method":"m","retries":true}', "'retries' in the body must be a whole number"],
    ['{"method":"m","persistent":"maybe"}', "'persistent' in the body must be true or false"],
    ['{"method":"m","requestUUID":"7"}', 'Invalid UUID string: 7'],
    [`{"method":"m","params":${'['.repeat(40)}${']'.repeat(40)}}`, 'The JSON is nested deeper than 32 levels'],
  ])('TBS-72 is refused with an error object for the body %.40s', async (body, message) => {
    for (const path of [`${V2}/oneway`, `${V1}/twoway`]) {
      const answer = await post(body, path);
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toEqual({ status: 400, message, errorCode: 31, timestamp: t.state.now });
    }
    expect(asked).toEqual([]);
  });

  it('is refused for bytes that are not UTF-8, and for a body that is too large', async () => {
    const headers = { 'x-authorization': `Bearer ${t.token}` };
    const url = `${V2}/oneway/${device}`;
    const bytes = Buffer.from('7b226d6574686f64223a22ff227d', 'hex');
    expect((await t.send({ method: 'POST', url, headers, payload: bytes })).statusCode).toBe(400);
    const large = await post(`{"method":"m","params":"${'x'.repeat(1_100_000)}"}`);
    expect([large.statusCode, large.json().errorCode]).toEqual([413, 31]);
  });
});

describe('the answer to a call', () => {
  it.each([
    ['one-way, sent', { kind: 'sent' }, 200, 200],
    ['not answered in time', { kind: 'timeout' }, 504, 408],
    ['no subscription in time', { kind: 'offline' }, 504, 409],
    ['past at once', { kind: 'expired' }, 504, 408],
    ['an answer that is not JSON', { kind: 'answer', payload: 'x', json: false }, 406, 406],
  ] as const)('%s is empty with the status of its path', async (_, reply, v2, v1) => {
    outcome = reply;
    const answers = [await post({ method: 'm' }), await post({ method: 'm' }, `${V1}/twoway`)];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([v2, v1]);
    expect(answers.map(({ body }) => body)).toEqual(['', '']);
  });

  it('is the JSON of the device as it is', async () => {
    outcome = { kind: 'answer', payload: '{"big":9007199254740993, "d":1.0}', json: true };
    for (const path of [`${V2}/twoway`, `${V1}/twoway`]) {
      const answer = await post({ method: 'm' }, path);
      expect([answer.statusCode, answer.body]).toEqual([200, '{"big":9007199254740993, "d":1.0}']);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    }
  });

  it.each([0, 2])('to a command that was published for %i receivers is their number', async (receivers) => {
    outcome = { kind: 'routed', receivers };
    for (const path of [`${V2}/oneway`, `${V2}/twoway`, `${V1}/oneway`, `${V1}/twoway`]) {
      const answer = await post({ method: 'm' }, path);
      expect([answer.statusCode, answer.body]).toEqual([200, `{"receivers":${receivers}}`]);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    }
  });

  it('to a command that the device could not take is 413 with an error object', async () => {
    outcome = { kind: 'tooLarge', message: 'More than 256 bytes' };
    for (const path of [`${V2}/oneway`, `${V1}/twoway`]) {
      const answer = await post({ method: 'm' }, path);
      expect(answer.statusCode).toBe(413);
      expect(answer.json()).toEqual({
        status: 413,
        message: 'More than 256 bytes',
        errorCode: 31,
        timestamp: t.state.now,
      });
    }
  });

  it('to a persistent call is its id', async () => {
    outcome = { kind: 'persistent', rpcId: '784f394c-42b6-435a-983c-b7beff784f39' };
    for (const path of [`${V2}/oneway`, `${V1}/twoway`]) {
      const answer = await post({ method: 'm', persistent: true }, path);
      expect([answer.statusCode, answer.json()]).toEqual([200, { rpcId: '784f394c-42b6-435a-983c-b7beff784f39' }]);
    }
  });

  it.each([
    [refuse('notFound'), 404, "Device with requested id wasn't found!"],
    [refuse('permissionDenied'), 403, "You don't have permission to perform this operation!"],
    [refuse('tooManyRequests', 'Too many'), 429, 'Too many'],
    [refuse('storageFull'), 507, 'The storage is full'],
    [refuse('notImplemented', 'No commands'), 501, 'No commands'],
  ])('is a bare sentence for the refusal %#', async (refusal, status, sentence) => {
    t.platform.rpc.call = async () => refusal;
    for (const path of [`${V2}/twoway`, `${V1}/oneway`]) {
      const answer = await post({ method: 'm' }, path);
      expect([answer.statusCode, answer.body]).toEqual([status, sentence]);
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    }
  });

  it('is an error object for a malformed id', async () => {
    const answer = await t.call('POST', `${V2}/twoway/7`, { method: 'm' });
    expect([answer.statusCode, answer.json().message]).toEqual([400, 'Invalid UUID string: 7']);
  });

  it('is 404 for other paths of the family', async () => {
    for (const url of [`${V2}/threeway/${device}`, `${V1}/persistent/${device}`]) {
      expect((await t.call('POST', url, { method: 'm' })).statusCode).toBe(404);
    }
  });
});

describe('a client that goes away', () => {
  it('ends its call', async () => {
    const port = await t.server.listen('127.0.0.1', 0);
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    t.platform.rpc.call = (_caller, _deviceId, _request, hold) =>
      new Promise((resolve) => {
        hold?.(() => {
          resolve(success({ kind: 'abandoned' }));
          ended.resolve();
        });
        begun.resolve();
      });
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: `${V2}/twoway/${device}`,
      headers: { 'x-authorization': `Bearer ${t.token}` },
    });
    request.on('error', () => {});
    request.end('{"method":"m"}');
    await begun.promise;
    request.destroy();
    await ended.promise;
  });
});
