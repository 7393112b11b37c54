import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  applicationInput,
  basicInput,
  deviceInput,
  FakeCrypto,
  listQuery,
  openTestRegistry,
  plainInput,
  succeeded,
} from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteRepositories } from './sqlite-repositories.ts';

const report = (error: unknown): void => {
  throw error;
};

describe('the registry on SQLite', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-core-'));
    path = join(folder, 'core.sqlite');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('knows after a restart what was saved before, and no secret is readable in its files', async () => {
    const crypto = new FakeCrypto();
    const first = await SqliteRepositories.open({ path, report });
    const t = await openTestRegistry({ repositories: first, crypto });
    const { admin } = t;
    succeeded(await t.accounts.setFirstAdministrator('admin@example.org', 'correct horse'));
    const basic = basicInput({ userName: 'fleet', clientId: 'c1', password: 'basic secret' });
    succeeded(await t.devices.saveWithCredentials(admin, deviceInput('one', { type: 'meter' }), basic));
    succeeded(await t.devices.saveWithCredentials(admin, deviceInput('two'), plainInput('plain user')));
    const credentials = { username: 'node-red', password: 'application secret' };
    succeeded(await t.applications.save(admin, applicationInput('Node-RED', { credentials })));
    const gone = succeeded(await t.devices.save(admin, deviceInput('gone'), { accessToken: 'gone' }));
    t.removalOutcomes.push('failed');
    succeeded(await t.devices.remove(admin, gone.id));
    await t.settled();
    await first.close();

    const bytes = await readFile(path, 'latin1');
    for (const secret of ['basic secret', 'application secret', 'correct horse']) expect(bytes).not.toContain(secret);

    const second = await SqliteRepositories.open({ path, report });
    const next = await openTestRegistry({ repositories: second, crypto });
    expect(next.accounts.hasAdministrator()).toBe(true);
    expect((await next.accounts.login('admin@example.org', 'correct horse', '192.0.2.1')).ok).toBe(true);
    expect(next.credentials.byUsername('fleet')?.credentials[0]).toMatchObject({
      clientId: 'c1',
      password: 'basic secret',
      device: { name: 'one' },
    });
    expect(next.credentials.byUsername('plain user')?.dialect).toBe('plain');
    expect(next.credentials.byUsername('node-red')?.credentials[0]?.password).toBe('application secret');
    expect(next.credentials.byUsername('gone')).toBeUndefined();
    const page = succeeded(await next.devices.listInfos(next.admin, listQuery({ sortProperty: 'type' })));
    expect(page.data.map(({ name, type, dialect }) => `${name} ${type} ${dialect}`)).toEqual([
      'two default plain',
      'one meter thingsboard',
    ]);
    await next.finishRemovals();
    expect(next.removed).toEqual([gone.id]);
    expect(await second.removals()).toEqual([]);
    await second.close();
  });

  it('saves many devices at once', async () => {
    const repositories = await SqliteRepositories.open({ path, report });
    const t = await openTestRegistry({ repositories });
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        t.devices.save(t.admin, deviceInput(`device ${index % 100}`, { type: 'new' }), { accessToken: null }),
      ),
    );
    expect(results.filter((result) => result.ok)).toHaveLength(100);
    expect(succeeded(await t.devices.list(t.admin, listQuery())).totalElements).toBe(100);
    expect(succeeded(await t.devices.types(t.admin))).toEqual(['new']);
    await repositories.close();
  });
});
