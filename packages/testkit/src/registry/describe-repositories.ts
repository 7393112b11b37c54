import { randomUUID } from 'node:crypto';
import type { Change, DeviceProfile, Repositories, Tenant } from '@moorage/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentCases } from './document-cases.ts';
import { documentDifferentialCase } from './document-differential-case.ts';
import { registryMemberCases } from './registry-member-cases.ts';
import { listCases } from './repository-list-cases.ts';
import {
  putToken,
  sampleApplication,
  sampleCredentials,
  sampleDevice,
  sampleProfile,
  sampleTenant,
  sampleUser,
} from './sample-records.ts';
import { tenantCases } from './tenant-cases.ts';

/** Makes repositories for the contract suite. */
export interface RepositoriesFactory {
  open(): Promise<Repositories>;
  /** Ends what `open` made and removes its files. */
  close(): Promise<void>;
}

/** A tenant with one profile in fresh or shared repositories; each test works in its own. */
export interface Scene {
  readonly repositories: Repositories;
  readonly tenant: Tenant;
  readonly profile: DeviceProfile;
}

/** Enters a tenant and a profile that is its default. */
export async function newScene(repositories: Repositories): Promise<Scene> {
  const tenant = sampleTenant();
  const profile = sampleProfile(tenant.id, { isDefault: true });
  const outcome = await repositories.commit([
    { kind: 'putTenant', record: tenant },
    { kind: 'putProfile', record: profile, expectedVersion: null },
  ]);
  expect(outcome).toBe('done');
  return { repositories, tenant, profile };
}

/** The contract of `Repositories`, run on every implementation. */
export function describeRepositories(name: string, factory: RepositoriesFactory): void {
  describe(`${name}: repositories`, () => {
    let repositories: Repositories;
    beforeAll(async () => {
      repositories = await factory.open();
    });
    afterAll(() => factory.close());
    const scene = () => newScene(repositories);

    it('has an installation id', () => {
      expect(repositories.installationId).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('reads back what was committed, with the type of the profile and the dialect of the credentials', async () => {
      const { tenant, profile } = await scene();
      const device = sampleDevice(profile, {
        label: 'L',
        additionalInfo: { gateway: true, deep: [1, null, { a: 'ü' }] },
      });
      const credentials = sampleCredentials(device.id);
      const user = sampleUser(tenant.id, { firstName: 'Ann', tokensValidFrom: 17, passwordHash: 'h', enabled: false });
      const application = sampleApplication(tenant.id, { enabled: false });
      const outcome = await repositories.commit([
        { kind: 'putDevice', record: device, expectedVersion: null },
        putToken(credentials),
        { kind: 'putUser', record: user, expectedVersion: null },
        { kind: 'putApplication', record: application, expectedVersion: null, names: [] },
      ]);
      expect(outcome).toBe('done');
      const readable = { ...device, type: profile.name, dialect: 'thingsboard' };
      expect(await repositories.device(device.id)).toEqual(readable);
      expect(await repositories.deviceByName(tenant.id, device.name)).toEqual(readable);
      expect(await repositories.devicesByIds([randomUUID(), device.id])).toEqual([readable]);
      expect(await repositories.credentials(device.id)).toEqual(credentials);
      expect(await repositories.user(user.id)).toEqual(user);
      expect(await repositories.userByEmail(user.email)).toEqual(user);
      expect(await repositories.hasPassword()).toBe(true);
      expect(await repositories.application(application.id)).toEqual(application);
      expect(await repositories.tenant(tenant.id)).toEqual(tenant);
      expect(await repositories.tenantByName(tenant.name)).toEqual(tenant);
      expect(await repositories.profile(profile.id)).toEqual(profile);
      expect(await repositories.profileByName(tenant.id, profile.name)).toEqual(profile);
      expect(await repositories.defaultProfile(tenant.id)).toEqual(profile);
    });

    it('answers null for what does not exist', async () => {
      const id = randomUUID();
      const { tenant } = await scene();
      const reads: readonly (() => Promise<unknown>)[] = [
        () => repositories.tenant(id),
        () => repositories.tenantByName(id),
        () => repositories.user(id),
        () => repositories.userByEmail(id),
        () => repositories.profile(id),
        () => repositories.profileByName(tenant.id, id),
        () => repositories.defaultProfile(id),
        () => repositories.device(id),
        () => repositories.deviceByName(tenant.id, id),
        () => repositories.credentials(id),
        () => repositories.application(id),
        () => repositories.setting(id),
      ];
      for (const read of reads) expect(await read()).toBeNull();
    });

    it('refuses a change of another version and applies nothing of its commit', async () => {
      const { profile } = await scene();
      const device = sampleDevice(profile);
      await repositories.commit([{ kind: 'putDevice', record: device, expectedVersion: null }]);
      const outcome = await repositories.commit([
        { kind: 'putSetting', key: device.id, value: 'x' },
        { kind: 'putDevice', record: { ...device, label: 'new', version: 8 }, expectedVersion: 7 },
      ]);
      expect(outcome).toEqual({ kind: 'version', change: 1 });
      expect(await repositories.setting(device.id)).toBeNull();
      expect((await repositories.device(device.id))?.label).toBeNull();
    });

    it('refuses to create what exists and to change what does not', async () => {
      const { profile } = await scene();
      const device = sampleDevice(profile);
      const create: Change = { kind: 'putDevice', record: device, expectedVersion: null };
      expect(await repositories.commit([{ ...create, expectedVersion: 1 }])).toEqual({ kind: 'version', change: 0 });
      expect(await repositories.commit([create])).toBe('done');
      expect(await repositories.commit([create])).toEqual({ kind: 'exists', change: 0 });
    });

    it('keeps unique members unique: names in the tenant, e-mail and credentials on the server', async () => {
      const { tenant, profile } = await scene();
      const other = await scene();
      const device = sampleDevice(profile);
      const second = sampleDevice(profile);
      const user = sampleUser(tenant.id);
      const token = sampleCredentials(device.id);
      expect(
        await repositories.commit([
          { kind: 'putDevice', record: device, expectedVersion: null },
          { kind: 'putDevice', record: second, expectedVersion: null },
          { kind: 'putUser', record: user, expectedVersion: null },
          putToken(token),
        ]),
      ).toBe('done');
      const refused = async (change: Change) => repositories.commit([change]);
      const sameName = sampleDevice(profile, { name: device.name });
      expect(await refused({ kind: 'putDevice', record: sameName, expectedVersion: null })).toEqual({
        kind: 'unique',
        member: 'deviceName',
        change: 0,
      });
      expect(
        await refused({ kind: 'putDevice', record: { ...second, name: device.name, version: 2 }, expectedVersion: 1 }),
      ).toMatchObject({ member: 'deviceName' });
      const elsewhere = sampleDevice(other.profile, { name: device.name });
      expect(await refused({ kind: 'putDevice', record: elsewhere, expectedVersion: null })).toBe('done');
      const profileOfName = sampleProfile(tenant.id, { name: profile.name });
      expect(await refused({ kind: 'putProfile', record: profileOfName, expectedVersion: null })).toMatchObject({
        member: 'profileName',
      });
      const secondDefault = sampleProfile(tenant.id, { isDefault: true });
      expect(await refused({ kind: 'putProfile', record: secondDefault, expectedVersion: null })).toMatchObject({
        member: 'defaultProfile',
      });
      const sameEmail = sampleUser(other.tenant.id, { email: user.email });
      expect(await refused({ kind: 'putUser', record: sameEmail, expectedVersion: null })).toMatchObject({
        member: 'email',
      });
      expect(await refused({ kind: 'putTenant', record: sampleTenant({ name: tenant.name }) })).toMatchObject({
        member: 'tenantName',
      });
      expect(
        await refused(putToken(sampleCredentials(second.id, { credentialsId: token.credentialsId }))),
      ).toMatchObject({ member: 'credentialsId' });
      expect(await refused(putToken(sampleCredentials(device.id)))).toMatchObject({ member: 'deviceCredentials' });
    });

    it('moves the default profile in one commit', async () => {
      const { tenant, profile } = await scene();
      const next = sampleProfile(tenant.id);
      expect(
        await repositories.commit([
          { kind: 'putProfile', record: next, expectedVersion: null },
          { kind: 'putProfile', record: { ...profile, isDefault: false, version: 2 }, expectedVersion: 1 },
          { kind: 'putProfile', record: { ...next, isDefault: true, version: 2 }, expectedVersion: 1 },
        ]),
      ).toBe('done');
      expect((await repositories.defaultProfile(tenant.id))?.id).toBe(next.id);
    });

    it('refuses references to records that do not exist', async () => {
      const { profile, tenant } = await scene();
      const other = await scene();
      const wrong: Change[] = [
        { kind: 'putDevice', record: sampleDevice(profile, { deviceProfileId: randomUUID() }), expectedVersion: null },
        {
          kind: 'putDevice',
          record: sampleDevice(profile, { deviceProfileId: other.profile.id, tenantId: tenant.id }),
          expectedVersion: null,
        },
        { kind: 'putProfile', record: sampleProfile(randomUUID()), expectedVersion: null },
        putToken(sampleCredentials(randomUUID())),
        { kind: 'putApplication', record: sampleApplication(randomUUID()), expectedVersion: null, names: [] },
      ];
      for (const change of wrong) expect(await repositories.commit([change])).toEqual({ kind: 'reference', change: 0 });
    });

    it('does not delete a profile in use', async () => {
      const { tenant, profile } = await scene();
      const device = sampleDevice(profile);
      const spare = sampleProfile(tenant.id);
      await repositories.commit([
        { kind: 'putDevice', record: device, expectedVersion: null },
        { kind: 'putProfile', record: spare, expectedVersion: null },
      ]);
      const remove = (id: string, expectedVersion = 1) =>
        repositories.commit([{ kind: 'deleteProfile', id, expectedVersion }]);
      expect(await remove(profile.id)).toEqual({ kind: 'inUse', change: 0 });
      expect(await remove(spare.id, 2)).toEqual({ kind: 'version', change: 0 });
      expect(await remove(spare.id)).toBe('done');
      expect(await remove(spare.id)).toEqual({ kind: 'version', change: 0 });
    });

    it('lets one dialect hold a name, and shares it inside the dialect unless it is exclusive', async () => {
      const { tenant, profile } = await scene();
      const name = randomUUID();
      const devices = [sampleDevice(profile), sampleDevice(profile), sampleDevice(profile)] as const;
      await repositories.commit(devices.map((record) => ({ kind: 'putDevice', record, expectedVersion: null })));
      const put = (index: 0 | 1 | 2, dialect: string, exclusive: boolean): Change => ({
        kind: 'putCredentials',
        record: sampleCredentials(devices[index].id, { dialect, username: name }),
        expectedVersion: null,
        names: [{ list: 'username', name, dialect, exclusive }],
      });
      expect(await repositories.commit([put(0, 'one', false)])).toBe('done');
      expect(await repositories.commit([put(1, 'one', false)])).toBe('done');
      expect(await repositories.commit([put(2, 'two', false)])).toEqual({
        kind: 'name',
        claim: { list: 'username', name, dialect: 'two', exclusive: false },
        holder: 'one',
        change: 0,
      });
      expect(await repositories.commit([put(2, 'one', true)])).toMatchObject({ kind: 'name', holder: 'one' });
      const application = sampleApplication(tenant.id, { username: name });
      const claim = { list: 'username' as const, name, dialect: 'plain', exclusive: true };
      const enter: Change = { kind: 'putApplication', record: application, expectedVersion: null, names: [claim] };
      expect(await repositories.commit([enter])).toMatchObject({ kind: 'name', holder: 'one' });
      const inOtherList: Change = { ...enter, names: [{ ...claim, list: 'clientId' }] };
      expect(await repositories.commit([inOtherList])).toBe('done');
    });

    it('frees a name with the change or the end of its holder', async () => {
      const { tenant, profile } = await scene();
      const device = sampleDevice(profile);
      const token = sampleCredentials(device.id);
      await repositories.commit([{ kind: 'putDevice', record: device, expectedVersion: null }, putToken(token)]);
      const application = sampleApplication(tenant.id, { username: token.credentialsId });
      const claim = { list: 'username' as const, name: token.credentialsId, dialect: 'plain', exclusive: true };
      const enter: Change = { kind: 'putApplication', record: application, expectedVersion: null, names: [claim] };
      expect(await repositories.commit([enter])).toMatchObject({ kind: 'name' });
      const renamed = { ...token, credentialsId: randomUUID(), username: randomUUID(), version: 2 };
      expect(await repositories.commit([putToken(renamed, 1), enter])).toBe('done');
      expect(await repositories.commit([{ kind: 'deleteApplication', id: application.id, expectedVersion: 1 }])).toBe(
        'done',
      );
      expect(await repositories.application(application.id)).toBeNull();
      expect(await repositories.commit([putToken({ ...token, version: 3 }, 2)])).toBe('done');
      expect(
        await repositories.commit([{ kind: 'deleteDevice', id: device.id, expectedVersion: 1, time: 1 }, enter]),
      ).toBe('done');
    });

    it('marks the owner when a device is deleted, until the mark is removed', async () => {
      const { profile } = await scene();
      const devices = [sampleDevice(profile), sampleDevice(profile)] as const;
      await repositories.commit(devices.map((record) => ({ kind: 'putDevice', record, expectedVersion: null })));
      const remove = (index: 0 | 1, time: number): Change => ({
        kind: 'deleteDevice',
        id: devices[index].id,
        expectedVersion: 1,
        time,
      });
      expect(await repositories.commit([remove(1, 10), remove(0, 20)])).toBe('done');
      expect(await repositories.commit([remove(0, 30)])).toEqual({ kind: 'version', change: 0 });
      expect(await repositories.device(devices[0].id)).toBeNull();
      const mine = async () =>
        (await repositories.removals()).filter((id) => devices.some((device) => device.id === id));
      expect(await mine()).toEqual([devices[1].id, devices[0].id]);
      await repositories.commit([{ kind: 'deleteRemoval', ownerId: devices[1].id }]);
      expect(await mine()).toEqual([devices[0].id]);
    });

    it('keeps settings, the last one wins', async () => {
      const key = `__proto__ ${randomUUID()}`;
      await repositories.commit([
        { kind: 'putSetting', key, value: 'a' },
        { kind: 'putSetting', key, value: '雪\u0000' },
      ]);
      expect(await repositories.setting(key)).toBe('雪\u0000');
    });

    it('settles concurrent commits one by one: a conflict of one does not undo the others', async () => {
      const { profile } = await scene();
      const name = randomUUID();
      const records = Array.from({ length: 50 }, (_, index) =>
        sampleDevice(profile, { name: index % 2 === 0 ? name : `${name} ${index}` }),
      );
      const outcomes = await Promise.all(
        records.map((record) => repositories.commit([{ kind: 'putDevice', record, expectedVersion: null }])),
      );
      expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(26);
      expect(outcomes.filter((outcome) => typeof outcome !== 'string')).toHaveLength(24);
      const stored = await repositories.devicesByIds(records.map((record) => record.id));
      expect(stored).toHaveLength(26);
    });

    it('lets exactly one of many changes of the same version win', async () => {
      const { profile } = await scene();
      const device = sampleDevice(profile);
      await repositories.commit([{ kind: 'putDevice', record: device, expectedVersion: null }]);
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          repositories.commit([
            { kind: 'putDevice', record: { ...device, label: `${index}`, version: 2 }, expectedVersion: 1 },
          ]),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
      expect((await repositories.device(device.id))?.label).toBe(String(outcomes.indexOf('done')));
    });

    registryMemberCases(scene);
    tenantCases(scene);
    documentCases(scene);
    documentDifferentialCase(() => repositories);
    listCases(scene);
  });
}
