import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const PUBLIC = new Set([
  'activateUser',
  'checkActivateToken',
  'checkResetToken',
  'requestResetPasswordByEmail',
  'resetPassword',
  'login',
  'loginPublic',
  'getUserPasswordPolicy',
  'refreshToken',
  'getHealth',
  'getReadiness',
  'getMetrics',
  'getOpenApi',
]);

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
}

let t: TestServer;
let operations: readonly Operation[];
let expired: string;

beforeAll(async () => {
  t = await openTestServer();
  expired = (await t.login('admin@example.org', 'correct horse')).json().token;
  t.state.now += 9_001_000;
  const { paths } = (await t.send({ url: '/openapi.json' })).json();
  operations = Object.entries<Record<string, { operationId: string }>>(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId }]) => ({ method: method.toUpperCase(), path, operationId })),
  );
});
afterAll(() => t.server.close());

const call = ({ method, path }: Operation, headers: Record<string, string>) =>
  t.send({
    method: method === 'POST' ? 'POST' : method === 'PUT' ? 'PUT' : method === 'DELETE' ? 'DELETE' : 'GET',
    url: path
      .replace('{entityType}', 'DEVICE')
      .replace('{scope}', 'SERVER_SCOPE')
      .replace('{ttl}', '0')
      .replaceAll(/\{\w+\}/g, ID),
    headers: { 'content-type': 'application/json', ...headers },
    ...(method === 'POST' ? { payload: '{"name":"x"}' } : {}),
  });

describe('every operation that needs a token', () => {
  const guarded = () => operations.filter(({ operationId }) => !PUBLIC.has(operationId));

  it('is one of the known many', () => {
    expect(guarded().length).toBeGreaterThanOrEqual(40);
    expect(operations.filter(({ operationId }) => PUBLIC.has(operationId))).toHaveLength(PUBLIC.size);
  });

  it.each([
    ['no token', () => ({}), 10],
    ['a bad token', () => ({ 'x-authorization': 'Bearer a.b.c' }), 10],
    ['a bad token in Authorization', () => ({ authorization: 'Bearer a.b.c' }), 10],
    ['a refresh token', () => ({ 'x-authorization': `Bearer ${t.refreshToken}` }), 10],
    ['an unknown API key', () => ({ 'x-authorization': 'ApiKey tb_x' }), 10],
    ['an expired token', () => ({ 'x-authorization': `Bearer ${expired}` }), 11],
  ] as const)('TBS-6 TBS-7 TBS-9 TBS-17 answers %s with 401', async (_title, headers, errorCode) => {
    for (const operation of guarded()) {
      const answer = await call(operation, headers());
      expect(answer.statusCode, operation.operationId).toBe(401);
      expect(answer.json(), operation.operationId).toEqual({
        status: 401,
        message: expect.any(String),
        errorCode,
        timestamp: t.state.now,
      });
    }
  });

  it('is reached with a good token', async () => {
    const { token } = (await t.login('admin@example.org', 'correct horse')).json();
    for (const operation of guarded()) {
      const answer = await call(operation, { 'x-authorization': `Bearer ${token}` });
      expect([200, 400, 404], operation.operationId).toContain(answer.statusCode);
      if (operation.operationId === 'logout') break;
    }
  });
});
