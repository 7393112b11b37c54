import type { EntityId } from '../model/entities.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { AlarmOriginator } from './alarm.ts';

/** What alarms show of their originator, and who may see them. */
export interface OriginatorRecord {
  readonly id: EntityId;
  readonly tenantId: EntityId;
  readonly customerId: EntityId;
  readonly name: string;
  readonly label: string | null;
}

/** Entities that alarms may be about. */
export interface Originators {
  /** Whether alarms of such entities are kept; the type in upper case. */
  knows(entityType: string): boolean;
  find(originator: AlarmOriginator): Promise<OriginatorRecord | null>;
  /** Those that exist, by id. */
  findAll(originators: readonly AlarmOriginator[]): Promise<ReadonlyMap<EntityId, OriginatorRecord>>;
}

/** Devices asked of the store at once. */
const SLICE = 1000;

/** Devices as originators. */
export class DeviceOriginators implements Originators {
  readonly #repositories: Pick<Repositories, 'device' | 'devicesByIds'>;

  constructor(repositories: Pick<Repositories, 'device' | 'devicesByIds'>) {
    this.#repositories = repositories;
  }

  knows(entityType: string): boolean {
    return entityType === 'DEVICE';
  }

  async find({ entityType, id }: AlarmOriginator): Promise<OriginatorRecord | null> {
    return this.knows(entityType) ? this.#repositories.device(id) : null;
  }

  async findAll(originators: readonly AlarmOriginator[]): Promise<ReadonlyMap<EntityId, OriginatorRecord>> {
    const ids = [...new Set(originators.filter(({ entityType }) => this.knows(entityType)).map(({ id }) => id))];
    const found = new Map<EntityId, OriginatorRecord>();
    for (let start = 0; start < ids.length; start += SLICE) {
      for (const device of await this.#repositories.devicesByIds(ids.slice(start, start + SLICE))) {
        found.set(device.id, device);
      }
    }
    return found;
  }
}
