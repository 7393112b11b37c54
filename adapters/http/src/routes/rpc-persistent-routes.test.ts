import { type PageQuery, type RpcRecord, type RpcStatus, refuse, success } from '@moorage/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TENANT_ID } from '../testing/fake-state.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const ID = '784f394c-42b6-435a-983c-b7beff784f39';
const BARE = 'text/plain; charset=utf-8';
let t: TestServer;
let device: string;
let record: RpcRecord;

beforeEach(async () => {
  t = await openTestServer();
  device = await t.device();
  record = {
    id: ID,
    createdTime: 1,
    tenantId: TENANT_ID,
    deviceId: device,
    method: 'set"Gpio',
    params: '{"big":9007199254740993}',
    oneway: false,
    expirationTime: 60_001,
    retries: 5,
    attempts: 1,
    status: 'SUCCESSFUL',
    response: '[1.0]',
    additionalInfo: { why: 'test' },
  };
});
afterEach(() => t.server.close());

describe('a persistent RPC', () => {
  it('is shown with its request, response and state', async () => {
    const seen: string[] = [];
    t.platform.rpc.get = async (_caller, id) => {
      seen.push(id);
      return success(record);
    };
    const answer = await t.call('GET', `/api/rpc/persistent/${ID.toUpperCase()}`);
    expect(seen).toEqual([ID]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const tenantId = { entityType: 'TENANT', id: TENANT_ID };
    const deviceId = { entityType: 'DEVICE', id: device };
    expect(answer.json()).toEqual({
      id: { entityType: 'RPC', id: ID },
      createdTime: 1,
      tenantId,
      deviceId,
      expirationTime: 60_001,
      request: {
        id: ID,
        tenantId,
        deviceId,
        oneway: false,
        expirationTime: 60_001,
        body: { method: 'set"Gpio', params: { big: Number('9007199254740993') } },
        persisted: true,
        retries: 5,
        additionalInfo: { why: 'test' },
      },
      response: [1],
      status: 'SUCCESSFUL',
      additionalInfo: { why: 'test' },
    });
    expect(answer.body).toContain('"params":{"big":9007199254740993}');
    expect(answer.body).toContain('"response":[1.0]');
  });

  it('has null where there is nothing', async () => {
    record = { ...record, params: 'null', response: null, additionalInfo: null, status: 'QUEUED' };
    t.platform.rpc.get = async () => success(record);
    const answer = (await t.call('GET', `/api/rpc/persistent/${ID}`)).json();
    expect(answer).toMatchObject({ response: null, additionalInfo: null, request: { body: { params: null } } });
  });

  it('is refused with a bare sentence, and with an error object for a malformed id', async () => {
    for (const method of ['GET', 'DELETE'] as const) {
      const missing = await t.call(method, `/api/rpc/persistent/${ID}`);
      expect([missing.statusCode, missing.body]).toEqual([404, `Rpc with id [${ID}] is not found`]);
      expect(missing.headers['content-type']).toBe(BARE);
      const malformed = await t.call(method, '/api/rpc/persistent/7');
      expect([malformed.statusCode, malformed.json().errorCode]).toEqual([400, 31]);
    }
  });

  it('is deleted with an empty answer', async () => {
    t.platform.rpc.remove = async () => success(null);
    const answer = await t.call('DELETE', `/api/rpc/persistent/${ID}`);
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    t.platform.rpc.remove = async () => refuse('permissionDenied');
    expect((await t.call('DELETE', `/api/rpc/persistent/${ID}`)).statusCode).toBe(403);
  });
});

describe('the persistent RPC of a device', () => {
  let asked: { readonly id: string; readonly query: PageQuery; readonly status: RpcStatus | null }[];
  const list = (query: string) => t.call('GET', `/api/rpc/persistent/device/${device}?${query}`);

  beforeEach(() => {
    asked = [];
    t.platform.rpc.list = async (_caller, id, query, status) => {
      asked.push({ id, query, status });
      return success({ data: [record, record], totalPages: 2, totalElements: 3, hasNext: true });
    };
  });

  it('are paged, in any state or in one', async () => {
    const answer = await list('pageSize=2&page=0');
    expect(answer.json()).toMatchObject({
      data: [{ id: { id: ID } }, { id: { id: ID } }],
      totalPages: 2,
      totalElements: 3,
      hasNext: true,
    });
    await list('pageSize=2&page=1&rpcStatus=queued&textSearch=gpio&sortProperty=createdTime&sortOrder=DESC');
    expect(asked).toEqual([
      {
        id: device,
        query: { pageSize: 2, page: 0, textSearch: null, sortProperty: null, sortOrder: 'ASC' },
        status: null,
      },
      {
        id: device,
        query: { pageSize: 2, page: 1, textSearch: 'gpio', sortProperty: 'createdTime', sortOrder: 'DESC' },
        status: 'QUEUED',
      },
    ]);
  });

  it.each([
    ['pageSize=2&page=0&rpcStatus=DELETED', 'RpcStatus: DELETED'],
    [
      'pageSize=2&page=0&rpcStatus=MOON',
      "'rpcStatus' in the query must be one of QUEUED, SENT, DELIVERED, SUCCESSFUL, TIMEOUT, EXPIRED, FAILED, DELETED",
    ],
    ['page=0', "'pageSize' is missing in the query"],
    ['pageSize=0&page=0', "'pageSize' in the query must be at least 1"],
  ])('are refused for ?%s', async (query, sentence) => {
    const answer = await list(query);
    expect([answer.statusCode, answer.body]).toEqual([400, sentence]);
    expect(asked).toEqual([]);
  });

  it('are refused with a bare sentence if there is no such device', async () => {
    t.platform.rpc.list = async () => refuse('notFound');
    const answer = await list('pageSize=2&page=0');
    expect([answer.statusCode, answer.body]).toEqual([404, "Device with requested id wasn't found!"]);
  });
});
