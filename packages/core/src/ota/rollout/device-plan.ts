import type { DeviceProfile, EntityId } from '../../model/entities.ts';
import type { Change, StoredDevice } from '../../ports/repositories.ts';
import type { RegistryContext } from '../../registry/registry-context.ts';
import { changedForDevice, type DeviceMeaning, newWork, workChanges } from './device-work.ts';

type Context = Pick<RegistryContext, 'repositories' | 'crypto' | 'clock' | 'listeners'>;

/** What the save of a device means beyond its record. */
export interface DevicePlan {
  /** For the commit of the save. */
  readonly changes: readonly Change[];
  /** To be awaited once the commit is done. */
  committed(): Promise<void>;
}

/**
 * Plans what a saved device has to be told. `former` is null for a new device; `profileChangesSeen` is the listeners'
 * count from before `profile` was read.
 */
export async function planDevice(
  context: Context,
  device: StoredDevice,
  profile: DeviceProfile,
  former: StoredDevice | null,
  profileChangesSeen: number,
): Promise<DevicePlan> {
  const { repositories, listeners } = context;
  const meaning: DeviceMeaning = { device, profile };
  const formerProfile =
    former === null || former.deviceProfileId === profile.id
      ? profile
      : await repositories.profile(former.deviceProfileId);
  const before = former === null || formerProfile === null ? null : { device: former, profile: formerProfile };
  const work = newWork(context, device.tenantId, 'device', device.id, changedForDevice(before, meaning));
  return {
    changes: workChanges(work),
    committed: async () => {
      if (former !== null && differs(former, device)) listeners.assignmentChanged(device.id);
      if (work !== null) listeners.deviceWorkAdded();
      if (listeners.profileChanges !== profileChangesSeen) await followProfile(context, meaning, device.id, profile);
    },
  };
}

/** A profile that was saved while the device was may have counted its devices without this one. */
async function followProfile(
  context: Context,
  meaning: DeviceMeaning,
  deviceId: EntityId,
  profile: DeviceProfile,
): Promise<void> {
  const { repositories, listeners } = context;
  const now = await repositories.profile(profile.id);
  if (now === null || now.version === profile.version) return;
  const kinds = changedForDevice(meaning, { device: meaning.device, profile: now });
  const changes = workChanges(newWork(context, profile.tenantId, 'device', deviceId, kinds));
  if (changes.length === 0) return;
  // Without room for it the device keeps what it was told; the next save of its profile reaches it.
  if ((await repositories.commit(changes)) === 'done') listeners.deviceWorkAdded();
}

function differs(a: StoredDevice, b: StoredDevice): boolean {
  return a.firmwareId !== b.firmwareId || a.softwareId !== b.softwareId || a.deviceProfileId !== b.deviceProfileId;
}
