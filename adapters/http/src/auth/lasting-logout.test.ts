import { RevokedSessions } from '@moorage/core';
import { MemoryRepositories, SteppedClock } from '@moorage/testkit';
import { expect, it } from 'vitest';
import { openTestServer } from '../testing/test-server.ts';

it('keeps a session logged out across a restart of the server', async () => {
  const repositories = new MemoryRepositories();
  const clock = new SteppedClock();
  const first = await openTestServer({ revokedSessions: await RevokedSessions.open(repositories, clock) });
  const other = (await first.login('admin@example.org', 'correct horse')).json().token;
  expect((await first.call('POST', '/api/auth/logout', '')).statusCode).toBe(200);
  await first.server.close();

  const next = await openTestServer({ revokedSessions: await RevokedSessions.open(repositories, clock) });
  const whoAmI = (token: string) =>
    next.send({ url: '/api/auth/user', headers: { 'x-authorization': `Bearer ${token}` } });
  expect((await whoAmI(first.token)).json()).toMatchObject({ status: 401, errorCode: 11 });
  expect((await whoAmI(other)).statusCode).toBe(200);
  const refresh = { method: 'POST', url: '/api/auth/token', payload: { refreshToken: first.refreshToken } } as const;
  expect((await next.send(refresh)).statusCode).toBe(401);
  await next.server.close();
});

it('says so when the end of a session could not be stored; it has ended all the same', async () => {
  const repositories = new MemoryRepositories();
  const t = await openTestServer({ revokedSessions: await RevokedSessions.open(repositories, new SteppedClock()) });
  repositories.troubles.push('failed');
  expect((await t.call('POST', '/api/auth/logout', '')).json()).toMatchObject({ status: 500, errorCode: 46 });
  expect((await t.call('GET', '/api/auth/user')).statusCode).toBe(401);
  await t.server.close();
});
