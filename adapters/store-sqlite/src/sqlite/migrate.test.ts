import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteDriver, sqliteFault } from './driver.ts';
import { type Migration, migrate } from './migrate.ts';
import { workerFile } from './worker-file.ts';

const first: Migration = { name: '2026-01-01-a', up: (database) => database.exec('CREATE TABLE a (x)') };
const second: Migration = { name: '2026-02-01-b', up: (database) => database.exec('CREATE TABLE b (x)') };

describe('store files', () => {
  let path = '';
  let database: SqliteDriver;
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'moorage-file-')), 'core.sqlite');
    database = SqliteDriver.open({ path });
  });
  afterEach(() => {
    database.close();
    rmSync(join(path, '..'), { recursive: true });
  });
  const run = (migrations: readonly Migration[], installationId = 'one') =>
    migrate(database, { file: 'core', installationId, migrations, now: 5 });

  it('are readable by their owner only, in WAL mode with pages of 8 KiB and incremental vacuum', () => {
    run([first]);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const settings = ['journal_mode', 'page_size', 'auto_vacuum', 'foreign_keys', 'wal_autocheckpoint'];
    expect(settings.map((name) => database.pragma(name))).toEqual(['wal', 8192, 2, 1, 4096]);
  });

  it('take each step once, in order, and later only the new ones', () => {
    run([first]);
    run([first, second]);
    run([first, second]);
    expect(database.prepare('SELECT name FROM migration ORDER BY name').all([])).toEqual([
      { name: first.name },
      { name: second.name },
    ]);
  });

  it('are as before when a step fails, and take it at the next start', () => {
    const broken: Migration = {
      name: second.name,
      up: (to) => {
        second.up(to);
        to.exec('CREATE TABLE b (x)');
      },
    };
    expect(() => run([first, broken])).toThrow('already exists');
    run([first, second]);
    expect(database.prepare('SELECT * FROM b').all([])).toEqual([]);
  });

  it('are refused with another installation id, as another file, or with an unknown step', () => {
    run([first, second]);
    expect(() => run([first, second], 'two')).toThrow(expect.objectContaining({ code: 'other-installation' }));
    expect(() => run([first])).toThrow(expect.objectContaining({ code: 'newer-schema' }));
    const asOther = () =>
      migrate(database, { file: 'session', installationId: 'one', migrations: [first, second], now: 0 });
    expect(asOther).toThrow(expect.objectContaining({ code: 'other-file' }));
  });

  it('serve kysely as its database', async () => {
    run([first]);
    const kysely = new Kysely<{ a: { x: number } }>({ dialect: new SqliteDialect({ database }) });
    await kysely.insertInto('a').values({ x: 4 }).execute();
    const rows = await kysely.updateTable('a').set({ x: sql<number>`x + 1` }).returning('x').execute();
    expect(rows).toEqual([{ x: 5 }]);
    expect(await kysely.selectFrom('a').selectAll().execute()).toEqual([{ x: 5 }]);
  });

  it('tell a full file, a broken constraint and anything else apart', () => {
    database.exec('CREATE TABLE c (x PRIMARY KEY); INSERT INTO c VALUES (1); PRAGMA max_page_count=4');
    const faultOf = (text: string) => {
      try {
        database.exec(text);
      } catch (error) {
        return sqliteFault(error);
      }
      return 'none';
    };
    expect(faultOf('INSERT INTO c VALUES (1)')).toBe('constraint');
    expect(faultOf('INSERT INTO c VALUES (zeroblob(1000000))')).toBe('full');
    expect(faultOf('nonsense')).toBe('other');
    expect(sqliteFault(new TypeError('x'))).toBe('other');
  });

  it('have workers beside them in sources and in bundles', () => {
    expect(workerFile('file:///a/src/b.ts', 'c').href).toBe('file:///a/src/c.ts');
    expect(workerFile('file:///a/dist/b.js', 'c').href).toBe('file:///a/dist/c.js');
  });
});
