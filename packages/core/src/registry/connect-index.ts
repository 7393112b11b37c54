import type { DeviceRef, NameHolder } from '../model/connect-registry.ts';
import type { DialectId, EntityId } from '../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS, type ProfileSettings } from '../model/profile-settings.ts';
import type { NameClaim, NameList } from '../ports/repositories.ts';
import { AccountIndex } from './account-index.ts';
import { ApplicationIndex } from './applications/application-index.ts';
import { NameEntries, Registration } from './registration.ts';
import { VendorProducts } from './vendor-products.ts';

/** Names held for a principal while its commit is under way. */
export interface Reservation {
  readonly ok: true;
  /** Frees the names; once the commit is applied, the index itself holds them. */
  release(): void;
}

/** The name is not free; `holder` is the dialect that has it. */
export interface Taken {
  readonly ok: false;
  readonly claim: NameClaim;
  readonly holder: DialectId;
}

interface Held {
  readonly principalId: EntityId;
  readonly dialect: DialectId;
  readonly clientId: string | null;
}

/** Most names are held once, so the common case is the registration itself. */
type Holders = Registration | NameEntries;

/**
 * All devices and applications of the server as CONNECT sees them, in memory, with the two lists of names. Entries are
 * replaced as a whole. recognition.md, section 1
 */
export class ConnectIndex {
  /** The products that profiles stand for. */
  readonly products = new VendorProducts();
  /** The devices of accounts. */
  readonly accounts = new AccountIndex();
  readonly applications = new ApplicationIndex();
  readonly #byPrincipal = new Map<EntityId, Registration>();
  readonly #names: Readonly<Record<NameList, Map<string, Holders>>> = { username: new Map(), clientId: new Map() };
  readonly #certificates = new Map<string, Registration>();
  readonly #deviceNames = new Map<EntityId, Map<string, Registration>>();
  readonly #settings = new Map<EntityId, ProfileSettings>();
  readonly #reserved: Readonly<Record<NameList, Map<string, Held[]>>> = { username: new Map(), clientId: new Map() };

  byUsername(username: string): NameHolder | undefined {
    return holderOf(this.#names.username.get(username));
  }

  byClientId(clientId: string): NameHolder | undefined {
    return holderOf(this.#names.clientId.get(clientId));
  }

  byCertificate(hash: string): Registration | undefined {
    return this.#certificates.get(hash);
  }

  registration(principalId: EntityId): Registration | undefined {
    return this.#byPrincipal.get(principalId);
  }

  deviceRef(id: EntityId): DeviceRef | undefined {
    return this.#byPrincipal.get(id)?.device ?? undefined;
  }

  /** The ids of all devices; follows changes while it is read. */
  *deviceIds(): IterableIterator<EntityId> {
    for (const { device } of this.#byPrincipal.values()) if (device !== null) yield device.id;
  }

  deviceRefByName(tenantId: EntityId, name: string): DeviceRef | undefined {
    return this.#deviceNames.get(tenantId)?.get(name)?.device ?? undefined;
  }

  /** Devices of a tenant. */
  deviceCount(tenantId: EntityId): number {
    return this.#deviceNames.get(tenantId)?.size ?? 0;
  }

  settingsOf(profileId: EntityId): ProfileSettings {
    return this.#settings.get(profileId) ?? DEFAULT_PROFILE_SETTINGS;
  }

  hasSettings(profileId: EntityId): boolean {
    return this.#settings.has(profileId);
  }

  setSettings(profileId: EntityId, settings: ProfileSettings): void {
    this.#settings.set(profileId, settings);
    this.products.put(profileId, settings);
  }

  removeSettings(profileId: EntityId): void {
    this.#settings.delete(profileId);
    this.products.remove(profileId);
  }

  /** Devices of a profile, by a scan over all. */
  devicesOfProfile(profileId: EntityId): readonly Registration[] {
    const found: Registration[] = [];
    for (const registration of this.#byPrincipal.values()) {
      if (registration.device?.profileId === profileId) found.push(registration);
    }
    return found;
  }

  /** Holds names for a principal until released, unless another principal has or holds one of them. */
  reserve(claims: readonly NameClaim[], principalId: EntityId, clientId: string | null): Reservation | Taken {
    const held = claims.map(({ dialect }): Held => ({ principalId, dialect, clientId }));
    for (const claim of claims) {
      const holder = this.#holder(claim, principalId, clientId);
      if (holder !== undefined) return { ok: false, claim, holder };
    }
    for (const [index, entry] of held.entries()) {
      const claim = claims[index];
      if (claim === undefined) continue;
      const waiting = this.#reserved[claim.list].get(claim.name);
      if (waiting === undefined) this.#reserved[claim.list].set(claim.name, [entry]);
      else waiting.push(entry);
    }
    return {
      ok: true,
      release: () => {
        for (const { list, name } of claims) this.#free(list, name, held);
      },
    };
  }

  /** Enters a principal, or replaces its entry with all its names. */
  put(registration: Registration): void {
    const old = this.#byPrincipal.get(registration.principalId);
    if (old !== undefined) this.#unlink(old);
    this.#byPrincipal.set(registration.principalId, registration);
    const { device, username, clientId, certificateHash } = registration;
    if (certificateHash !== null) this.#certificates.set(certificateHash, registration);
    if (username !== null) link(this.#names.username, username, registration);
    else if (clientId !== null) link(this.#names.clientId, clientId, registration);
    this.applications.enter(registration);
    this.accounts.enter(registration);
    if (device === null) return;
    const names = this.#deviceNames.get(device.tenantId);
    if (names === undefined) this.#deviceNames.set(device.tenantId, new Map([[device.name, registration]]));
    else names.set(device.name, registration);
  }

  remove(principalId: EntityId): void {
    const old = this.#byPrincipal.get(principalId);
    if (old === undefined) return;
    this.#unlink(old);
    this.#byPrincipal.delete(principalId);
  }

  #unlink(old: Registration): void {
    if (old.username !== null) unlink(this.#names.username, old.username, old);
    else if (old.clientId !== null) unlink(this.#names.clientId, old.clientId, old);
    if (old.certificateHash !== null && this.#certificates.get(old.certificateHash) === old) {
      this.#certificates.delete(old.certificateHash);
    }
    this.applications.leave(old);
    this.accounts.leave(old);
    if (old.device === null) return;
    const names = this.#deviceNames.get(old.device.tenantId);
    // A device renamed meanwhile may have left its old name to another one.
    if (names?.get(old.device.name) === old) names.delete(old.device.name);
  }

  #holder(claim: NameClaim, principalId: EntityId, clientId: string | null): DialectId | undefined {
    const isOther = (holder: { readonly principalId: EntityId } | undefined) =>
      holder !== undefined && holder.principalId !== principalId;
    const entered = this.#names[claim.list].get(claim.name);
    if (entered instanceof Registration) {
      if (isOther(entered) && clashes(entered, claim, clientId)) return entered.dialect;
    } else if (entered !== undefined) {
      const whole = entered.dialect !== claim.dialect || claim.exclusive;
      if (whole ? entered.size > 1 || isOther(entered.first()) : isOther(entered.get(clientId))) return entered.dialect;
    }
    const reserved = this.#reserved[claim.list].get(claim.name) ?? [];
    return reserved.find((other) => isOther(other) && clashes(other, claim, clientId))?.dialect;
  }

  #free(list: NameList, name: string, held: readonly Held[]): void {
    const waiting = this.#reserved[list].get(name)?.filter((entry) => !held.includes(entry));
    if (waiting === undefined || waiting.length === 0) this.#reserved[list].delete(name);
    else this.#reserved[list].set(name, waiting);
  }
}

/** Inside a dialect that allows it, records share a name as long as their pairs differ. REC-17 */
function clashes(
  other: { readonly dialect: DialectId; readonly clientId: string | null },
  claim: NameClaim,
  clientId: string | null,
): boolean {
  return other.dialect !== claim.dialect || claim.exclusive || other.clientId === clientId;
}

function holderOf(holders: Holders | undefined): NameHolder | undefined {
  return holders instanceof Registration ? { dialect: holders.dialect, credentials: [holders] } : holders;
}

function link(names: Map<string, Holders>, name: string, registration: Registration): void {
  const holders = names.get(name);
  if (holders === undefined) {
    names.set(name, registration);
    return;
  }
  let entries: NameEntries;
  if (holders instanceof Registration) {
    entries = new NameEntries(holders.dialect);
    entries.set(holders);
    names.set(name, entries);
  } else entries = holders;
  entries.set(registration);
}

function unlink(names: Map<string, Holders>, name: string, registration: Registration): void {
  const holders = names.get(name);
  if (holders === registration) names.delete(name);
  else if (holders instanceof NameEntries) {
    holders.delete(registration);
    if (holders.size === 0) names.delete(name);
  }
}
