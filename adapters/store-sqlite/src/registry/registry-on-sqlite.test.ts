import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  applicationInput,
  basicInput,
  credentialsInput,
  deviceInput,
  FakeCrypto,
  listQuery,
  openTestRegistry,
  plainInput,
  succeeded,
  thingscaleInput,
  waveshareInput,
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

  it('WS-39 knows accounts, their devices and their secrets after a restart, and none is readable in its files', async () => {
    const crypto = new FakeCrypto();
    const first = await SqliteRepositories.open({ path, report });
    const t = await openTestRegistry({ repositories: first, crypto });
    const { admin } = t;
    const application = async (dialect: string, credentials: Record<string, string>, rotationDays = 0) =>
      succeeded(
        await t.applications.save(
          admin,
          applicationInput(dialect, { dialect, credentials, configuration: { rotationDays } }),
        ),
      ).id;
    const sensoro = await application('sensoro', { appId: 'app', appSecret: 'a secret of sensoro' });
    const scale = await application('thingscale', { userId: 'U123456', deviceToken: 'oldDeviceToken' }, 30);
    const renewed = { id: scale, dialect: 'thingscale', credentials: { deviceToken: 'newDeviceToken' } };
    succeeded(await t.applications.save(admin, applicationInput('thingscale', renewed)));
    const account = await application('waveshare', {});
    const create = async (name: string, credentials: ReturnType<typeof plainInput>) =>
      succeeded(await t.devices.saveWithCredentials(admin, deviceInput(name), credentials)).id;
    const topics = { pubTopic: 'Pub/59/45/46ce3503', subTopic: 'Sub/59/45/46ce3503' };
    const relay = await create('relay', waveshareInput({ ...topics, accountId: account, password: 'relay secret' }));
    const led = await create('led', waveshareInput({ clientId: '19ba7e8b' }));
    const sensor = await create('sensor', thingscaleInput(scale, 'sensor 1'));
    // The same text in the other list of names.
    await create('token', credentialsInput('ACCESS_TOKEN', { credentialsId: '46ce3503' }));
    await first.close();

    const bytes = await readFile(path, 'latin1');
    for (const secret of ['a secret of sensoro', 'oldDeviceToken', 'newDeviceToken', 'relay secret', 'Pub/59']) {
      expect(bytes).not.toContain(secret);
    }

    const second = await SqliteRepositories.open({ path, report });
    const next = await openTestRegistry({ repositories: second, crypto });
    const { credentials } = next;
    expect(credentials.byUsername('app')?.credentials[0]?.password).toBe('a secret of sensoro');
    expect(credentials.applications?.('sensoro', admin.tenantId)[0]?.application?.id).toBe(sensoro);
    for (const token of ['OLDDEVICETOKEN', 'newdevicetoken']) {
      expect(credentials.applicationBySecret?.('thingscale', 'deviceToken', token)?.application?.id).toBe(scale);
    }
    expect(credentials.accountDevice?.(scale, 'sensor 1')?.id).toBe(sensor);
    const found = credentials.byClientId('46ce3503')?.credentials[0];
    expect(found).toMatchObject({ password: 'relay secret', device: { id: relay } });
    expect(['pubTopic', 'subTopic', 'accountId'].map((member) => found?.secret?.(member))).toEqual([
      topics.pubTopic,
      topics.subTopic,
      account,
    ]);
    expect(credentials.ofDevice?.(led)?.secret?.('accountId')).toBeNull();
    expect(succeeded(await next.devices.credentials(admin, relay)).credentialsId).toBe('46ce3503');
    expect(succeeded(await next.devices.credentials(admin, sensor)).credentialsId).toBe('sensor 1');
    const dialects = succeeded(await next.devices.list(admin, listQuery({ sortProperty: 'name' })));
    expect(dialects.data.map(({ name, dialect }) => `${name} ${dialect}`)).toEqual([
      'led waveshare',
      'relay waveshare',
      'sensor thingscale',
      'token thingsboard',
    ]);
    for (const id of [account, scale]) expect((await next.applications.remove(admin, id)).ok).toBe(false);
    const again = await next.devices.saveWithCredentials(
      admin,
      deviceInput('again'),
      thingscaleInput(scale, 'sensor 1'),
    );
    expect(again).toMatchObject({ code: 'invalidArguments' });
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
