export { AlibabaDialect, type AlibabaDialectOptions } from './dialect.ts';
export { type IssuedSecret, type LinkSecrets, linkSecretsOf } from './secrets.ts';
export type { Hmac, HmacAlgorithm } from './signature.ts';
export { type LinkStore, linkStoreOf } from './stored-requests.ts';
