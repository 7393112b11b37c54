import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { type JsonObject, listIn, type Operation, objectIn, operationsOf } from './openapi-structure.ts';
import { type MadeRequest, mutated, RequestMaker, randomNumbers } from './request-maker.ts';

const REQUESTS = 1000;
const WANTED = process.env.PROPERTY_SEED ?? '20250101';
/** The same in every run, as for property tests; `random` explores others. */
const SEED = WANTED === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(WANTED);
/** Without end, or it would stop the others. */
const LEFT_OUT = ['streamDevice'];
/** They tell nothing of what was wrong. */
const SIGN_IN = ['/api/auth/login', '/api/auth/login/public', '/api/auth/token'];

const server = new MoorageProcess();
let document: JsonObject;
let operations: readonly Operation[];
let maker: RequestMaker;
let key = '';

beforeAll(async () => {
  await server.start();
  document = (await (await fetch(`${server.baseUrl}/openapi.json`)).json()) as JsonObject;
  operations = operationsOf(document).filter(({ operation }) => !LEFT_OUT.includes(String(operation.operationId)));
  const api = new ApiClient(server);
  await api.login();
  const device = (await api.call('POST', '/api/device', { name: 'Target' })).body;
  const { body: user } = await api.call('GET', '/api/auth/user');
  // A key, since one of the calls is the log-out.
  key = (await api.call('POST', '/api/apiKey', { userId: user.id, description: 'mutations', enabled: true })).body
    .value;
  maker = new RequestMaker(document, {
    id: '11111111-2222-4333-8444-555555555555',
    entityId: device.id.id,
    entityType: 'DEVICE',
    deviceProfileId: device.deviceProfileId.id,
    scope: 'SERVER_SCOPE',
    email: 'target@example.org',
    pageSize: 10,
    page: 0,
    ttl: '0',
  });
});
afterAll(() => server.dispose());

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function send({ method, path }: Operation, request: MadeRequest): Promise<Answer> {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name) => encodeURIComponent(text(request.path[name] ?? null)));
  const query = new URLSearchParams(
    Object.entries(request.query).map(([name, value]): [string, string] => [name, text(value)]),
  );
  const response = await fetch(`${server.baseUrl}${filled}?${query}`, {
    method: method.toUpperCase(),
    redirect: 'manual',
    headers: {
      'x-authorization': `ApiKey ${key}`,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  });
  return { status: response.status, text: await response.text() };
}

/** Failures that the document promises: not offered, storage full, and what an operation itself lists. */
function allowed({ operation }: Operation, status: number): boolean {
  return (
    status < 500 || status === 501 || status === 507 || objectIn(operation.responses)[String(status)] !== undefined
  );
}

/** Refused by sentences of their own, with no schema in between. */
function answersBareSentences({ operation }: Operation): boolean {
  return objectIn(objectIn(objectIn(operation.responses)['4XX']).content)['text/plain'] !== undefined;
}

describe('requests that are not as documented', () => {
  it(`never fail inside: ${REQUESTS} mutations of all operations`, { timeout: 120_000 }, async () => {
    const random = randomNumbers(SEED);
    const statuses = new Map<number, number>();
    for (let done = 0; done < REQUESTS; done++) {
      const operation = operations[done % operations.length];
      if (operation === undefined) throw new Error('the document has no operations');
      const request = mutated(maker.make(operation, random(2) === 0), random);
      const { status, text } = await send(operation, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const what = `seed ${SEED}, request ${done}: ${operation.method} ${operation.path} ${JSON.stringify(request)}: ${text}`;
      expect(allowed(operation, status), what.slice(0, 3000)).toBe(true);
    }
    expect(server.log).not.toContain('"level":"error"');
    // Not everything is refused at the door, and most is.
    expect(statuses.get(200)).toBeGreaterThan(REQUESTS / 50);
    expect(statuses.get(400)).toBeGreaterThan(REQUESTS / 5);
  });

  it('name the member of the body that is wrong', async () => {
    let tried = 0;
    for (const operation of operations) {
      const schema = maker.bodySchema(operation);
      if (schema === undefined || answersBareSentences(operation)) continue;
      const request = maker.make(operation, false);
      for (const [name, member] of Object.entries(objectIn(schema.properties))) {
        const types = [maker.resolved(member).type].flat();
        if (types.every((type) => type === undefined)) continue;
        const wrong = types.includes('string') ? { not: 'a text' } : 'wrong';
        const { status, text } = await send(operation, {
          ...request,
          body: { ...objectIn(request.body), [name]: wrong },
        });
        tried++;
        const where = `${operation.method} ${operation.path}: ${name}: ${text}`;
        expect(status, where).toBe(SIGN_IN.includes(operation.path) ? 401 : 400);
        if (status === 400) expect(text, where).toContain(`'${name}`);
      }
      for (const name of listIn(schema.required).map(String)) {
        const { [name]: _gone, ...rest } = objectIn(request.body);
        const { status, text } = await send(operation, { ...request, body: rest as JsonObject });
        if (status === 400) expect(text, `${operation.path}: ${name}`).toContain(`'${name}'`);
      }
    }
    expect(tried).toBeGreaterThan(100);
  });

  it('name the parameter that is wrong', async () => {
    let tried = 0;
    for (const operation of operations) {
      const request = maker.make(operation, false);
      for (const parameter of listIn(operation.operation.parameters).map(objectIn)) {
        const { type, format, enum: values } = maker.resolved(parameter.schema);
        if (type !== 'integer' && type !== 'boolean' && format !== 'uuid' && values === undefined) continue;
        const place = parameter.in === 'path' ? 'path' : 'query';
        const wrong = { ...request, [place]: { ...request[place], [String(parameter.name)]: 'no such value' } };
        const { status, text } = await send(operation, wrong);
        tried++;
        const where = `${operation.method} ${operation.path}: ${parameter.name}: ${status} ${text}`;
        expect(status, where).toBe(400);
        expect(text, where).toMatch(
          new RegExp(`'?${parameter.name}|Invalid UUID string: no such value|no such value`, 'i'),
        );
      }
    }
    expect(tried).toBeGreaterThan(200);
  });
});
