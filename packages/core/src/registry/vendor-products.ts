import type { DialectId, EntityId } from '../model/entities.ts';
import type { ProfileSettings } from '../model/profile-settings.ts';

/** What a vendor calls a product, and the profile that is it. */
interface Product {
  readonly dialect: DialectId;
  readonly name: string;
}

/** The products that profiles stand for, by their names at the vendor. A name belongs to one profile of the server. */
export class VendorProducts {
  readonly #profiles = new Map<string, EntityId>();
  readonly #products = new Map<EntityId, string>();
  readonly #reserved = new Map<string, EntityId>();

  /** undefined: no profile is this product. */
  profileOf(dialect: DialectId, name: string): EntityId | undefined {
    return this.#profiles.get(keyOf({ dialect, name }));
  }

  /** Enters what a profile stands for, in place of what it stood for before. */
  put(profileId: EntityId, settings: ProfileSettings): void {
    this.remove(profileId);
    const product = productOf(settings);
    // Of two profiles that an import gave the same name, the first keeps it.
    if (product === null || this.#profiles.has(keyOf(product))) return;
    this.#profiles.set(keyOf(product), profileId);
    this.#products.set(profileId, keyOf(product));
  }

  remove(profileId: EntityId): void {
    const key = this.#products.get(profileId);
    if (key === undefined) return;
    this.#products.delete(profileId);
    this.#profiles.delete(key);
  }

  /** Holds the name of a profile that is being saved until the returned function is called; null: it is taken. */
  reserve(profileId: EntityId, settings: ProfileSettings): (() => void) | null {
    const product = productOf(settings);
    if (product === null) return () => {};
    const key = keyOf(product);
    const isOther = (holder: EntityId | undefined): boolean => holder !== undefined && holder !== profileId;
    if (isOther(this.#profiles.get(key)) || isOther(this.#reserved.get(key))) return null;
    this.#reserved.set(key, profileId);
    return () => {
      if (this.#reserved.get(key) === profileId) this.#reserved.delete(key);
    };
  }
}

function productOf({ alibaba }: ProfileSettings): Product | null {
  return alibaba ? { dialect: 'alibaba', name: alibaba.productKey } : null;
}

function keyOf({ dialect, name }: Product): string {
  return `${dialect}/${name}`;
}
