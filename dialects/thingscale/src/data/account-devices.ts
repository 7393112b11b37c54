import type { DeviceRef, EntityId } from '@moorage/core';
import { isDeviceId } from '../text/names.ts';
import type { AccountChannels } from './account-channels.ts';
import type { AccountContext, Refused } from './account-context.ts';
import type { AccountData, ThingscaleDevice } from './account-data.ts';
import type { Kept } from './record-table.ts';

export type DeviceChanges = Parameters<AccountData['updateDevice']>[1];

/** `created`: made for the vendor's device; `adopted`: the registry had it, without what the vendor's API says of it. */
export type Provisioned = 'created' | 'adopted' | 'MAX_DEVICE_REACH' | 'DEVICE_ID_ZERO' | Refused;

/** The devices of an account. The caller sees to it that work on one device does not overlap. */
export class AccountDevices {
  readonly #context: AccountContext;
  readonly #channels: AccountChannels;
  readonly #displace: (entityId: EntityId) => Promise<void>;
  /** Devices that are being made. */
  #making = 0;

  /** `displace` removes what any account keeps of a device. */
  constructor(context: AccountContext, channels: AccountChannels, displace: (entityId: EntityId) => Promise<void>) {
    this.#context = context;
    this.#channels = channels;
    this.#displace = displace;
  }

  /** The device in the registry of connections; undefined: there is none, whatever is kept here. */
  refOf(deviceId: string): DeviceRef | undefined {
    const { server, accountId } = this.#context;
    return server.credentials.accountDevice?.(accountId, deviceId);
  }

  /** What is kept of a device that the registry has. */
  kept(deviceId: string): Kept<ThingscaleDevice> | undefined {
    const kept = this.#context.records.devices.get(deviceId);
    return kept !== undefined && this.refOf(deviceId)?.id === kept.id ? kept : undefined;
  }

  list(): readonly ThingscaleDevice[] {
    const all: ThingscaleDevice[] = [];
    for (const { value } of this.#context.records.devices.all()) {
      if (this.kept(value.deviceId) !== undefined) all.push(value);
    }
    return all;
  }

  /** A device that only the registry knows is shown as it will be when something of it is changed. */
  shown(deviceId: string): ThingscaleDevice | undefined {
    const kept = this.kept(deviceId);
    if (kept !== undefined) return kept.value;
    const ref = this.refOf(deviceId);
    return ref === undefined ? undefined : newDevice(ref.id, deviceId, null, this.#context.server.now());
  }

  async create(deviceId: string): Promise<'done' | 'DEVICE_INUSE' | 'MAX_DEVICE_REACH' | Refused> {
    if (this.refOf(deviceId) !== undefined) return 'DEVICE_INUSE';
    const outcome = await this.provision(deviceId);
    if (outcome === 'adopted') return 'DEVICE_INUSE';
    if (outcome === 'DEVICE_ID_ZERO') return 'failed';
    return outcome === 'created' ? 'done' : outcome;
  }

  /** Makes a device that is not kept yet, maps it if the account says so. thingscale.md, 4.4 */
  async provision(deviceId: string): Promise<Provisioned> {
    if (!isDeviceId(deviceId)) return 'DEVICE_ID_ZERO';
    const { records, settings } = this.#context;
    if (records.devices.size + this.#making >= settings().maxDevices && !records.devices.has(deviceId)) {
      return 'MAX_DEVICE_REACH';
    }
    this.#making++;
    try {
      return await this.#make(deviceId);
    } finally {
      this.#making--;
    }
  }

  async #make(deviceId: string): Promise<Provisioned> {
    const found = await this.#find(deviceId);
    if (typeof found === 'string') return found;
    const { ref, isNew } = found;
    // What is kept under its name may be of a device that is gone, and the device may have been called otherwise.
    const stale = this.#context.records.devices.get(deviceId);
    if (stale !== undefined && stale.id !== ref.id) await this.#displace(stale.id);
    if (!isNew) await this.#displace(ref.id);
    const outcome = await this.#keep(ref, deviceId);
    if (outcome !== 'done') return outcome;
    return isNew ? 'created' : 'adopted';
  }

  async #find(deviceId: string): Promise<{ readonly ref: DeviceRef; readonly isNew: boolean } | Refused> {
    const { server, accountId, tenantId } = this.#context;
    const known = this.refOf(deviceId);
    if (known !== undefined) return { ref: known, isNew: false };
    const made = await server.createDevice(accountId, tenantId, deviceId);
    if (typeof made !== 'string') return { ref: made, isNew: true };
    if (made !== 'taken') return made;
    const other = this.refOf(deviceId);
    return other === undefined ? 'failed' : { ref: other, isNew: false };
  }

  #keep({ id }: DeviceRef, deviceId: string): Promise<'done' | Refused> {
    const { server, records, settings } = this.#context;
    return records.change<never>(() => {
      const now = server.now();
      const channel = settings().autoMap ? this.#channels.prepareLowest(deviceId) : null;
      const device = newDevice(id, deviceId, channel?.number ?? null, now);
      const prepared = records.devices.adding(id, now, device);
      return channel === null ? [prepared] : [channel.prepared, prepared];
    });
  }

  async update(deviceId: string, changes: DeviceChanges): Promise<'done' | 'NO_DEVICE' | 'NO_CHANNEL' | Refused> {
    if (this.refOf(deviceId) === undefined) return 'NO_DEVICE';
    if (this.kept(deviceId) === undefined) {
      const outcome = await this.provision(deviceId);
      if (outcome === 'MAX_DEVICE_REACH') return 'full';
      if (outcome === 'full' || outcome === 'failed') return outcome;
    }
    const { devices, channels } = this.#context.records;
    return this.#context.records.change(() => {
      const kept = devices.get(deviceId);
      if (kept === undefined) return 'NO_DEVICE';
      const { mappedChannel } = changes;
      if (mappedChannel !== undefined && mappedChannel !== null && !channels.has(mappedChannel)) return 'NO_CHANNEL';
      return [devices.replacing(kept, { ...kept.value, ...changes })];
    });
  }

  /** Its points stay in their channel. thingscale.md, 4.8 */
  async remove(deviceId: string): Promise<'done' | 'NO_DEVICE' | Refused> {
    const { server, tenantId } = this.#context;
    const ref = this.refOf(deviceId);
    if (ref === undefined) return 'NO_DEVICE';
    const outcome = await server.removeDevice(tenantId, ref.id);
    if (outcome !== 'done') return outcome;
    await this.#displace(ref.id);
    return 'done';
  }

  /** The device is gone: nothing is kept of it any more. */
  forget(entityId: EntityId, deviceId: string): Promise<'done' | Refused> {
    const { devices } = this.#context.records;
    return this.#context.records.change<never>(() => {
      const kept = devices.get(deviceId);
      return kept?.id === entityId ? [devices.removing(kept)] : [];
    });
  }
}

/** thingscale.md, 4.4, Provisioning */
function newDevice(
  entityId: EntityId,
  deviceId: string,
  mappedChannel: number | null,
  activateAt: number,
): ThingscaleDevice {
  return {
    deviceId,
    entityId,
    description: deviceId,
    enabled: true,
    mappedChannel,
    deviceType: '',
    location: '',
    manufacturer: '',
    activateAt,
    state: null,
    decodeMsgpack: false,
  };
}
