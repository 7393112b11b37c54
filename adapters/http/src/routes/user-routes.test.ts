import { openTestRegistry } from '@moorage/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeClaims } from '../testing/fake-customers.ts';
import { registryPlatform } from '../testing/registry-platform.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const PASSWORD = 'a battery staple';

let t: TestServer;
let customerId: string;

beforeAll(async () => {
  t = await openTestServer({ platform: await registryPlatform(await openTestRegistry(), fakeClaims()) });
  customerId = (await t.call('POST', '/api/customer', { title: 'Yard' })).json().id.id;
});
afterAll(() => t.server.close());

const idInput = () => ({ entityType: 'CUSTOMER', id: customerId });
const create = (email: string, parts: object = {}) =>
  t.call('POST', '/api/user?sendActivationMail=false', {
    email,
    authority: 'CUSTOMER_USER',
    customerId: idInput(),
    ...parts,
  });
const idOf = async (email: string): Promise<string> => (await create(email)).json().id.id;
const linkOf = async (id: string) => new URL((await t.call('GET', `/api/user/${id}/activationLink`)).body);
const post = (url: string, payload: object) => t.send({ method: 'POST', url, payload });
const as = (token: string, url: string) => t.send({ url, headers: { 'x-authorization': `Bearer ${token}` } });

/** A user with a password, and a token of it. */
async function activated(email: string) {
  const id = await idOf(email);
  const activateToken = (await linkOf(id)).searchParams.get('activateToken');
  const pair = (await post('/api/noauth/activate', { activateToken, password: PASSWORD })).json();
  return { id, ...pair };
}

describe('users', () => {
  it('have the shape of ThingsBoard', async () => {
    const answer = await create('Ann@Example.org', { firstName: 'Ann', additionalInfo: { lang: 'en' } });
    expect(answer.statusCode).toBe(200);
    const user = answer.json();
    expect(user).toEqual({
      id: { entityType: 'USER', id: expect.any(String) },
      createdTime: expect.any(Number),
      tenantId: { entityType: 'TENANT', id: expect.any(String) },
      customerId: idInput(),
      email: 'ann@example.org',
      name: 'ann@example.org',
      authority: 'CUSTOMER_USER',
      firstName: 'Ann',
      lastName: null,
      phone: null,
      additionalInfo: { lang: 'en' },
      version: 1,
    });
    const found = (await t.call('GET', `/api/user/${user.id.id}`)).json();
    expect(found).toEqual({ ...user, additionalInfo: { lang: 'en', userCredentialsEnabled: false } });
    const saved = (await t.call('POST', '/api/user', { ...found, lastName: 'Lee' })).json();
    expect(saved).toMatchObject({ lastName: 'Lee', additionalInfo: { lang: 'en' }, version: 2 });
    const ofCustomer = await t.call('GET', `/api/customer/${customerId}/users?pageSize=10&page=0`);
    expect(ofCustomer.json()).toMatchObject({ totalElements: 1, data: [{ email: 'ann@example.org' }] });
    const all = (await t.call('GET', '/api/users?pageSize=10&page=0&sortProperty=email')).json();
    expect(all.data.map(({ email }: { email: string }) => email)).toEqual(['admin@example.org', 'ann@example.org']);
  });

  it('are refused with the sentences of ThingsBoard', async () => {
    await create('twice@example.org');
    expect((await create('twice@example.org')).json()).toMatchObject({
      status: 400,
      errorCode: 31,
      message: 'User with such email already exists!',
    });
    expect((await create('x@example.org', { authority: 'SYS_ADMIN' })).json()).toMatchObject({ errorCode: 20 });
    expect((await create('x@example.org', { authority: 'KING' })).statusCode).toBe(400);
    expect((await t.call('GET', '/api/user/11111111-2222-4333-8444-555555555555')).statusCode).toBe(404);
  });

  it('come in through their activation link, once', async () => {
    const id = await idOf('bob@example.org');
    const answer = await t.call('GET', `/api/user/${id}/activationLink`);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    const link = new URL(answer.body);
    expect(link.pathname).toBe('/api/noauth/activate');
    const activateToken = link.searchParams.get('activateToken');
    const followed = await t.send({ url: `${link.pathname}${link.search}` });
    expect(followed.statusCode).toBe(303);
    expect(followed.headers.location).toBe(`/login/createPassword?activateToken=${activateToken}`);
    expect((await post('/api/noauth/activate', { activateToken, password: 'short' })).json()).toMatchObject({
      status: 401,
      errorCode: 45,
    });
    const pair = (await post('/api/noauth/activate', { activateToken, password: PASSWORD })).json();
    expect(pair).toEqual({ token: expect.any(String), refreshToken: expect.any(String) });
    expect((await as(pair.token, '/api/auth/user')).json()).toMatchObject({
      email: 'bob@example.org',
      customerId: idInput(),
    });
    expect((await t.login('bob@example.org', PASSWORD)).statusCode).toBe(200);
    expect((await post('/api/noauth/activate', { activateToken, password: PASSWORD })).json()).toMatchObject({
      status: 400,
      errorCode: 31,
    });
    const again = await t.send({ url: `${link.pathname}${link.search}` });
    expect([again.statusCode, again.body, again.headers.location]).toEqual([409, '', undefined]);
    expect((await t.call('GET', `/api/user/${id}/activationLink`)).json()).toMatchObject({
      status: 400,
      message: 'User is already activated!',
    });
  });

  it('have a link whose host cannot be used to smuggle anything in', async () => {
    const id = await idOf('host@example.org');
    const headers = { 'x-authorization': `Bearer ${t.token}`, host: 'evil"<x>' };
    const link = (await t.send({ url: `/api/user/${id}/activationLink`, headers })).body;
    expect(link).toMatch(/^http:\/\/[a-z]+(:\d+)?\/api\/noauth\/activate\?activateToken=\w{40}$/);
    const info = (await t.call('GET', `/api/user/${id}/activationLinkInfo`)).json();
    expect(info).toEqual({ value: expect.stringContaining('activateToken='), ttlMs: 86_400_000 });
  });

  it('set another password by a link that an administrator makes', async () => {
    const { id, token } = await activated('cid@example.org');
    for (const email of ['cid@example.org', 'nobody@example.org']) {
      const asked = await post('/api/noauth/resetPasswordByEmail', { email });
      expect([asked.statusCode, asked.body]).toEqual([200, '']);
    }
    const link = new URL((await t.call('POST', `/api/user/${id}/resetPasswordLink`)).body);
    const resetToken = link.searchParams.get('resetToken');
    const followed = await t.send({ url: `${link.pathname}${link.search}` });
    expect(followed.statusCode).toBe(303);
    expect(followed.headers.location).toBe(`/login/resetPassword?resetToken=${resetToken}`);
    const answer = await post('/api/noauth/resetPassword', { resetToken, password: 'another staple' });
    expect(answer.json()).toHaveProperty('refreshToken');
    expect((await as(token, '/api/auth/user')).json()).toMatchObject({ status: 401, errorCode: 11 });
    expect((await t.login('cid@example.org', 'another staple')).statusCode).toBe(200);
    expect((await post('/api/noauth/resetPassword', { resetToken, password: PASSWORD })).json()).toMatchObject({
      status: 400,
      message: 'Invalid reset token!',
    });
    expect((await t.send({ url: '/api/noauth/resetPassword?resetToken=x' })).statusCode).toBe(409);
  });

  it('lose their tokens at once when they are disabled or deleted', async () => {
    const { id, token, refreshToken } = await activated('dan@example.org');
    const enable = (value: boolean) =>
      t.call('POST', `/api/user/${id}/userCredentialsEnabled?userCredentialsEnabled=${value}`);
    expect((await as(token, '/api/auth/user')).statusCode).toBe(200);
    const disabled = await enable(false);
    expect([disabled.statusCode, disabled.body]).toEqual([200, '']);
    expect((await as(token, '/api/auth/user')).json()).toMatchObject({
      status: 401,
      message: 'User account is not active',
    });
    expect((await t.call('GET', `/api/user/${id}`)).json().additionalInfo.userCredentialsEnabled).toBe(false);
    await enable(true);
    expect((await as(token, '/api/auth/user')).statusCode).toBe(401);
    expect((await post('/api/auth/token', { refreshToken })).statusCode).toBe(401);
    const fresh = (await t.login('dan@example.org', PASSWORD)).json();
    expect((await as(fresh.token, '/api/auth/user')).statusCode).toBe(200);
    expect((await t.call('DELETE', `/api/user/${id}`)).statusCode).toBe(200);
    expect((await as(fresh.token, '/api/auth/user')).json()).toMatchObject({ status: 401, errorCode: 10 });
    expect((await t.call('DELETE', `/api/user/${id}`)).json()).toMatchObject({ status: 404, errorCode: 32 });
  });

  it('TBS-14 are stood in for by their administrator, and see their own devices only', async () => {
    const { id } = await activated('eve@example.org');
    expect((await t.call('GET', '/api/user/tokenAccessEnabled')).body).toBe('true');
    const { token } = (await t.call('GET', `/api/user/${id}/token`)).json();
    expect((await as(token, '/api/auth/user')).json()).toMatchObject({ email: 'eve@example.org' });
    const [mine, other] = [await t.device('mine'), await t.device('other')];
    await t.call('POST', `/api/customer/${customerId}/device/${mine}`);
    const list = (await as(token, `/api/customer/${customerId}/devices?pageSize=10&page=0`)).json();
    expect(list.data.map(({ name }: { name: string }) => name)).toEqual(['mine']);
    expect((await as(token, `/api/device/${mine}`)).statusCode).toBe(200);
    expect((await as(token, `/api/device/${other}`)).json()).toMatchObject({ status: 403, errorCode: 20 });
    expect((await as(token, `/api/user/${id}/token`)).json()).toMatchObject({ status: 403, errorCode: 20 });
    expect((await as(token, '/api/customers?pageSize=1&page=0')).statusCode).toBe(403);
    const remove = {
      method: 'DELETE',
      url: `/api/device/${mine}`,
      headers: { 'x-authorization': `Bearer ${token}` },
    } as const;
    expect((await t.send(remove)).json()).toMatchObject({ status: 403, errorCode: 20 });
  });

  it('do not delete themselves', async () => {
    const { id } = (await t.call('GET', '/api/auth/user')).json().id;
    expect((await t.call('DELETE', `/api/user/${id}`)).statusCode).toBe(400);
    expect((await t.call('GET', '/api/auth/user')).statusCode).toBe(200);
  });
});
