import { jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_EMAIL, ADMIN_PASSWORD } from '../testing/fake-state.ts';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

const KEY = new Uint8Array(64).fill(7);
let t: TestServer;

beforeAll(async () => {
  t = await openTestServer();
});
afterAll(() => t.server.close());

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const bearer = (token: string) => ({ 'x-authorization': `Bearer ${token}` });
const whoAmI = (headers: Record<string, string>) => t.send({ url: '/api/auth/user', headers });
const refresh = (refreshToken: string) => t.send({ method: 'POST', url: '/api/auth/token', payload: { refreshToken } });

describe('log in', () => {
  it('TBS-1 gives two tokens for the right credentials', async () => {
    const answer = await t.login(ADMIN_EMAIL, ADMIN_PASSWORD);
    expect(answer.statusCode).toBe(200);
    expect(Object.keys(answer.json())).toEqual(['token', 'refreshToken']);
    expect(answer.json().token).not.toBe('');
    expect(answer.json().refreshToken).not.toBe('');
  });

  it('TBS-2 gives the same 401 for a wrong password and an unknown user', async () => {
    const wrong = await t.login(ADMIN_EMAIL, 'nope');
    const unknown = await t.login('nobody@example.org', 'nope');
    expect(wrong.statusCode).toBe(401);
    expect(wrong.json()).toMatchObject({ errorCode: 10, message: 'Invalid username or password' });
    expect(unknown.body).toBe(wrong.body);
  });

  it.each([
    ['an empty password', { username: ADMIN_EMAIL, password: '' }],
    ['an empty user', { username: ' ', password: 'x' }],
    ['no password', { username: ADMIN_EMAIL }],
    ['a number for a password', { username: ADMIN_EMAIL, password: 5 }],
    ['null', 'null'],
    ['no JSON', '{"username":'],
    ['an array', '[]'],
  ])('TBS-3 gives 401/10 for %s', async (_title, payload) => {
    const answer = await t.send({
      method: 'POST',
      url: '/api/auth/login',
      headers: { 'content-type': 'application/json' },
      payload,
    });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ status: 401, errorCode: 10, message: 'Authentication failed' });
  });

  it.each(['GET', 'PUT', 'DELETE'] as const)('answers %s of the log-in path with 401/10', async (method) => {
    const answer = await t.send({ method, url: '/api/auth/login', headers: bearer(t.token) });
    expect(answer.statusCode).toBe(401);
    expect(answer.json().errorCode).toBe(10);
  });

  it('refuses an account that is not active', async () => {
    const local = await openTestServer();
    const record = [...local.state.users.values()][0];
    if (record !== undefined) record.user = { ...record.user, enabled: false };
    expect((await local.login(ADMIN_EMAIL, ADMIN_PASSWORD)).json().message).toBe('User account is not active');
    const answer = await local.call('GET', '/api/auth/user');
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ errorCode: 10, message: 'User account is not active' });
    await local.server.close();
  });

  it('gives the address behind a trusted proxy to the log-in', async () => {
    const seen: string[] = [];
    const local = await openTestServer({ trustProxy: true });
    const { login } = local.platform.accounts;
    local.platform.accounts.login = (email: string, password: string, remoteAddress: string) => {
      seen.push(remoteAddress);
      return login(email, password, remoteAddress);
    };
    await local.send({
      method: 'POST',
      url: '/api/auth/login',
      headers: { 'x-forwarded-for': '192.0.2.7' },
      payload: { username: ADMIN_EMAIL, password: 'x' },
    });
    expect(seen).toEqual(['192.0.2.7']);
    await local.server.close();
  });
});

describe('token', () => {
  it('TBS-4 decodes to the claims that clients read', () => {
    const claims = claimsOf(t.token);
    expect(claims).toMatchObject({
      sub: ADMIN_EMAIL,
      scopes: ['TENANT_ADMIN'],
      iss: 'test.example.org',
      enabled: true,
      isPublic: false,
      firstName: 'Ada',
      customerId: '13814000-1dd2-11b2-8080-808080808080',
    });
    expect(claims).toHaveProperty('userId');
    expect(claims).toHaveProperty('tenantId');
    expect(claims).toHaveProperty('sessionId');
    expect(Number(claims.exp) - Number(claims.iat)).toBe(9000);
    const refreshClaims = claimsOf(t.refreshToken);
    expect(refreshClaims).toMatchObject({ scopes: ['REFRESH_TOKEN'], isPublic: false });
    expect(refreshClaims).toHaveProperty('jti');
    expect(Number(refreshClaims.exp) - Number(refreshClaims.iat)).toBe(604_800);
  });

  it('is signed with HMAC-SHA512', async () => {
    const { protectedHeader } = await jwtVerify(t.token, KEY, { currentDate: new Date(t.state.now) });
    expect(protectedHeader).toEqual({ alg: 'HS512' });
  });

  it('TBS-5 is taken from X-Authorization first, then from Authorization', async () => {
    expect((await whoAmI(bearer(t.token))).statusCode).toBe(200);
    expect((await whoAmI({ authorization: `Bearer ${t.token}` })).statusCode).toBe(200);
    expect((await whoAmI({ ...bearer('bad'), authorization: `Bearer ${t.token}` })).statusCode).toBe(401);
    expect((await whoAmI({ ...bearer(t.token), authorization: 'Bearer bad' })).statusCode).toBe(200);
    expect((await whoAmI({ 'x-authorization': ' ', authorization: `Bearer ${t.token}` })).statusCode).toBe(200);
  });

  it('TBS-6 is missed with 401/10 Authentication failed', async () => {
    const answer = await whoAmI({});
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual({
      status: 401,
      message: 'Authentication failed',
      errorCode: 10,
      timestamp: t.state.now,
    });
  });

  it.each(['Basic YTpi', 'Bearer', 'Bearer ', 'ApiKey unknown', 'x'])('is refused in the header %j', async (header) => {
    const answer = await whoAmI({ 'x-authorization': header });
    expect(answer.statusCode).toBe(401);
    expect(answer.json().errorCode).toBe(10);
  });

  it('TBS-7 gives 401/11 when expired, seen before or not', async () => {
    const local = await openTestServer();
    const fresh = (await local.login(ADMIN_EMAIL, ADMIN_PASSWORD)).json().token;
    expect((await local.call('GET', '/api/auth/user')).statusCode).toBe(200);
    local.state.now += 9_000_000;
    for (const token of [local.token, fresh]) {
      const answer = await local.send({ url: '/api/auth/user', headers: bearer(token) });
      expect(answer.statusCode).toBe(401);
      expect(answer.json()).toMatchObject({ errorCode: 11, message: 'Token has expired' });
    }
    await local.server.close();
  });

  it.each([
    ['another key', new Uint8Array(64).fill(8), 'HS512', 'test.example.org'],
    ['another algorithm', KEY, 'HS256', 'test.example.org'],
    ['another issuer', KEY, 'HS512', 'evil.example.org'],
  ])('is refused with %s', async (_title, key, alg, issuer) => {
    const token = await new SignJWT(claimsOf(t.token)).setProtectedHeader({ alg }).setIssuer(issuer).sign(key);
    const answer = await whoAmI(bearer(token));
    expect(answer.statusCode).toBe(401);
    expect(answer.json().errorCode).toBe(10);
  });

  it('is refused without a signature and with a huge text', async () => {
    const [, payload] = t.token.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    expect((await whoAmI(bearer(none))).statusCode).toBe(401);
    expect((await whoAmI(bearer('a.b.'.repeat(3000)))).statusCode).toBe(401);
  });

  it('needs a key of 64 bytes', async () => {
    await expect(openTestServer({ signingKey: new Uint8Array(63) })).rejects.toThrow(RangeError);
  });
});

describe('refresh', () => {
  it('TBS-8 gives a new pair with a later exp, also within the same second', async () => {
    const first = await refresh(t.refreshToken);
    expect(first.statusCode).toBe(200);
    const pair = first.json();
    expect(pair.token).not.toBe(t.token);
    expect(pair.refreshToken).not.toBe(t.refreshToken);
    expect(Number(claimsOf(pair.token).exp)).toBeGreaterThan(Number(claimsOf(t.token).exp));
    expect(claimsOf(pair.token).sessionId).toBe(claimsOf(t.token).sessionId);
    expect((await whoAmI(bearer(pair.token))).statusCode).toBe(200);
  });

  it('does not let exp run away', async () => {
    let pair = { token: t.token, refreshToken: t.refreshToken };
    for (let i = 0; i < 70; i++) pair = (await refresh(pair.refreshToken)).json();
    expect(Number(claimsOf(pair.token).exp) - t.state.now / 1000).toBeLessThanOrEqual(9060);
  });

  it('TBS-9 and access keep to their own tokens', async () => {
    const asBearer = await whoAmI(bearer(t.refreshToken));
    expect(asBearer.statusCode).toBe(401);
    expect(asBearer.json().errorCode).toBe(10);
    const asRefresh = await refresh(t.token);
    expect(asRefresh.statusCode).toBe(401);
    expect(asRefresh.json().errorCode).toBe(10);
  });

  it.each(['', '{}', '{"refreshToken":5}', '{"refreshToken":null}', 'x'])('is 401 for the body %j', async (payload) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await t.send({ method: 'POST', url: '/api/auth/token', headers, payload });
    expect(answer.statusCode).toBe(401);
  });
});

describe('account', () => {
  it('TBS-10 shows the caller', async () => {
    const answer = await t.call('GET', '/api/auth/user');
    expect(answer.json()).toMatchObject({
      email: ADMIN_EMAIL,
      name: ADMIN_EMAIL,
      authority: 'TENANT_ADMIN',
      tenantId: { entityType: 'TENANT' },
      lastName: null,
      phone: null,
      version: 1,
    });
  });

  it('TBS-11 changes the password, voids the old tokens and refuses a wrong current one', async () => {
    const local = await openTestServer();
    const change = (currentPassword: string) =>
      local.call('POST', '/api/auth/changePassword', { currentPassword, newPassword: 'new password' });
    const wrong = await change('nope');
    expect(wrong.statusCode).toBe(400);
    expect(wrong.json().errorCode).toBe(31);
    const right = await change(ADMIN_PASSWORD);
    expect(right.statusCode).toBe(200);
    const headers = bearer(right.json().token);
    expect((await local.send({ url: '/api/auth/user', headers })).statusCode).toBe(200);
    expect((await local.call('GET', '/api/auth/user')).statusCode).toBe(401);
    const old = { method: 'POST', url: '/api/auth/token', payload: { refreshToken: local.refreshToken } } as const;
    expect((await local.send(old)).statusCode).toBe(401);
    await local.server.close();
  });

  it('tells the policy of passwords without a token', async () => {
    const policy = (await t.send({ url: '/api/noauth/userPasswordPolicy' })).json();
    expect(policy).toMatchObject({ minimumLength: 8, maximumLength: 256, minimumDigits: null });
  });

  it('names the policy that a new password violates', async () => {
    const body = { currentPassword: ADMIN_PASSWORD, newPassword: 'x' };
    const answer = await t.call('POST', '/api/auth/changePassword', body);
    expect(answer.statusCode).toBe(401);
    expect(answer.json().errorCode).toBe(45);
  });

  it('ends the session at log-out, and no other one', async () => {
    const local = await openTestServer();
    const other = (await local.login(ADMIN_EMAIL, ADMIN_PASSWORD)).json().token;
    const answer = await local.call('POST', '/api/auth/logout', '');
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('');
    expect((await local.call('GET', '/api/auth/user')).statusCode).toBe(401);
    const old = { method: 'POST', url: '/api/auth/token', payload: { refreshToken: local.refreshToken } } as const;
    expect((await local.send(old)).statusCode).toBe(401);
    expect((await local.send({ url: '/api/auth/user', headers: bearer(other) })).statusCode).toBe(200);
    await local.server.close();
  });

  it('is refused when the user is gone', async () => {
    const local = await openTestServer();
    local.state.users.clear();
    expect((await local.call('GET', '/api/auth/user')).json()).toMatchObject({ status: 401, errorCode: 10 });
    await local.server.close();
  });

  it('TBS-16 tells the API level', async () => {
    const info = (await t.call('GET', '/api/system/info')).json();
    expect(info).toEqual({
      version: '4.3.1',
      artifact: 'application',
      name: 'Moorage',
      type: 'CE',
      moorage: '0.1.0',
    });
  });
});
