import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
let userId: string;

beforeAll(async () => {
  t = await openTestServer({ platform: await registryPlatform(await openTestRegistry(), fakeClaims()) });
  userId = (await t.call('GET', '/api/auth/user')).json().id.id;
});
afterAll(() => t.server.close());

const make = async (parts: object = {}) =>
  t.call('POST', '/api/apiKey', { userId: { entityType: 'USER', id: userId }, description: 'a script', ...parts });
const whoAmI = (headers: Record<string, string>) => t.send({ url: '/api/auth/user', headers });
const refused = (message: string) => ({ status: 401, errorCode: 10, message });

describe('API keys', () => {
  it('TBS-12 work in either header and act for their user; other keys give 401', async () => {
    const { id, value } = (await make()).json();
    for (const header of ['x-authorization', 'authorization']) {
      const answer = await whoAmI({ [header]: `ApiKey ${value}` });
      expect(answer.statusCode).toBe(200);
      expect(answer.json().id.id).toBe(userId);
    }
    expect((await whoAmI({ 'x-authorization': `ApiKey ${value}`, authorization: 'Bearer x' })).statusCode).toBe(200);
    const use = async () => (await whoAmI({ 'x-authorization': `ApiKey ${value}` })).json();
    await t.call('PUT', `/api/apiKey/${id.id}/enabled/false`);
    expect(await use()).toMatchObject(refused('User account is not active'));
    await t.call('PUT', `/api/apiKey/${id.id}/enabled/true`);
    expect((await use()).email).toBe('admin@example.org');
    const expired = (await make({ expirationTime: 1 })).json();
    expect(expired.expired).toBe(true);
    const late = await whoAmI({ 'x-authorization': `ApiKey ${expired.value}` });
    expect(late.json()).toMatchObject(refused('Authentication failed'));
    expect((await t.call('DELETE', `/api/apiKey/${id.id}`)).body).toBe('');
    expect(await use()).toMatchObject(refused('Invalid username or password'));
    const bearer = await whoAmI({ 'x-authorization': `Bearer ${value}` });
    expect(bearer.statusCode).toBe(401);
  });

  it('TBS-13 show their value in the answer to their making alone', async () => {
    const made = (await make({ description: 'shown once', enabled: true, expirationTime: 0 })).json();
    expect(made).toEqual({
      id: { entityType: 'API_KEY', id: expect.any(String) },
      createdTime: expect.any(Number),
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      userId: { entityType: 'USER', id: userId },
      expirationTime: 0,
      description: 'shown once',
      enabled: true,
      expired: false,
      value: expect.stringMatching(/^tb_[A-Za-z0-9_-]{86}$/),
    });
    const { value, ...rest } = made;
    const list = (await t.call('GET', `/api/apiKeys/${userId}?pageSize=10&page=0&textSearch=once`)).json();
    expect(list).toEqual({ data: [rest], totalPages: 1, totalElements: 1, hasNext: false });
    const url = `/api/apiKey/${made.id.id}`;
    const answers = [
      await make({ id: made.id, description: 'again' }),
      await t.call('PUT', `${url}/enabled/true`),
      await t.call('PUT', `${url}/description`, '"renamed"'),
    ];
    for (const answer of answers) {
      expect(answer.statusCode).toBe(200);
      expect(answer.body).not.toContain('value');
      expect(answer.body).not.toContain(value.slice(3));
    }
  });

  it('take their description as plain text or as a JSON string', async () => {
    const { id } = (await make()).json();
    const put = (payload: string, type: string) =>
      t.send({
        method: 'PUT',
        url: `/api/apiKey/${id.id}/description`,
        headers: { 'x-authorization': `Bearer ${t.token}`, 'content-type': type },
        payload,
      });
    expect((await put('plain "words"', 'text/plain')).json().description).toBe('plain "words"');
    expect((await put('"a \\u00fc"', 'application/json')).json().description).toBe('a ü');
    expect((await put('not json', 'application/json')).json().description).toBe('not json');
    expect((await put('   ', 'text/plain')).json()).toMatchObject({ status: 400, errorCode: 31 });
  });

  it('are refused with error objects', async () => {
    expect((await make({ description: null })).json()).toMatchObject({ status: 400, errorCode: 31 });
    const stranger = '00000000-0000-4000-8000-000000000001';
    expect((await make({ userId: { id: stranger } })).json()).toMatchObject({ status: 404, errorCode: 32 });
    expect((await t.call('DELETE', `/api/apiKey/${stranger}`)).json()).toMatchObject({ status: 404, errorCode: 32 });
    expect((await t.call('PUT', `/api/apiKey/${stranger}/enabled/maybe`)).statusCode).toBe(400);
  });

  it('have no session to log out of', async () => {
    const { value } = (await make()).json();
    const headers = { 'x-authorization': `ApiKey ${value}` };
    expect((await t.send({ method: 'POST', url: '/api/auth/logout', headers })).statusCode).toBe(200);
    expect((await whoAmI(headers)).statusCode).toBe(200);
  });
});
