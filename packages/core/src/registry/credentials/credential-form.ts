import type { PlatformError, Result } from '../../errors.ts';
import type { CredentialsType, DialectId, EntityId } from '../../model/entities.ts';
import type { NameList } from '../../ports/repositories.ts';
import type { Crypto } from '../../ports/runtime.ts';
import type { CredentialPlace } from './credential-place.ts';

/** What a credentials type says about all its records. */
export interface CredentialKind {
  readonly dialect: DialectId;
  /** The value holds a password and is sealed for storage. */
  readonly secret: boolean;
  /** A name is not shared by several records, whatever their Client Identifiers. */
  readonly exclusive: boolean;
  /** The refusal when `holder` has the name already; it never names a device or tenant. */
  taken(list: NameList, holder: DialectId): PlatformError;
}

/** Credentials as they were asked for, checked and with the missing parts generated. */
export interface CredentialForm {
  readonly credentialsType: CredentialsType;
  readonly credentialsId: string;
  /** Readable text, before sealing. */
  readonly credentialsValue: string | null;
  /** What a CONNECT must show; null: not part of the credential. */
  readonly username: string | null;
  readonly clientId: string | null;
  /** Where the device belongs; null: to the tenant's default account, absent: the type knows no accounts. */
  readonly accountId?: EntityId | null;
  /** The name was drawn at random, so another draw may be tried when it is taken. */
  readonly generated: boolean;
}

/** The part of a request that a type reads. */
export interface CredentialRequest {
  readonly credentialsId: string | null;
  readonly credentialsValue: string | null;
}

/** Reads the request for one type. */
export type CredentialReader = (
  request: CredentialRequest,
  crypto: Crypto,
  place: CredentialPlace,
) => Result<CredentialForm>;
