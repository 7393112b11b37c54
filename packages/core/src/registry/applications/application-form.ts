import type { Result } from '../../errors.ts';
import type { DialectId, EntityId, JsonObject } from '../../model/entities.ts';
import type { Crypto } from '../../ports/runtime.ts';
import type { ConnectIndex } from '../connect-index.ts';
import type { IsTopicFilter } from '../profile-data.ts';

/** What an application is read against. */
export interface FormContext {
  readonly id: EntityId;
  readonly tenantId: EntityId;
  readonly crypto: Crypto;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly isTopicFilter: IsTopicFilter;
  /** What exists on the server; only read. */
  readonly index: ConnectIndex;
}

/** Credentials, complete and checked. */
export interface ReadCredentials {
  readonly credentials: JsonObject;
  /** Members that were drawn at random, so another draw may be tried when a value is taken. */
  readonly drawn: readonly string[];
}

/** The readable parts of an application as it is kept. */
export interface ApplicationParts {
  readonly credentials: JsonObject;
  readonly configuration: JsonObject;
}

/** What the applications of one dialect are made of. api-additions.md, 2 */
export interface ApplicationForm {
  readonly dialect: DialectId;
  /** The member of the credentials that is shown as user name at CONNECT; null: they show none. */
  readonly nameMember: string | null;
  /** Secrets by which the application is found, unique in the dialect without regard to case. */
  readonly lookupMembers: readonly string[];
  /** Devices belong to it: it is not deleted before they are. */
  readonly isAccount: boolean;
  /** It is the devices of the account that connect, not the application. */
  readonly devicesConnect: boolean;
  /** What is left out stays as in `current`, else it is drawn. `configuration` is the new one. */
  readCredentials(
    given: JsonObject,
    current: JsonObject | null,
    configuration: JsonObject,
    context: FormContext,
  ): Result<ReadCredentials>;
  /** `merged`: the configuration so far, with the given members in place of its own; `given`: these alone. */
  readConfiguration(merged: JsonObject, given: JsonObject, context: FormContext): Result<JsonObject>;
  /** Whether connections that `before` let in have the same rights after the change and would be let in again. */
  keepsConnections(before: ApplicationParts, after: ApplicationParts): boolean;
  /** The configuration as the dialect sees it at CONNECT; absent: as it is. */
  connectConfiguration?(parts: ApplicationParts): JsonObject;
}
