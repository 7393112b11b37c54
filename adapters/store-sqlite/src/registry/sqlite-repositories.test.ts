import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Change, NULL_ID } from '@moorage/core';
import { describeRepositories, newScene, sampleDevice, sampleTenant } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_CUSTOMER } from './no-customer.ts';
import { SqliteRepositories } from './sqlite-repositories.ts';

const report = (error: unknown): void => {
  throw error;
};

let shared: { readonly folder: string; readonly repositories: SqliteRepositories } | undefined;
describeRepositories('SQLite', {
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'moorage-core-'));
    const repositories = await SqliteRepositories.open({ path: join(folder, 'core.sqlite'), report });
    shared = { folder, repositories };
    return repositories;
  },
  close: async () => {
    await shared?.repositories.close();
    if (shared !== undefined) await rm(shared.folder, { recursive: true });
  },
});

it('knows the id of no customer as core does', () => {
  expect(NO_CUSTOMER).toBe(NULL_ID);
});

describe('SQLite: the file of the registry', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-core-'));
    path = join(folder, 'core.sqlite');
  });
  afterEach(() => rm(folder, { recursive: true }));
  const open = () => SqliteRepositories.open({ path, report });

  it('is readable by its owner only, with its companions', async () => {
    const repositories = await open();
    await newScene(repositories);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    await repositories.close();
  });

  it('keeps its installation id and every commit across a close', async () => {
    const first = await open();
    const { tenant, profile } = await newScene(first);
    const { installationId } = first;
    await first.close();
    const second = await open();
    expect(second.installationId).toBe(installationId);
    expect(await second.tenant(tenant.id)).toEqual(tenant);
    expect(await second.defaultProfile(tenant.id)).toEqual(profile);
    await second.close();
  });

  it('keeps every commit that resolved before the thread was killed', async () => {
    const first = await open();
    const { profile } = await newScene(first);
    const records = Array.from({ length: 300 }, () => sampleDevice(profile));
    const done: string[] = [];
    const commits = records.map(async (record) => {
      const outcome = await first.commit([{ kind: 'putDevice', record, expectedVersion: null }]);
      if (outcome === 'done') done.push(record.id);
      if (done.length === 100) await first.kill();
      return outcome;
    });
    const outcomes = await Promise.all(commits);
    expect(done.length).toBeGreaterThanOrEqual(100);
    expect(outcomes.every((outcome) => outcome === 'done' || outcome === 'failed')).toBe(true);
    const second = await open();
    expect((await second.devicesByIds(done)).length).toBe(done.length);
    await second.close();
  });

  it('fails calls after its end instead of leaving them open', async () => {
    const repositories = await open();
    const waiting = repositories.commit([{ kind: 'putTenant', record: sampleTenant() }]);
    await repositories.close();
    expect(await waiting).toBe('done');
    expect(await repositories.commit([])).toBe('failed');
    await expect(repositories.removals()).rejects.toMatchObject({ code: 'worker-stopped' });
  });

  it('refuses a file of another kind', async () => {
    const repositories = await open();
    await repositories.close();
    const { SqliteDriver } = await import('../sqlite/driver.ts');
    const driver = SqliteDriver.open({ path });
    driver.exec("UPDATE meta SET value = 'telemetry' WHERE key = 'file'");
    driver.close();
    await expect(open()).rejects.toMatchObject({ code: 'other-file' });
  });

  it('refuses everything of a commit that does not fit on the disk, and goes on when there is room', async () => {
    const { RegistryDatabase } = await import('./registry-database.ts');
    const database = RegistryDatabase.open(path, 'full', 0);
    const record = sampleTenant();
    expect(database.commitAll([[{ kind: 'putTenant', record }]], report)).toEqual(['done']);
    database.limitPages(40);
    const large: Change = { kind: 'putSetting', key: 'large', value: 'x'.repeat(2_000_000) };
    const small: Change = { kind: 'putSetting', key: 'small', value: 'y' };
    expect(database.commitAll([[small], [large]], report)).toEqual(['full', 'full']);
    expect(database.setting('small')).toBeNull();
    database.limitPages(1_000_000);
    expect(database.commitAll([[small], [large]], report)).toEqual(['done', 'done']);
    expect(database.setting('small')).toBe('y');
    expect(database.tenant(record.id)).toEqual(record);
    database.close();
  });
});
