import type { DeviceProfile, EntityId } from '../../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../../ports/documents.ts';
import type { Change } from '../../ports/repositories.ts';
import type { Clock, Crypto } from '../../ports/runtime.ts';
import { reportingOf } from '../../reporting/reporting-limits.ts';
import type { PackageChoice } from '../package-choice.ts';

/** What devices are told by telemetry and shared attributes when their device or profile is saved. */
export const WORK_KINDS = ['FIRMWARE', 'SOFTWARE', 'REPORTING'] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

/**
 * Work on devices that is owed: committed together with the save that causes it, removed when it is done. Whoever does
 * it writes what device and profile say at that time, so doing it twice or late is harmless.
 */
export interface DeviceWork {
  readonly id: EntityId;
  readonly tenantId: EntityId;
  readonly createdTime: number;
  readonly version: number;
  /** One device, or all devices of a profile. */
  readonly target: 'device' | 'profile';
  readonly targetId: EntityId;
  readonly kinds: readonly WorkKind[];
  /** Devices of the profile up to this one are done; null: none is. */
  readonly after: EntityId | null;
}

export const DEVICE_WORK: DocumentCollection = {
  name: 'ota_work',
  filters: ['target'],
  sorts: [],
  search: [],
  unique: [],
};

/** The members of a profile that its devices are told. */
export type ProfileMeaning = Pick<DeviceProfile, 'firmwareId' | 'softwareId' | 'profileData'>;

/** What a device has by itself and by its profile. */
export interface DeviceMeaning {
  readonly device: PackageChoice;
  readonly profile: ProfileMeaning;
}

/** JSON text of a profile's reporting limits; null: it has none. */
export function reportingText(profile: Pick<DeviceProfile, 'profileData'>): string | null {
  const reporting = reportingOf(profile.profileData);
  return reporting === null ? null : JSON.stringify(reporting);
}

/** What one device has to be told after a change; `before` is null for a new device. */
export function changedForDevice(before: DeviceMeaning | null, after: DeviceMeaning): readonly WorkKind[] {
  const { device, profile } = after;
  const was = before ?? { device: null, profile: null };
  const kinds: WorkKind[] = [];
  const firmware = (own: PackageChoice | null, of: ProfileMeaning | null) => own?.firmwareId ?? of?.firmwareId ?? null;
  const software = (own: PackageChoice | null, of: ProfileMeaning | null) => own?.softwareId ?? of?.softwareId ?? null;
  if (firmware(was.device, was.profile) !== firmware(device, profile)) kinds.push('FIRMWARE');
  if (software(was.device, was.profile) !== software(device, profile)) kinds.push('SOFTWARE');
  if (reportingOrNull(was.profile) !== reportingText(profile)) kinds.push('REPORTING');
  return kinds;
}

/** What the devices of a profile have to be told after a change of it. */
export function changedForProfile(before: ProfileMeaning, after: ProfileMeaning): readonly WorkKind[] {
  const kinds: WorkKind[] = [];
  if (before.firmwareId !== after.firmwareId) kinds.push('FIRMWARE');
  if (before.softwareId !== after.softwareId) kinds.push('SOFTWARE');
  if (reportingText(before) !== reportingText(after)) kinds.push('REPORTING');
  return kinds;
}

/** New work; none if there is nothing to tell. */
export function newWork(
  context: { readonly crypto: Pick<Crypto, 'uuid'>; readonly clock: Pick<Clock, 'now'> },
  tenantId: EntityId,
  target: DeviceWork['target'],
  targetId: EntityId,
  kinds: readonly WorkKind[],
): DeviceWork | null {
  if (kinds.length === 0) return null;
  const { crypto, clock } = context;
  return { id: crypto.uuid(), tenantId, createdTime: clock.now(), version: 1, target, targetId, kinds, after: null };
}

/** The changes that put down new work, for the commit that causes it. */
export function workChanges(work: DeviceWork | null): readonly Change[] {
  if (work === null) return [];
  return [{ kind: 'putDocument', collection: DEVICE_WORK, record: workRecord(work), expectedVersion: null }];
}

export function workRecord(work: DeviceWork): StoredDocument {
  const { id, tenantId, createdTime, version, ...body } = work;
  return { id, tenantId, createdTime, version, body };
}

/** The work of a record; null: it is none. */
export function workOf(record: StoredDocument): DeviceWork | null {
  const { id, tenantId, createdTime, version, body } = record;
  const { target, targetId, kinds, after } = body;
  if ((target !== 'device' && target !== 'profile') || typeof targetId !== 'string' || !Array.isArray(kinds))
    return null;
  return {
    id,
    tenantId,
    createdTime,
    version,
    target,
    targetId,
    kinds: WORK_KINDS.filter((kind) => kinds.includes(kind)),
    after: typeof after === 'string' ? after : null,
  };
}

function reportingOrNull(profile: ProfileMeaning | null): string | null {
  return profile === null ? null : reportingText(profile);
}
