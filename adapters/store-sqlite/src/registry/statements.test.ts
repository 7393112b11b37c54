import { expect, it } from 'vitest';
import { SqliteDriver } from '../sqlite/driver.ts';
import { Statements } from './statements.ts';

it('SQLite: keeps the statements used last, and no more than a bound', () => {
  const driver = SqliteDriver.open({ path: ':memory:' });
  const compiled: string[] = [];
  const prepare = driver.prepare.bind(driver);
  driver.prepare = (sql: string) => {
    compiled.push(sql);
    return prepare(sql);
  };
  const statements = new Statements(driver);
  for (let index = 0; index < 1000; index += 1) {
    expect(statements.get(`SELECT ${index} AS x`, [])).toEqual({ x: index });
    statements.get('SELECT 1 AS often', []);
  }
  expect(compiled.filter((sql) => sql === 'SELECT 1 AS often')).toHaveLength(1);
  compiled.length = 0;
  statements.get('SELECT 999 AS x', []);
  expect(compiled).toEqual([]);
  statements.get('SELECT 0 AS x', []);
  expect(compiled).toEqual(['SELECT 0 AS x']);
  driver.close();
});
