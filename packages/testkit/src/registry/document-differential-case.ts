import {
  type Change,
  type DocumentCollection,
  type DocumentCondition,
  type DocumentQuery,
  type Json,
  type JsonObject,
  type MemberValue,
  NULL_ID,
  type Repositories,
} from '@moorage/core';
import { expect, it } from 'vitest';
import { seededRandom } from '../telemetry/batches.ts';
import { documentQuery, putDocument } from './document-cases.ts';
import { MemoryRepositories } from './memory-repositories.ts';

const OPERATIONS = 3000;
const COLLECTIONS: readonly DocumentCollection[] = [
  {
    name: 'random_one',
    filters: ['a', 'b', 'createdTime'],
    sorts: ['a', 'c', 'createdTime'],
    search: ['a', 'c'],
    unique: [
      { scope: 'tenant', members: ['a', 'd'] },
      { scope: 'server', members: ['d', 'b', 'c'] },
    ],
  },
  { name: 'random_two', filters: ['c'], sorts: [], search: [], unique: [] },
];
const TENANTS = [NULL_ID, '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
const MEMBERS = ['a', 'b', 'c', 'd', 'e'];
const VALUES: readonly MemberValue[] = [
  ...[
    '',
    'x',
    'X',
    'xy',
    'Ä',
    'ä',
    'a\u0000b',
    '\ud800',
    '\ufffd',
    '\u{1f600}',
    '\uff21',
    '3',
    'İ',
    '1',
    '4',
    '\uffff',
  ],
  ...[0, 1, -1, 2.5, 1e21, -1e-300, 5e-324, 2 ** 53, 1_700_000_000_000],
  ...[true, false],
];
const OTHER_VALUES: readonly Json[] = [null, [], ['x'], { a: 1 }];
const SEARCHES = ['', 'x', 'Y', 'ä', '\u0000', '\ud800', '3', '4', '😀', 'i̇'];
const OPERATORS: readonly DocumentCondition['is'][] = ['=', '<', '<=', '>', '>=', 'in'];

/** Random commits and queries of documents on the repositories and on the reference, from a fixed seed. */
export function documentDifferentialCase(subject: () => Repositories): void {
  it(`equals the reference over ${OPERATIONS} random commits and queries of documents`, {
    timeout: 60_000,
  }, async () => {
    const reference = new MemoryRepositories();
    const random = seededRandom(20_261_122);
    const below = (limit: number) => Math.floor(random() * limit);
    const pick = <T>(from: readonly [T, ...T[]] | readonly T[], fallback: T): T => from[below(from.length)] ?? fallback;
    const one = () => pick(COLLECTIONS, COLLECTIONS[0] as DocumentCollection);
    const tenant = () => pick(TENANTS, NULL_ID);
    const id = () => `00000000-0000-4000-9000-0000000000${10 + below(60)}`;

    const body = (): JsonObject =>
      Object.fromEntries(
        MEMBERS.filter(() => random() < 0.8).map((member) => [
          member,
          random() < 0.1 ? pick(OTHER_VALUES, null) : pick(random() < 0.6 ? VALUES.slice(0, 4) : VALUES, ''),
        ]),
      );
    const conditions = (collection: DocumentCollection): DocumentCondition[] =>
      Array.from({ length: below(3) }, () => {
        const member = random() < 0.2 ? 'createdTime' : pick(collection.filters, 'createdTime');
        const is = pick(OPERATORS, '=');
        const value = () => (member === 'createdTime' && random() < 0.8 ? below(20) : pick(VALUES, ''));
        return { member, is, value: is === 'in' ? Array.from({ length: below(4) }, value) : value() };
      });
    const change = async (): Promise<Change> => {
      const collection = one();
      const dice = random();
      if (dice < 0.04) {
        const tenantId = random() < 0.5 ? null : tenant();
        return { kind: 'deleteDocuments', collection, tenantId, conditions: conditions(collection), limit: below(6) };
      }
      const stored = await reference.document(collection, id());
      const key = stored?.id ?? id();
      const guess = random() < 0.8 ? (stored?.version ?? null) : pick([null, 1, 2], null);
      if (dice < 0.2) return { kind: 'deleteDocument', collection, id: key, expectedVersion: guess };
      const version = (guess ?? 0) + 1;
      const record = { id: key, tenantId: tenant(), createdTime: below(20), version, body: body() };
      return putDocument(collection, record, guess);
    };
    const query = (collection: DocumentCollection): DocumentQuery =>
      documentQuery(random() < 0.4 ? null : tenant(), {
        conditions: conditions(collection),
        textSearch: random() < 0.3 ? pick(SEARCHES, '') : null,
        sort: pick(['id', 'createdTime', ...collection.sorts], 'id'),
        descending: random() < 0.5,
        offset: random() < 0.5 ? 0 : below(20),
        limit: below(30),
      });

    const refusals = new Map<string, number>();
    let records = 0;
    for (let done = 0; done < OPERATIONS; done += 1) {
      if (random() < 0.5) {
        const changes: Change[] = [];
        for (let count = below(4); count >= 0; count -= 1) changes.push(await change());
        const expected = await reference.commit(changes);
        expect(await subject().commit(changes)).toEqual(expected);
        const name = typeof expected === 'string' ? expected : expected.kind;
        refusals.set(name, (refusals.get(name) ?? 0) + 1);
      } else {
        const collection = one();
        const asked = query(collection);
        const expected = await reference.documents(collection, asked);
        expect(await subject().documents(collection, asked), JSON.stringify(asked)).toEqual(expected);
        records += expected.records.length;
      }
    }
    // The run is worth nothing unless every outcome occurred and queries found something.
    for (const name of ['done', 'exists', 'version', 'uniqueDocument']) expect(refusals.get(name)).toBeGreaterThan(10);
    expect(records).toBeGreaterThan(OPERATIONS / 2);
  });
}
