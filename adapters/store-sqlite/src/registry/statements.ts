import type { SqliteDriver, SqliteStatement, SqlRow } from '../sqlite/driver.ts';

/** Prepared statements by their text, compiled once. Texts are constants or assembled from constants, never from values. */
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
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#driver.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
