import type { EntityId, Tenant } from '../model/entities.ts';
import type { ListQuery, Repositories } from '../ports/repositories.ts';
import type { Crypto } from '../ports/runtime.ts';
import { enterStoredApplication } from './applications/application-entry.ts';
import { commitRefusal } from './commit-refusals.ts';
import { fleetRegistration } from './device-entries.ts';
import { minimalProfile } from './profile-choice.ts';
import { deriveProfileSettings } from './profile-data.ts';
import type { RegistryContext } from './registry-context.ts';

/** Why a registry cannot be opened; the message is for the operator. */
export type RegistryStartErrorCode = 'wrong-seal-key' | 'not-writable';

/** A condition at start that leaves no use case to answer it. */
export class RegistryStartError extends Error {
  readonly code: RegistryStartErrorCode;

  constructor(code: RegistryStartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RegistryStartError';
    this.code = code;
  }
}

const DEFAULT_TENANT = 'default';
const DEFAULT_PROFILE = 'default';
const SEAL_SETTING = 'seal-check';
const DUMMY_HASH_SETTING = 'dummy-hash';
const FLEET_SLICE = 10_000;
const LIST_SLICE = 1000;

/** Makes sure that what these repositories hold sealed can be opened, by a text sealed at first start. */
export async function openSeal(repositories: Repositories, crypto: Crypto): Promise<void> {
  const { installationId } = repositories;
  const sealed = await repositories.setting(SEAL_SETTING);
  if (sealed === null) {
    const value = crypto.seal(installationId);
    await required(repositories, [{ kind: 'putSetting', key: SEAL_SETTING, value }]);
    return;
  }
  let opened: string;
  try {
    opened = crypto.open(sealed);
  } catch (cause) {
    throw new RegistryStartError('wrong-seal-key', 'The key for sealed secrets does not fit this data', { cause });
  }
  if (opened === installationId) return;
  throw new RegistryStartError('wrong-seal-key', 'The key for sealed secrets belongs to another installation');
}

/** The hash of a password that nobody has; computed at first start only, since it costs as much as a login. */
export async function dummyHash(repositories: Repositories, crypto: Crypto): Promise<string> {
  const stored = await repositories.setting(DUMMY_HASH_SETTING);
  if (stored !== null) return stored;
  const value = await crypto.hashPassword(crypto.uuid());
  await repositories.commit([{ kind: 'putSetting', key: DUMMY_HASH_SETTING, value }]);
  return value;
}

/** The tenant `default` with its default profile; made if there is none. */
export async function firstStart(context: RegistryContext): Promise<Tenant> {
  const { repositories, crypto, clock } = context;
  const present = await repositories.tenantByName(DEFAULT_TENANT);
  if (present !== null) return present;
  const tenant: Tenant = { id: crypto.uuid(), createdTime: clock.now(), name: DEFAULT_TENANT };
  await required(repositories, [
    { kind: 'putTenant', record: tenant },
    { kind: 'putProfile', record: minimalProfile(context, tenant.id, DEFAULT_PROFILE, true), expectedVersion: null },
  ]);
  return tenant;
}

/** Enters every device and application of the server. */
export async function loadIndex(context: RegistryContext): Promise<void> {
  const { repositories, crypto, index, provisioningProfiles } = context;
  const open = (sealed: string): string => crypto.open(sealed);
  // The same tenant, customer and profile stand in many rows: one text in memory for all of them.
  const texts = new Map<string, string>();
  const shared = (text: EntityId): EntityId => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    texts.set(text, text);
    return text;
  };
  for await (const profile of everything((query) => repositories.profiles(query))) {
    index.setSettings(shared(profile.id), deriveProfileSettings(profile));
    provisioningProfiles.put(profile);
  }
  for await (const application of everything((query) => repositories.applications(query))) {
    enterStoredApplication(index, application, open);
  }
  let next = repositories.fleet(null, FLEET_SLICE);
  for (;;) {
    const rows = await next;
    const last = rows.at(-1);
    // The store reads the next rows while these are entered.
    if (last !== undefined) next = repositories.fleet(last.deviceId, FLEET_SLICE);
    for (const row of rows) {
      const profileId = shared(row.profileId);
      const device = {
        id: row.deviceId,
        tenantId: shared(row.tenantId),
        name: row.name,
        profileId,
        gateway: row.gateway,
        settings: index.settingsOf(profileId),
      };
      const entry = { ...row, customerId: shared(row.customerId) };
      index.put(fleetRegistration(entry, device, open));
    }
    if (last === undefined) return;
  }
}

async function* everything<T>(
  read: (query: ListQuery<'id'>) => Promise<{ readonly records: readonly T[]; readonly total: number }>,
): AsyncGenerator<T> {
  for (let offset = 0; ; offset += LIST_SLICE) {
    const query = {
      tenantId: null,
      offset,
      limit: LIST_SLICE,
      textSearch: null,
      sort: 'id',
      descending: false,
    } as const;
    const { records, total } = await read(query);
    yield* records;
    if (offset + LIST_SLICE >= total) return;
  }
}

async function required(repositories: Repositories, changes: Parameters<Repositories['commit']>[0]): Promise<void> {
  const outcome = await repositories.commit(changes);
  if (outcome === 'done') return;
  throw new RegistryStartError('not-writable', `The registry cannot be written: ${commitRefusal(outcome).message}`);
}
