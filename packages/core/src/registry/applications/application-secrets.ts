import type { DialectId, EntityId } from '../../model/entities.ts';

/** A secret by which its application is found. */
export interface LookupSecret {
  /** Member of the credentials; the same for the present value and for the one before it. */
  readonly member: string;
  readonly value: string;
  /** Epoch milliseconds up to which a former value holds; null: the present one. */
  readonly validUntil: number | null;
}

interface Held extends LookupSecret {
  readonly applicationId: EntityId;
}

/** Others are never held; upper case would make ASCII of some of them. */
const LOOKED_UP = /^[0-9A-Za-z]{1,64}$/;

/** Secrets by which applications are found, unique in their dialect without regard to case. thingscale.md, 4.1 */
export class ApplicationSecrets {
  /** By dialect and value. Several where the time of former ones is over. */
  readonly #held = new Map<string, readonly Held[]>();
  readonly #keys = new Map<EntityId, readonly string[]>();
  /** Values that are being saved. */
  readonly #reserved = new Map<string, EntityId>();

  /** Gives an application these secrets in place of those it had. */
  put(dialect: DialectId, applicationId: EntityId, secrets: readonly LookupSecret[]): void {
    this.remove(applicationId);
    const keys: string[] = [];
    for (const secret of secrets) {
      const key = keyOf(dialect, secret.value);
      keys.push(key);
      this.#held.set(key, [...(this.#held.get(key) ?? []), { ...secret, applicationId }]);
    }
    if (keys.length > 0) this.#keys.set(applicationId, keys);
  }

  remove(applicationId: EntityId): void {
    for (const key of this.#keys.get(applicationId) ?? []) {
      const others = (this.#held.get(key) ?? []).filter((held) => held.applicationId !== applicationId);
      if (others.length === 0) this.#held.delete(key);
      else this.#held.set(key, others);
    }
    this.#keys.delete(applicationId);
  }

  /** Whose secret it is at `now`; the holder of a present value comes before that of a former one. */
  find(dialect: DialectId, member: string, value: string, now: number): EntityId | undefined {
    if (!LOOKED_UP.test(value)) return undefined;
    const valid = this.#held.get(keyOf(dialect, value))?.filter((held) => held.member === member && holds(held, now));
    return (valid?.find(({ validUntil }) => validUntil === null) ?? valid?.[0])?.applicationId;
  }

  /** Holds values that are being saved until `release`; else the first one that another application has. */
  reserve(
    dialect: DialectId,
    applicationId: EntityId,
    secrets: readonly LookupSecret[],
    now: number,
  ): { readonly ok: true; release(): void } | { readonly ok: false; readonly member: string } {
    const keys = secrets.map(({ value }) => keyOf(dialect, value));
    for (const [index, { member }] of secrets.entries()) {
      const key = keys[index] ?? '';
      const reserved = this.#reserved.get(key) ?? applicationId;
      const others = this.#held.get(key)?.filter((held) => held.applicationId !== applicationId) ?? [];
      if (reserved !== applicationId || others.some((held) => holds(held, now))) return { ok: false, member };
    }
    for (const key of keys) this.#reserved.set(key, applicationId);
    return {
      ok: true,
      release: () => {
        for (const key of keys) this.#reserved.delete(key);
      },
    };
  }
}

function holds({ validUntil }: LookupSecret, now: number): boolean {
  return validUntil === null || now < validUntil;
}

function keyOf(dialect: DialectId, value: string): string {
  return `${dialect}/${value.toUpperCase()}`;
}
