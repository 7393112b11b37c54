import type { EntityId, JsonObject } from '../model/entities.ts';

/**
 * A value that documents are compared by. Conditions and unique groups compare exactly: a value equals none of another
 * type, and is neither below nor above it; text is ordered by code point. Sorting and searching compare text in lower case;
 * in a list, records without the member come first, then numbers, false, true, and text. A surrogate without its other
 * half counts as U+FFFD.
 */
export type MemberValue = string | number | boolean;

/**
 * A kind of record that is written seldom and read by few of its members: customers, packages, dashboards, RPC records.
 * The declaration is all that a store needs to know; it makes an index for each filter and each unique group.
 */
export interface DocumentCollection {
  /** Lower-case letters and `_`; part of the file, so never renamed. */
  readonly name: string;
  /**
   * Members of `body` that conditions may name; text, number or Boolean; absent and null never match. Where a query
   * compares several with `=` or `in`, the index of the first one here is used, so the most selective comes first.
   */
  readonly filters: readonly string[];
  /** Members of `body` that a list may be sorted by, beside `id` and `createdTime`. */
  readonly sorts: readonly string[];
  /** Members of `body` whose text `textSearch` looks into. */
  readonly search: readonly string[];
  /** Members that are unique together. A record that lacks one of them takes no part. */
  readonly unique: readonly { readonly scope: 'tenant' | 'server'; readonly members: readonly string[] }[];
}

/** One record of a collection. */
export interface StoredDocument {
  readonly id: EntityId;
  /** NULL_ID: of no tenant. */
  readonly tenantId: EntityId;
  readonly createdTime: number;
  /** Starts at 1, one more with every change. */
  readonly version: number;
  readonly body: JsonObject;
}

/** `member` is `createdTime` or one of the collection's filters. */
export interface DocumentCondition {
  readonly member: string;
  readonly is: '=' | '<' | '<=' | '>' | '>=' | 'in';
  /** A list for `in` (at most 1,000 values), else one value. */
  readonly value: MemberValue | readonly MemberValue[];
}

export interface DocumentQuery {
  /** null: all tenants. */
  readonly tenantId: EntityId | null;
  /** All of them hold. */
  readonly conditions: readonly DocumentCondition[];
  /** Part of a searched member in any case, no wildcards; null or empty: all. */
  readonly textSearch: string | null;
  /** `id`, `createdTime` or one of the collection's sorts; equal records are ordered by id. */
  readonly sort: string;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** Changes of documents; they travel in the same commit as any other change of the registry. */
export type DocumentChange =
  | {
      readonly kind: 'putDocument';
      readonly collection: DocumentCollection;
      readonly record: StoredDocument;
      /** null: the record must not exist yet; a number: the stored record has this version. */
      readonly expectedVersion: number | null;
    }
  | {
      readonly kind: 'deleteDocument';
      readonly collection: DocumentCollection;
      readonly id: EntityId;
      /** null: whatever is there, also nothing. */
      readonly expectedVersion: number | null;
    }
  /** Deletes at most `limit` records that meet all conditions, the oldest first. For cleaning up in slices. */
  | {
      readonly kind: 'deleteDocuments';
      readonly collection: DocumentCollection;
      readonly tenantId: EntityId | null;
      readonly conditions: readonly DocumentCondition[];
      readonly limit: number;
    };

/**
 * Reads see every commit that has resolved. Here and in a commit, a member that is not declared is a mistake of the
 * program: the call rejects with TypeError.
 */
export interface DocumentReaders {
  document(collection: DocumentCollection, id: EntityId): Promise<StoredDocument | null>;
  /** `total` counts all records that match. */
  documents(
    collection: DocumentCollection,
    query: DocumentQuery,
  ): Promise<{ readonly records: readonly StoredDocument[]; readonly total: number }>;
}
