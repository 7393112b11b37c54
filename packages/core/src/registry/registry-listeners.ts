import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId } from '../model/entities.ts';
import type { RegistryListener } from '../platform.ts';
import type { Value } from '../values/value.ts';

/** Tells every listener; one that throws is reported and does not keep the others from hearing. */
export class RegistryListeners implements RegistryListener {
  readonly #listeners = new Set<RegistryListener>();
  readonly #report: (error: unknown) => void;
  /** How many changes of profiles were told so far; who reads it before and after knows whether there was one between. */
  profileChanges = 0;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Returns the function that removes the listener again. */
  add(listener: RegistryListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  revoked(principalId: EntityId, reason: 'credentialsChanged' | 'deleted' | 'disabled'): void {
    this.#tell((listener) => listener.revoked(principalId, reason));
  }

  deviceChanged(device: DeviceRef): void {
    this.#tell((listener) => listener.deviceChanged(device));
  }

  sharedAttributesChanged(
    deviceId: EntityId,
    change: { readonly values: ReadonlyMap<string, Value> } | { readonly deleted: readonly string[] },
  ): void {
    this.#tell((listener) => listener.sharedAttributesChanged(deviceId, change));
  }

  deviceCreated(device: DeviceRef): void {
    this.#tell((listener) => listener.deviceCreated?.(device));
  }

  profileChanged(profileId: EntityId): void {
    this.profileChanges += 1;
    this.#tell((listener) => listener.profileChanged?.(profileId));
  }

  assignmentChanged(deviceId: EntityId): void {
    this.#tell((listener) => listener.assignmentChanged?.(deviceId));
  }

  ownerChanged(deviceId: EntityId): void {
    this.#tell((listener) => listener.ownerChanged?.(deviceId));
  }

  behindGatewayChanged(gatewayId: EntityId, name: string, newName: string | null): void {
    this.#tell((listener) => listener.behindGatewayChanged?.(gatewayId, name, newName));
  }

  deviceEnabled(device: DeviceRef, enabled: boolean, gatewayId: EntityId | null): void {
    this.#tell((listener) => listener.deviceEnabled?.(device, enabled, gatewayId));
  }

  deviceWorkAdded(): void {
    this.#tell((listener) => listener.deviceWorkAdded?.());
  }

  applicationChanged(id: EntityId): void {
    this.#tell((listener) => listener.applicationChanged?.(id));
  }

  applicationRemoved(id: EntityId): void {
    this.#tell((listener) => listener.applicationRemoved?.(id));
  }

  #tell(call: (listener: RegistryListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
