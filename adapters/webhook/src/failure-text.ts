import { errors } from 'undici';

/** What is said of failures; texts of the system would tell strangers about the network behind the server. */
const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be resolved',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_HEADERS_OVERFLOW: 'the response has too many headers',
  UND_ERR_DESTROYED: 'the server is stopping',
  UND_ERR_CLOSED: 'the server is stopping',
  UND_ERR_MAX_ORIGINS_REACHED: 'too many hosts are asked at the same time',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is of another host',
};
const CODE = /^[A-Z][A-Z0-9_]{2,63}$/;

/** Plain English for an error of a request. */
export function failureText(error: unknown): string {
  if (error instanceof errors.HTTPParserError) return 'the response is not HTTP';
  const code = codeOf(error);
  if (code === null) return 'the request failed';
  return TEXTS[code] ?? `the request failed (${code})`;
}

/** True if the request itself cannot be sent, so that another attempt is of no use. */
export function isBadRequest(error: unknown): boolean {
  return error instanceof errors.InvalidArgumentError;
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  // Several addresses were tried.
  if (error instanceof AggregateError && !('code' in error)) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' && CODE.test(error.code) ? error.code : null;
}
