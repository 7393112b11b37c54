import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentQuery, putDocument, sampleDocument } from '@moorage/testkit';
import { expect, it } from 'vitest';
import { SqliteDriver } from '../sqlite/driver.ts';
import { migrate } from '../sqlite/migrate.ts';
import { RegistryDatabase } from './registry-database.ts';
import { CORE_MIGRATIONS } from './schema.ts';

/** Rows as the first schema had them. */
const ROWS = `
INSERT INTO tenant VALUES ('t', 1, 'tenant');
INSERT INTO user VALUES ('u', 1, 't', 'c', 'u@x', 'CUSTOMER_USER', 'ÖZIL', NULL, 1, 0, NULL, NULL, 4);
INSERT INTO profile VALUES ('p', 1, 't', 'P', 'p', NULL, 1, 'DEFAULT', 'DISABLED', '{"a":1}', 2);
INSERT INTO device VALUES ('d', 1, 't', 'c', 'D', 'd', NULL, '', 'p', 0, '{}', NULL, 3);
`;

it('SQLite: a file of the first schema opens with its records, and takes what is new', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-core-'));
  const path = join(folder, 'core.sqlite');
  const driver = SqliteDriver.open({ path });
  migrate(driver, { file: 'core', installationId: 'i', migrations: CORE_MIGRATIONS.slice(0, 1), now: 0 });
  driver.exec(ROWS);
  driver.close();

  const database = RegistryDatabase.open(path, 'full', 1);
  expect(database.installationId).toBe('i');
  const device = database.device('d');
  expect(device).toMatchObject({ name: 'D', type: 'P', firmwareId: null, softwareId: null, version: 3 });
  const profile = database.profile('p');
  expect(profile).toMatchObject({
    profileData: { a: 1 },
    provisionDeviceKey: null,
    firmwareId: null,
    softwareId: null,
  });
  expect(
    database.deviceIds({
      tenantId: 't',
      profileId: 'p',
      customerId: null,
      withoutPackage: 'FIRMWARE',
      after: null,
      limit: 9,
    }),
  ).toEqual(['d']);
  const users = database.users({
    ...{ tenantId: 't', customerId: 'c', authority: null, offset: 0, limit: 9, sort: 'firstName', descending: false },
    textSearch: 'özi',
  });
  expect(users.records.map(({ email }) => email)).toEqual(['u@x']);

  if (profile === null || device === null) throw new TypeError('the records are gone');
  const collection = { name: 'things', filters: [], sorts: [], search: [], unique: [] };
  const outcomes = database.commitAll(
    [
      [{ kind: 'putProfile', record: { ...profile, provisionDeviceKey: 'key', version: 3 }, expectedVersion: 2 }],
      [{ kind: 'putDevice', record: { ...device, firmwareId: 'f', version: 4 }, expectedVersion: 3 }],
      [putDocument(collection, sampleDocument('t', {}))],
    ],
    () => {},
  );
  expect(outcomes).toEqual(['done', 'done', 'done']);
  expect(database.profileByProvisionKey('key')?.id).toBe('p');
  expect(database.packageInUse('f')).toBe(true);
  expect(database.documents(collection, documentQuery('t')).total).toBe(1);
  database.close();
  await rm(folder, { recursive: true });
});
