import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: object }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string }[];
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
  readonly security: readonly unknown[];
}

let t: TestServer;
let document: OpenApi;

beforeAll(async () => {
  t = await openTestServer();
  const answer = await t.send({ url: '/openapi.json' });
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  document = answer.json();
});
afterAll(() => t.server.close());

function operations(): { readonly path: string; readonly operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.values(item).map((operation) => ({ path, operation })),
  );
}

function references(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([member, value]) =>
    member === '$ref' && typeof value === 'string' ? [value] : references(value),
  );
}

describe('OpenAPI document', () => {
  it('is of version 3.1 with title, version and servers', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Moorage', version: '0.1.0' },
      servers: [{ url: '/' }],
    });
  });

  it('gives every operation an id of its own, a tag, a summary and an answer', () => {
    const all = operations();
    expect(new Set(all.map(({ operation }) => operation.operationId)).size).toBe(all.length);
    for (const { path, operation } of all) {
      expect(operation.operationId, path).toMatch(/^[a-z][A-Za-z0-9]+$/);
      expect(operation.tags, path).toHaveLength(1);
      expect(operation.summary, path).not.toBe('');
      expect(operation.responses, path).toHaveProperty('200');
    }
  });

  it('declares every parameter of every path', () => {
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name).sort(), path).toEqual(inPath);
    }
  });

  it('resolves every reference, to a component under its own name', () => {
    const all = references(document);
    expect(all.length).toBeGreaterThan(100);
    for (const reference of all) {
      const name = reference.replace('#/components/schemas/', '');
      expect(document.components.schemas, reference).toHaveProperty(name);
    }
    expect(Object.keys(document.components.schemas)).not.toContain('def-0');
  });

  it('says which operations need no token', () => {
    const open = operations()
      .filter(({ operation }) => operation.security?.length === 0)
      .map(({ operation }) => operation.operationId);
    expect(open.sort()).toEqual([
      'activateUser',
      'checkActivateToken',
      'checkResetToken',
      'getHealth',
      'getMetrics',
      'getOpenApi',
      'getReadiness',
      'getUserPasswordPolicy',
      'login',
      'loginPublic',
      'refreshToken',
      'requestResetPasswordByEmail',
      'resetPassword',
    ]);
    expect(document.security).toEqual([{ bearer: [] }, { xAuthorization: [] }]);
  });

  it('gives refusals their own media types, whatever that of the success is', () => {
    const content = (operationId: string, status: string) => {
      const found = operations().find(({ operation }) => operation.operationId === operationId);
      return Reflect.get(found?.operation.responses[status] ?? {}, 'content');
    };
    const refusal = { 'application/json': { schema: { $ref: '#/components/schemas/ErrorObject' } } };
    expect(content('getCustomerTitle', '4XX')).toEqual(refusal);
    expect(content('downloadOtaPackage', '5XX')).toEqual(refusal);
    expect(content('getTimeseries', '4XX')).toEqual({ ...refusal, 'text/plain': { schema: { type: 'string' } } });
    expect(Object.keys(content('streamDevice', '200'))).toEqual(['text/event-stream']);
    expect(content('handleTwoWayDeviceRPCRequestV2', '504')).toBeUndefined();
  });

  it('says of bodies whether they are needed, and when they are plain text', () => {
    const body = (operationId: string) =>
      operations().find(({ operation }) => operation.operationId === operationId)?.operation.requestBody;
    expect(body('claimDevice')).toMatchObject({ required: false, content: { 'application/json': {} } });
    expect(body('saveDevice')).toMatchObject({ required: true });
    expect(body('updateApiKeyDescription')).toMatchObject({
      content: { 'text/plain': { schema: { type: 'string' } } },
    });
  });

  it('describes every tag and every answer', () => {
    const declared = document.tags.map(({ name }) => name);
    for (const { path, operation } of operations()) {
      expect(declared, path).toEqual(expect.arrayContaining([...operation.tags]));
      for (const answer of Object.values(operation.responses)) expect(answer, path).toHaveProperty('description');
      expect(JSON.stringify(operation.responses), path).not.toContain('Default Response');
    }
  });

  it('has the calls of the first release', () => {
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/api/auth/login',
        '/api/auth/token',
        '/api/device',
        '/api/device/{id}',
        '/api/device/{deviceId}/connectionGuide',
        '/api/tenant/devices',
        '/api/deviceProfile/{id}/default',
        '/api/application',
        '/api/plugins/telemetry/{entityType}/{entityId}/values/timeseries',
        '/api/plugins/telemetry/{entityType}/{entityId}/timeseries/{scope}/{ttl}',
        '/api/plugins/telemetry/{deviceId}/{scope}',
      ]),
    );
  });
});
