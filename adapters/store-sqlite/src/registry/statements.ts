import type { SqliteDriver, SqliteStatement, SqlRow } from '../sqlite/driver.ts';

/** Far more than the program has texts of common use. */
const MOST_KEPT = 400;

/**
 * Prepared statements by their text; those used last are kept. Texts are constants or assembled from constants and checked
 * names, never from values.
 */
export class Statements {
  readonly #driver: SqliteDriver;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(driver: SqliteDriver) {
    this.#driver = driver;
  }

  get(sql: string, parameters: readonly unknown[]): SqlRow | undefined {
    return this.#prepare(sql).get(parameters);
  }

  all(sql: string, parameters: readonly unknown[]): SqlRow[] {
    return this.#prepare(sql).all(parameters);
  }

  /** Number of rows changed. */
  run(sql: string, parameters: readonly unknown[]): number {
    return Number(this.#prepare(sql).run(parameters).changes);
  }

  #prepare(sql: string): SqliteStatement {
    const statement = this.#prepared.get(sql) ?? this.#driver.prepare(sql);
    // A map keeps the order of entry, so this makes the statement the newest.
    this.#prepared.delete(sql);
    this.#prepared.set(sql, statement);
    if (this.#prepared.size > MOST_KEPT) {
      const [oldest] = this.#prepared.keys();
      if (oldest !== undefined) this.#prepared.delete(oldest);
    }
    return statement;
  }
}
