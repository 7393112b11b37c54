import type { EntityId } from '../model/entities.ts';
import type { ConnectIndex } from '../registry/connect-index.ts';

/** How many devices a tenant may have before no more are made unasked by a person. */
export class DeviceRoom {
  readonly #index: Pick<ConnectIndex, 'deviceCount'>;
  readonly #limit: number | null;
  /** Devices of a tenant that are being created. */
  readonly #creating = new Map<EntityId, number>();

  /** `limit` null: there is none. */
  constructor(index: Pick<ConnectIndex, 'deviceCount'>, limit: number | null) {
    this.#index = index;
    this.#limit = limit;
  }

  /** Why there is no room, as part of a sentence. */
  get refusal(): string {
    return `the tenant has its limit of ${this.#limit} devices`;
  }

  /** Creates a device while a place is kept for it; null: there is no room. */
  async take<T>(tenantId: EntityId, create: () => Promise<T>): Promise<T | null> {
    const creating = this.#creating.get(tenantId) ?? 0;
    if (this.#limit !== null && this.#index.deviceCount(tenantId) + creating >= this.#limit) return null;
    this.#creating.set(tenantId, creating + 1);
    try {
      return await create();
    } finally {
      const left = (this.#creating.get(tenantId) ?? 1) - 1;
      if (left === 0) this.#creating.delete(tenantId);
      else this.#creating.set(tenantId, left);
    }
  }
}
