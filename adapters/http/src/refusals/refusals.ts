import type { ErrorObject } from '@moorage/api-types';
import { type Clock, PLATFORM_ERRORS, type PlatformError } from '@moorage/core';

/** ThingsBoard's error codes that the platform's own table does not use. thingsboard-server.md, 0.5 */
export const ErrorCode = {
  general: 2,
  authentication: 10,
  tokenExpired: 11,
  badRequest: 31,
  notFound: 32,
} as const;

/** The part of a reply that a refusal needs. */
export interface StatusReply {
  code(status: number): unknown;
}

/** Turns refusals into error objects. thingsboard-server.md, 0.5 */
export class Refusals {
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Sets the status and gives the body. */
  object(reply: StatusReply, status: number, errorCode: number, message: string): ErrorObject {
    reply.code(status);
    return { status, message, errorCode, timestamp: this.clock.now() };
  }

  /** The one place where a use case's refusal becomes an HTTP answer. */
  platform(reply: StatusReply, refusal: PlatformError): ErrorObject {
    const { httpStatus, errorCode } = PLATFORM_ERRORS[refusal.code];
    return this.object(reply, httpStatus, errorCode, refusal.message);
  }

  badRequest(reply: StatusReply, message: string): ErrorObject {
    return this.object(reply, 400, ErrorCode.badRequest, message);
  }

  notOffered(reply: StatusReply, what: string): ErrorObject {
    return this.object(reply, 501, ErrorCode.general, `${what} not offered by this server yet`);
  }
}
