/** Why a use case refused. One table for HTTP, MQTT and documents: `PLATFORM_ERRORS`. */
export type PlatformErrorCode =
  | 'authentication'
  | 'badCredentials'
  | 'accountDisabled'
  | 'accountLocked'
  | 'permissionDenied'
  | 'invalidArguments'
  | 'badRequest'
  | 'notFound'
  | 'tooManyRequests'
  | 'versionConflict'
  | 'limitExceeded'
  | 'passwordViolation'
  | 'storageFull'
  | 'storageFailed'
  | 'notImplemented'
  | 'general';

export interface PlatformErrorEntry {
  readonly httpStatus: number;
  /** ThingsBoard's errorCode, thingsboard-server.md, 0.5. */
  readonly errorCode: number;
  /** MQTT 5.0 Reason Code. */
  readonly reasonCode: number;
  readonly retry: boolean;
  readonly text: string;
}

/** Every way a use case can refuse, and how each interface says so. */
export const PLATFORM_ERRORS: Readonly<Record<PlatformErrorCode, PlatformErrorEntry>> = {
  authentication: { httpStatus: 401, errorCode: 10, reasonCode: 0x87, retry: false, text: 'Authentication failed' },
  badCredentials: {
    httpStatus: 401,
    errorCode: 10,
    reasonCode: 0x86,
    retry: false,
    text: 'Invalid username or password',
  },
  accountDisabled: {
    httpStatus: 401,
    errorCode: 10,
    reasonCode: 0x87,
    retry: false,
    text: 'User account is not active',
  },
  accountLocked: {
    httpStatus: 401,
    errorCode: 10,
    reasonCode: 0x87,
    retry: true,
    text: 'User account is locked due to security policy',
  },
  permissionDenied: {
    httpStatus: 403,
    errorCode: 20,
    reasonCode: 0x87,
    retry: false,
    text: "You don't have permission to perform this operation!",
  },
  invalidArguments: { httpStatus: 400, errorCode: 30, reasonCode: 0x83, retry: false, text: 'Invalid arguments' },
  badRequest: { httpStatus: 400, errorCode: 31, reasonCode: 0x83, retry: false, text: 'Bad request parameters' },
  notFound: { httpStatus: 404, errorCode: 32, reasonCode: 0x83, retry: false, text: "Requested item wasn't found!" },
  tooManyRequests: { httpStatus: 429, errorCode: 33, reasonCode: 0x96, retry: true, text: 'Too many requests' },
  versionConflict: { httpStatus: 409, errorCode: 35, reasonCode: 0x83, retry: true, text: 'Version conflict' },
  limitExceeded: { httpStatus: 403, errorCode: 41, reasonCode: 0x97, retry: false, text: 'Limit exceeded' },
  passwordViolation: {
    httpStatus: 401,
    errorCode: 45,
    reasonCode: 0x83,
    retry: false,
    text: 'Password violates the policy',
  },
  storageFull: { httpStatus: 507, errorCode: 46, reasonCode: 0x97, retry: true, text: 'The storage is full' },
  storageFailed: { httpStatus: 500, errorCode: 46, reasonCode: 0x80, retry: true, text: 'The storage did not answer' },
  notImplemented: { httpStatus: 501, errorCode: 2, reasonCode: 0x83, retry: false, text: 'Not offered' },
  general: { httpStatus: 500, errorCode: 2, reasonCode: 0x80, retry: false, text: 'General error' },
};

/** A refusal of a use case; returned, not thrown. */
export interface PlatformError {
  readonly ok: false;
  readonly code: PlatformErrorCode;
  /** One sentence for the caller, without secrets and without names of other tenants. */
  readonly message: string;
}

export interface Success<T> {
  readonly ok: true;
  readonly value: T;
}

export type Result<T> = Success<T> | PlatformError;

export function success<T>(value: T): Success<T> {
  return { ok: true, value };
}

/** A refusal with the table's text unless a better sentence is given. */
export function refuse(code: PlatformErrorCode, message: string = PLATFORM_ERRORS[code].text): PlatformError {
  return { ok: false, code, message };
}
