import { RequestRefusal } from './request-refusal.ts';

/** What the peer is told of a failed request. */
export interface Failure {
  readonly status: number;
  readonly errorCode: number;
  readonly message: string;
  /** Broken on our side: logged with its stack. */
  readonly internal: boolean;
}

const badRequest = (status: number, message: string): Failure => ({ status, errorCode: 31, message, internal: false });

const INTERNAL: Failure = { status: 500, errorCode: 2, message: 'General error', internal: true };

function memberOf(error: object, name: 'code' | 'statusCode'): unknown {
  return name in error ? Reflect.get(error, name) : undefined;
}

/** Maps what the server framework, a parser or a handler threw. Nothing of an unknown error reaches the peer. */
export function toFailure(error: unknown): Failure {
  if (error instanceof RequestRefusal) {
    return { status: error.statusCode, errorCode: error.errorCode, message: error.message, internal: false };
  }
  if (!(error instanceof Error)) return INTERNAL;
  const statusCode = memberOf(error, 'statusCode');
  switch (memberOf(error, 'code')) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return badRequest(413, 'The request body is too large');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return badRequest(415, 'The content type is not supported: send application/json');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return badRequest(400, 'The body does not have the length that Content-Length says');
    case 'FST_ERR_BAD_URL':
      return badRequest(400, 'The path is not well-formed');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return badRequest(414, 'A part of the path is too long');
    default:
      return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
        ? badRequest(statusCode, error.message)
        : INTERNAL;
  }
}
