import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change, CommitOutcome, DocumentCollection, DocumentQuery, JsonObject } from '@moorage/core';
import { documentQuery, putDocument, sampleDocument } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteDriver } from '../sqlite/driver.ts';
import { documentOrder, documentScope } from './document-plan.ts';
import { RegistryDatabase } from './registry-database.ts';

const CALLS: DocumentCollection = {
  name: 'calls',
  filters: ['device', 'status', 'expires'],
  sorts: ['title'],
  search: ['title'],
  unique: [{ scope: 'tenant', members: ['title'] }],
};
const TENANT = '00000000-0000-4000-8000-000000000001';

const unforeseen = (error: unknown): void => {
  throw error;
};

describe('SQLite: documents', () => {
  let folder: string;
  let path: string;
  let database: RegistryDatabase;
  const open = () => RegistryDatabase.open(path, 'normal', 0);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-core-'));
    path = join(folder, 'core.sqlite');
    database = open();
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true });
  });

  const commit = (...changes: Change[]): CommitOutcome | undefined => database.commitAll([changes], unforeseen)[0];
  const enter = (collection: DocumentCollection, ...bodies: JsonObject[]) =>
    commit(...bodies.map((body) => putDocument(collection, sampleDocument(TENANT, body))));
  const titles = (collection: DocumentCollection, parts: Partial<DocumentQuery>) =>
    database.documents(collection, documentQuery(TENANT, parts)).records.map(({ body }) => body.title);
  const inFile = <T>(work: (driver: SqliteDriver) => T): T => {
    const driver = SqliteDriver.open({ path, readOnly: true });
    const result = work(driver);
    driver.close();
    return result;
  };
  const indexes = () =>
    inFile((driver) =>
      driver
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'document:%' ORDER BY name")
        .all([])
        .map(({ name }) => name),
    );

  it('have their indexes from the first write on, and none before', () => {
    expect(database.documents(CALLS, documentQuery(null))).toEqual({ records: [], total: 0 });
    expect(indexes()).toEqual([]);
    expect(enter(CALLS, { title: 'a' })).toBe('done');
    const expected = [
      'document:calls:filter:device',
      'document:calls:filter:expires',
      'document:calls:filter:status',
      'document:calls:sort:id',
      'document:calls:sort:title',
      'document:calls:tenant',
      'document:calls:time',
      'document:calls:unique:tenant:title',
    ];
    expect(indexes()).toEqual(expected);
    database.close();
    database = open();
    expect(enter(CALLS, { title: 'b' })).toBe('done');
    expect(indexes()).toEqual(expected);
  });

  it('are found through the index of the first filter that is compared with equality, else of tenant or order', () => {
    enter(CALLS, { title: 'a', device: 'd', status: 's', expires: 1 });
    const plan = (parts: Partial<DocumentQuery>, tenantId: string | null = null): string => {
      const query = documentQuery(tenantId, { sort: 'createdTime', ...parts });
      const { source, parameters } = documentScope(CALLS, query);
      const sql = `EXPLAIN QUERY PLAN SELECT body FROM ${source} ORDER BY ${documentOrder(query)} LIMIT 10`;
      return inFile((driver) => driver.prepare(sql).all(parameters))
        .map(({ detail }) => String(detail).replace(/^(SEARCH|SCAN) document USING( COVERING)? INDEX (document:)?/, ''))
        .join('; ');
    };
    const device = { member: 'device', is: '=', value: 'd' } as const;
    const status = { member: 'status', is: 'in', value: ['s', 't'] } as const;
    const expires = { member: 'expires', is: '<=', value: 5 } as const;
    const created = { member: 'createdTime', is: '<', value: 5 } as const;
    expect(plan({ conditions: [device] }, TENANT)).toBe('calls:filter:device (<expr>=?)');
    expect(plan({ conditions: [status, device], descending: true })).toMatch(/^calls:filter:device \(<expr>=\?\)/);
    expect(plan({ conditions: [device, created] })).toBe('calls:filter:device (<expr>=? AND created_time<?)');
    expect(plan({ conditions: [status] })).toMatch(/^calls:filter:status \(<expr>=\?\)/);
    expect(plan({ conditions: [expires] })).toMatch(/^calls:filter:expires \(<expr>>\? AND <expr><\?\)/);
    expect(plan({ conditions: [expires, created] }, TENANT)).toBe('calls:tenant (tenant_id=? AND created_time<?)');
    expect(plan({ descending: true }, TENANT)).toBe('calls:tenant (tenant_id=?)');
    expect(plan({ textSearch: 'x' }, TENANT)).toBe('calls:tenant (tenant_id=?)');
    expect(plan({ conditions: [created] })).toBe('calls:time (created_time<?)');
    expect(plan({})).toBe('calls:time');
    expect(plan({ sort: 'id' })).toBe('document_by_id (collection=?)');
    expect(plan({ sort: 'title' }, TENANT)).toBe('calls:sort:title (tenant_id=?)');
    expect(plan({ sort: 'id' }, TENANT)).toBe('calls:sort:id (tenant_id=?)');
    expect(plan({ sort: 'title', conditions: [created] }, TENANT)).toMatch(
      /^calls:tenant \(tenant_id=\? AND created_time/,
    );
  });

  it('are searched, counted and sorted within one index, so that bodies are read for one page only', () => {
    enter(CALLS, { title: 'a' });
    for (const sort of ['title', 'id', 'createdTime']) {
      const query = documentQuery(TENANT, { sort, textSearch: 'x' });
      const { source, parameters } = documentScope(CALLS, query);
      for (const sql of [
        `SELECT count(*) FROM ${source}`,
        `SELECT row FROM ${source} ORDER BY ${documentOrder(query)} LIMIT 10`,
      ]) {
        // The keys are computed nowhere: they come out of the index.
        const program = inFile((driver) => driver.prepare(`EXPLAIN ${sql}`).all(parameters));
        expect(program.filter(({ p4 }) => String(p4).startsWith('json_extract'))).toEqual([]);
      }
    }
  });

  it('are compared by a new declaration after a restart, those that were written before as well', () => {
    const bodies = Array.from({ length: 1200 }, (_, index) => ({ title: `T${index}`, room: index % 3, note: 'Roof' }));
    expect(enter(CALLS, ...bodies)).toBe('done');
    database.close();
    database = open();
    const changed: DocumentCollection = { ...CALLS, filters: ['room'], sorts: ['note'], search: ['note'], unique: [] };
    const conditions = [{ member: 'room', is: '=', value: 1 }] as const;
    expect(titles(changed, { conditions, sort: 'note' })).toHaveLength(400);
    expect(titles(changed, { textSearch: 'roof', limit: 2000 })).toHaveLength(1200);
    expect(titles(changed, { textSearch: 't1' })).toEqual([]);
    expect(enter(changed, { title: 'T1' })).toBe('done');
    expect(indexes()).toEqual([
      'document:calls:filter:room',
      'document:calls:sort:id',
      'document:calls:sort:note',
      'document:calls:tenant',
      'document:calls:time',
    ]);
  });

  it('refuse a new unique group that the records break, and change nothing', () => {
    enter(CALLS, { title: 'a', serial: 1 }, { title: 'b', serial: 1 });
    database.close();
    database = open();
    const changed: DocumentCollection = { ...CALLS, unique: [{ scope: 'server', members: ['serial'] }] };
    const reports: unknown[] = [];
    const put = putDocument(changed, sampleDocument(TENANT, {}));
    const other: Change = { kind: 'putSetting', key: 'k', value: 'v' };
    expect(database.commitAll([[put], [other]], (error) => reports.push(error))).toEqual(['failed', 'done']);
    expect(reports).toHaveLength(1);
    expect(() => titles(changed, {})).toThrow('UNIQUE constraint');
    expect(titles(CALLS, { sort: 'title' })).toEqual(['a', 'b']);
    expect(indexes()).toContain('document:calls:unique:tenant:title');
  });

  it('answer a full disk at the first write of a collection, without harm to other commits', () => {
    const small: Change = { kind: 'putSetting', key: 'k', value: 'v' };
    const put = putDocument(CALLS, sampleDocument(TENANT, { title: 'a' }));
    commit(small);
    database.limitPages(1);
    expect(database.commitAll([[put], [{ ...small, value: 'w' }]], unforeseen)).toEqual(['full', 'done']);
    expect(titles(CALLS, {})).toEqual([]);
    database.limitPages(1_000_000);
    expect(commit(put)).toBe('done');
    expect(titles(CALLS, {})).toEqual(['a']);
  });

  it('take no name into a statement that is not a plain word', () => {
    const put = (parts: Partial<DocumentCollection>) =>
      database.commitAll([[putDocument({ ...CALLS, ...parts }, sampleDocument(TENANT, {}))]], () => {});
    expect(put({ name: "x' OR '1" })).toEqual(['failed']);
    expect(put({ name: 'other', filters: ["a') --"] })).toEqual(['failed']);
    expect(put({ name: 'other', unique: [{ scope: 'server', members: ['a"'] }] })).toEqual(['failed']);
    expect(indexes()).toEqual([]);
  });
});
