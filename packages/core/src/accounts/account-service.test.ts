import { MemoryRepositories, openTestRegistry, sampleUser, succeeded, type TestRegistry } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

const EMAIL = 'admin@example.org';
const PASSWORD = 'correct horse';
const HERE = '192.0.2.1';

async function withAdministrator(): Promise<TestRegistry> {
  const t = await openTestRegistry();
  succeeded(await t.accounts.setFirstAdministrator(EMAIL, PASSWORD));
  return t;
}

describe('login', () => {
  it('TBS-1 gives the user, whatever the case of the e-mail, and no hash', async () => {
    const t = await withAdministrator();
    const user = succeeded(await t.accounts.login(' Admin@Example.ORG', PASSWORD, HERE));
    expect(user).toMatchObject({ email: EMAIL, authority: 'TENANT_ADMIN', tenantId: t.defaultTenant.id });
    expect(JSON.stringify(user)).not.toContain('hash');
    expect(succeeded(await t.accounts.user(user.id))).toEqual(user);
  });

  it('TBS-2 answers a wrong password and an unknown user alike, with one comparison each', async () => {
    const t = await withAdministrator();
    const before = t.crypto.verifications;
    const wrong = await t.accounts.login(EMAIL, 'wrong', HERE);
    expect(t.crypto.verifications).toBe(before + 1);
    const unknown = await t.accounts.login('nobody@example.org', 'wrong', HERE);
    const malformed = await t.accounts.login('nobody', 'wrong', HERE);
    expect(t.crypto.verifications).toBe(before + 3);
    expect(wrong).toEqual({ ok: false, code: 'badCredentials', message: 'Invalid username or password' });
    expect(unknown).toEqual(wrong);
    expect(malformed).toEqual(wrong);
  });

  it('hashes the password of nobody once for all starts', async () => {
    const t = await withAdministrator();
    const { hashes } = t.crypto;
    const next = await openTestRegistry({ repositories: t.repositories, crypto: t.crypto });
    await next.accounts.login('nobody@example.org', 'wrong', HERE);
    expect(t.crypto.hashes).toBe(hashes);
  });

  it('TBS-3 refuses an empty e-mail or password without a comparison', async () => {
    const t = await withAdministrator();
    const before = t.crypto.verifications;
    for (const [email, password] of [
      [EMAIL, ''],
      ['', PASSWORD],
    ] as const) {
      expect(await t.accounts.login(email, password, HERE)).toMatchObject({ code: 'authentication' });
    }
    expect(t.crypto.verifications).toBe(before);
  });

  it('refuses a disabled account, after the password was right', async () => {
    const repositories = new MemoryRepositories();
    const t = await openTestRegistry({ repositories });
    const passwordHash = await t.crypto.hashPassword(PASSWORD);
    const user = sampleUser(t.defaultTenant.id, { email: 'off@example.org', enabled: false, passwordHash });
    await repositories.commit([{ kind: 'putUser', record: user, expectedVersion: null }]);
    expect(await t.accounts.login(user.email, PASSWORD, HERE)).toMatchObject({ code: 'accountDisabled' });
    expect(await t.accounts.login(user.email, 'wrong', HERE)).toMatchObject({ code: 'badCredentials' });
  });

  it('never lets anybody in as a user without a password', async () => {
    const repositories = new MemoryRepositories();
    const t = await openTestRegistry({ repositories });
    const user = sampleUser(t.defaultTenant.id, { email: 'new@example.org' });
    await repositories.commit([{ kind: 'putUser', record: user, expectedVersion: null }]);
    for (const password of ['x', 'null', (await repositories.setting('dummy-hash')) ?? '']) {
      expect((await t.accounts.login(user.email, password, HERE)).ok).toBe(false);
    }
  });

  it('locks a guesser out after 10 tries, known user or not, and never the user at another address', async () => {
    const t = await withAdministrator();
    for (const email of [EMAIL, 'nobody@example.org']) {
      for (let guess = 0; guess < 10; guess += 1) {
        expect(await t.accounts.login(email, `guess ${guess}`, HERE)).toMatchObject({ code: 'badCredentials' });
      }
      const before = t.crypto.verifications;
      expect(await t.accounts.login(email, PASSWORD, HERE)).toMatchObject({ code: 'accountLocked' });
      expect(t.crypto.verifications).toBe(before);
    }
    expect((await t.accounts.login(EMAIL, PASSWORD, '192.0.2.2')).ok).toBe(true);
    expect(await t.accounts.login(EMAIL, PASSWORD, HERE)).toMatchObject({ code: 'accountLocked' });
    t.clock.advance(60_000);
    expect((await t.accounts.login(EMAIL, PASSWORD, HERE)).ok).toBe(true);
  });

  it('does not let guesses side by side slip past the count', async () => {
    const t = await withAdministrator();
    const before = t.crypto.verifications;
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, guess) => t.accounts.login(EMAIL, `guess ${guess}`, HERE)),
    );
    expect(t.crypto.verifications - before).toBeLessThanOrEqual(10);
    expect(results.every((result) => !result.ok)).toBe(true);
  });
});

describe('passwords', () => {
  it('TBS-11 are changed with the current one, which voids every token', async () => {
    const t = await withAdministrator();
    const { id, tokensValidFrom } = succeeded(await t.accounts.login(EMAIL, PASSWORD, HERE));
    expect(await t.accounts.changePassword(id, 'wrong', 'another horse')).toMatchObject({
      code: 'badRequest',
      message: "Current password doesn't match!",
    });
    const changed = succeeded(await t.accounts.changePassword(id, PASSWORD, 'another horse'));
    expect(changed.tokensValidFrom).toBeGreaterThan(tokensValidFrom);
    expect(succeeded(await t.accounts.user(id)).tokensValidFrom).toBe(changed.tokensValidFrom);
    expect((await t.accounts.login(EMAIL, PASSWORD, HERE)).ok).toBe(false);
    expect((await t.accounts.login(EMAIL, 'another horse', HERE)).ok).toBe(true);
  });

  it('must differ from the current one and keep to the policy', async () => {
    const t = await withAdministrator();
    const { id } = succeeded(await t.accounts.login(EMAIL, PASSWORD, HERE));
    expect(await t.accounts.changePassword(id, PASSWORD, PASSWORD)).toMatchObject({ code: 'badRequest' });
    for (const weak of ['short', EMAIL, 'aaaaaaaaaaaa']) {
      expect(await t.accounts.changePassword(id, PASSWORD, weak)).toMatchObject({ code: 'passwordViolation' });
    }
  });

  it('cannot be guessed by way of a change', async () => {
    const t = await withAdministrator();
    const { id } = succeeded(await t.accounts.login(EMAIL, PASSWORD, HERE));
    for (let guess = 0; guess < 10; guess += 1) await t.accounts.changePassword(id, `guess ${guess}`, 'another horse');
    expect(await t.accounts.changePassword(id, PASSWORD, 'another horse')).toMatchObject({ code: 'accountLocked' });
    expect((await t.accounts.login(EMAIL, PASSWORD, HERE)).ok).toBe(true);
  });

  it('are changed by only one of two who know the same one', async () => {
    const t = await withAdministrator();
    const { id } = succeeded(await t.accounts.login(EMAIL, PASSWORD, HERE));
    const results = await Promise.all(
      ['first horse', 'second horse'].map((next) => t.accounts.changePassword(id, PASSWORD, next)),
    );
    expect(results.filter((result) => result.ok)).toHaveLength(1);
    expect((await t.accounts.login(EMAIL, 'first horse', HERE)).ok).toBe(true);
  });
});

describe('logging out everywhere', () => {
  it('moves the moment from which tokens are valid, also twice in one millisecond and after the clock went back', async () => {
    const t = await withAdministrator();
    const { id } = succeeded(await t.accounts.login(EMAIL, PASSWORD, HERE));
    const first = succeeded(await t.accounts.logOutEverywhere(id)).tokensValidFrom;
    expect(first).toBe(t.clock.now());
    const second = succeeded(await t.accounts.logOutEverywhere(id)).tokensValidFrom;
    t.clock.time -= 3_600_000;
    const third = succeeded(await t.accounts.logOutEverywhere(id)).tokensValidFrom;
    expect([second, third]).toEqual([first + 1, first + 2]);
  });

  it('is seen by the next request of the user', async () => {
    const t = await withAdministrator();
    const { id } = succeeded(await t.accounts.login(EMAIL, PASSWORD, HERE));
    succeeded(await t.accounts.user(id));
    const [, changed] = await Promise.all([t.accounts.user(id), t.accounts.logOutEverywhere(id)]);
    expect(succeeded(await t.accounts.user(id)).tokensValidFrom).toBe(succeeded(changed).tokensValidFrom);
  });
});

describe('the first administrator', () => {
  it('belongs to the tenant `default`, and only then is there one', async () => {
    const t = await openTestRegistry();
    expect(t.accounts.hasAdministrator()).toBe(false);
    const user = succeeded(await t.accounts.setFirstAdministrator('Admin@Example.org', PASSWORD));
    expect(user).toMatchObject({
      email: EMAIL,
      authority: 'TENANT_ADMIN',
      tenantId: t.defaultTenant.id,
      enabled: true,
    });
    expect(t.accounts.hasAdministrator()).toBe(true);
    const next = await openTestRegistry({ repositories: t.repositories, crypto: t.crypto });
    expect(next.accounts.hasAdministrator()).toBe(true);
  });

  it('gets a new password when it exists; the same one changes nothing', async () => {
    const t = await withAdministrator();
    const same = succeeded(await t.accounts.setFirstAdministrator(EMAIL, PASSWORD));
    expect(same.version).toBe(1);
    const changed = succeeded(await t.accounts.setFirstAdministrator(EMAIL, 'another horse'));
    expect(changed).toMatchObject({ id: same.id, version: 2 });
    expect(changed.tokensValidFrom).toBeGreaterThan(same.tokensValidFrom);
    expect((await t.accounts.login(EMAIL, 'another horse', HERE)).ok).toBe(true);
  });

  it('needs an e-mail and a password of the policy', async () => {
    const t = await openTestRegistry();
    for (const email of ['', 'admin', '@', 'a b@c', '<a@b>', `${'x'.repeat(250)}@example.org`]) {
      expect(await t.accounts.setFirstAdministrator(email, PASSWORD)).toMatchObject({ code: 'badRequest' });
    }
    expect(await t.accounts.setFirstAdministrator(EMAIL, 'short')).toMatchObject({ code: 'passwordViolation' });
    expect(t.accounts.hasAdministrator()).toBe(false);
  });
});

describe('tenants and users by id', () => {
  it('are found, or not', async () => {
    const t = await openTestRegistry();
    expect(succeeded(await t.accounts.tenant(t.defaultTenant.id))).toEqual(t.defaultTenant);
    expect(await t.accounts.tenant('x')).toMatchObject({ code: 'notFound' });
    expect(await t.accounts.user('x')).toMatchObject({ code: 'notFound' });
    expect(await t.accounts.logOutEverywhere('x')).toMatchObject({ code: 'notFound' });
    expect(await t.accounts.changePassword('x', 'a', 'b')).toMatchObject({ code: 'notFound' });
  });
});
