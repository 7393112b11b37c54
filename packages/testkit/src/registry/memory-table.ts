import type { EntityId, UniqueMember } from '@moorage/core';

/** Takes back what was done since it was made, newest first. */
export class UndoLog {
  readonly #steps: (() => void)[] = [];

  add(step: () => void): void {
    this.#steps.push(step);
  }

  rollBack(): void {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step();
  }
}

/** A record as far as the table cares; those without a version never change. */
export interface Versioned {
  readonly id: EntityId;
  readonly version?: number;
}

/** The value of a unique member; null: the record has none. */
export type UniqueValues<R> = readonly (readonly [UniqueMember, (record: R) => string | null])[];

/** Records by id with further unique members. */
export class MemoryTable<R extends Versioned> {
  readonly #members: UniqueValues<R>;
  readonly #rows = new Map<EntityId, R>();
  readonly #unique = new Map<string, R>();

  constructor(members: UniqueValues<R>) {
    this.#members = members;
  }

  get(key: string): R | undefined {
    return this.#rows.get(key);
  }

  find(member: UniqueMember, value: string): R | undefined {
    return this.#unique.get(`${member}\n${value}`);
  }

  all(): readonly R[] {
    return [...this.#rows.values()];
  }

  /** The first unique member whose value another record has. */
  taken(record: R): UniqueMember | undefined {
    const clash = this.#members.find(([member, read]) => {
      const value = read(record);
      const holder = value === null ? undefined : this.find(member, value);
      return holder !== undefined && holder.id !== record.id;
    });
    return clash?.[0];
  }

  put(record: R, undo: UndoLog): void {
    const key = record.id;
    const before = this.#rows.get(key);
    this.#set(key, before, record);
    undo.add(() => this.#set(key, record, before));
  }

  delete(key: string, undo: UndoLog): void {
    const before = this.#rows.get(key);
    if (before === undefined) return;
    this.#set(key, before, undefined);
    undo.add(() => this.#set(key, undefined, before));
  }

  #set(key: string, before: R | undefined, after: R | undefined): void {
    for (const [member, read] of this.#members) {
      const old = before === undefined ? null : read(before);
      if (old !== null) this.#unique.delete(`${member}\n${old}`);
      const value = after === undefined ? null : read(after);
      if (value !== null && after !== undefined) this.#unique.set(`${member}\n${value}`, after);
    }
    if (after === undefined) this.#rows.delete(key);
    else this.#rows.set(key, after);
  }
}
