import type { ConnectCredential, CredentialLookup, EntityId } from '@moorage/core';
import type { Dialect, DialectPushes } from '@moorage/dialect-api';

/** An application that is told what devices of its tenant send. */
export interface PushedApplication {
  readonly dialectId: string;
  readonly pushes: DialectPushes;
  readonly credential: ConnectCredential;
  readonly id: EntityId;
}

/** A dialect that tells its applications. */
interface Teller {
  readonly dialectId: string;
  readonly pushes: DialectPushes;
}

const NONE: readonly PushedApplication[] = [];

/** The applications of each tenant that are to be told, kept until an application changes: asked for with every message. */
export class PushedApplications {
  readonly #credentials: CredentialLookup;
  readonly #tellers: readonly Teller[];
  readonly #ofTenant = new Map<EntityId, readonly PushedApplication[]>();
  readonly #known = new Set<EntityId>();

  constructor(dialects: readonly Dialect[], credentials: CredentialLookup) {
    this.#credentials = credentials;
    this.#tellers = dialects.flatMap(({ manifest, pushes }) =>
      pushes === undefined ? [] : [{ dialectId: manifest.id, pushes }],
    );
  }

  /** Keys of the server attributes that the dialects want to know of a device. */
  get deviceAttributes(): readonly string[] {
    return [...new Set(this.#tellers.flatMap(({ pushes }) => pushes.deviceAttributes))];
  }

  /** Tells the dialects that a device may have changed. */
  touched(deviceId: EntityId): void {
    for (const { pushes } of this.#tellers) pushes.deviceTouched?.(deviceId);
  }

  of(tenantId: EntityId): readonly PushedApplication[] {
    const known = this.#ofTenant.get(tenantId);
    if (known !== undefined) return known;
    const found = this.#look(tenantId);
    this.#ofTenant.set(tenantId, found);
    for (const { id } of found) this.#known.add(id);
    return found;
  }

  isApplication(id: EntityId): boolean {
    return this.#known.has(id) || this.#credentials.application?.(id) !== undefined;
  }

  /** An application came, changed or went: seldom enough to look at all tenants anew. */
  forget(): void {
    this.#ofTenant.clear();
    this.#known.clear();
  }

  #look(tenantId: EntityId): readonly PushedApplication[] {
    const found: PushedApplication[] = [];
    for (const { dialectId, pushes } of this.#tellers) {
      for (const credential of this.#credentials.applications?.(dialectId, tenantId) ?? []) {
        const { application } = credential;
        if (application?.enabled === true) found.push({ dialectId, pushes, credential, id: application.id });
      }
    }
    return found.length === 0 ? NONE : found;
  }
}
