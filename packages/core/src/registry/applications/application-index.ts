import type { DialectId, EntityId } from '../../model/entities.ts';
import type { Registration } from '../registration.ts';
import { ApplicationSecrets } from './application-secrets.ts';

/** Applications of one dialect, or of one dialect in one tenant. */
interface Shelf {
  readonly byId: Map<EntityId, Registration>;
  /** The same as a list, made when it is asked for; asked for with every message, while applications seldom change. */
  list: readonly Registration[] | null;
}

const NONE: readonly Registration[] = [];

/** The applications of the server by dialect and tenant, in memory, with those of their secrets that are looked up. */
export class ApplicationIndex {
  readonly secrets = new ApplicationSecrets();
  readonly #ofDialect = new Map<DialectId, Shelf>();
  readonly #ofTenant = new Map<EntityId, Map<DialectId, Shelf>>();

  /** All of a dialect, or those of one tenant; the list is not changed later. */
  of(dialect: DialectId, tenantId?: EntityId): readonly Registration[] {
    const shelf = tenantId === undefined ? this.#ofDialect.get(dialect) : this.#ofTenant.get(tenantId)?.get(dialect);
    if (shelf === undefined) return NONE;
    shelf.list ??= [...shelf.byId.values()];
    return shelf.list;
  }

  /** Enters an application, or replaces its entry. */
  enter(registration: Registration): void {
    const { application, dialect } = registration;
    if (application === null) return;
    const ofTenant = this.#ofTenant.get(application.tenantId) ?? new Map<DialectId, Shelf>();
    this.#ofTenant.set(application.tenantId, ofTenant);
    for (const shelves of [this.#ofDialect, ofTenant]) {
      const shelf = shelves.get(dialect) ?? { byId: new Map<EntityId, Registration>(), list: null };
      shelves.set(dialect, shelf);
      shelf.byId.set(application.id, registration);
      shelf.list = null;
    }
  }

  leave({ application, dialect }: Registration): void {
    if (application === null) return;
    const ofTenant = this.#ofTenant.get(application.tenantId);
    for (const shelves of [this.#ofDialect, ofTenant]) {
      const shelf = shelves?.get(dialect);
      if (shelf === undefined) continue;
      shelf.byId.delete(application.id);
      shelf.list = null;
      if (shelf.byId.size === 0) shelves?.delete(dialect);
    }
    if (ofTenant?.size === 0) this.#ofTenant.delete(application.tenantId);
    this.secrets.remove(application.id);
  }
}
