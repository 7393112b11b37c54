import { type PlatformError, refuse } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { OtaPackageType } from '../model/ota.ts';
import type { DocumentReaders } from '../ports/documents.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import { OTA_PACKAGES, packageOfTenant } from './package-record.ts';

/** The packages that a device or a profile refers to. */
export interface PackageChoice {
  readonly firmwareId: EntityId | null;
  readonly softwareId: EntityId | null;
}

/** Who refers to packages: a profile, or a device with its profile. */
export interface PackageHolder extends PackageChoice {
  readonly tenantId: EntityId;
  readonly profileId: EntityId;
}

export const NO_PACKAGES: PackageChoice = { firmwareId: null, softwareId: null };

/** A package is assigned and deleted under this lock, so that nothing ever refers to a deleted one. */
export function packageLock(id: EntityId): string {
  return `ota package ${id}`;
}

/** What is asked for over what there is; a member left out stays. */
export function chosenPackages(asked: Partial<PackageChoice>, current: PackageChoice): PackageChoice {
  return {
    firmwareId: asked.firmwareId === undefined ? current.firmwareId : asked.firmwareId,
    softwareId: asked.softwareId === undefined ? current.softwareId : asked.softwareId,
  };
}

/**
 * Runs a save that may give a device or a profile (`holder`) other packages than it had (`former`), with those checked and
 * kept from deletion meanwhile; `refused` makes the answer for a package that it cannot have.
 */
export async function withPackages<T>(
  context: { readonly repositories: DocumentReaders; readonly locks: Pick<EntityLocks, 'run'> },
  holder: PackageHolder,
  former: PackageHolder | null,
  save: () => Promise<T>,
  refused: (refusal: PlatformError) => T,
): Promise<T> {
  const { repositories, locks } = context;
  const { tenantId, profileId, firmwareId, softwareId } = holder;
  // What was fit for the former profile may not be for this one.
  const present = former?.profileId === profileId ? former : NO_PACKAGES;
  const fresh: [EntityId, OtaPackageType][] = [];
  if (firmwareId !== null && firmwareId !== present.firmwareId) fresh.push([firmwareId, 'FIRMWARE']);
  if (softwareId !== null && softwareId !== present.softwareId) fresh.push([softwareId, 'SOFTWARE']);
  if (fresh.length === 0) return save();
  const check = async (): Promise<T> => {
    for (const [id, type] of fresh) {
      const problem = await packageChoiceProblem(repositories, tenantId, profileId, id, type);
      if (problem !== null) return refused(problem);
    }
    return save();
  };
  // Two locks are always taken in the same order.
  const [first, second] = [...new Set(fresh.map(([id]) => packageLock(id)))].sort();
  const inner = second === undefined ? check : () => locks.run(second, check);
  return first === undefined ? check() : locks.run(first, inner);
}

/** Refuses a package that devices of the profile cannot be given. thingsboard-server.md, 5; null: they can. */
async function packageChoiceProblem(
  repositories: DocumentReaders,
  tenantId: EntityId,
  profileId: EntityId,
  id: EntityId,
  type: OtaPackageType,
): Promise<PlatformError | null> {
  const what = type.toLowerCase();
  const found = packageOfTenant(await repositories.document(OTA_PACKAGES, id), tenantId);
  if (found === null) return refuse('badRequest', `Can't assign non-existent ${what}!`);
  if (found.type !== type) return refuse('badRequest', `Can't assign ${what} with type: ${found.type}!`);
  if (!found.hasData) return refuse('badRequest', `Can't assign ${what} with empty data!`);
  if (found.deviceProfileId === null || found.deviceProfileId === profileId) return null;
  return refuse('badRequest', `Can't assign ${what} with different deviceProfile!`);
}
