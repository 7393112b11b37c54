import { ErrorObject } from '@moorage/api-types';
import { PLATFORM_ERRORS, type PlatformError } from '@moorage/core';
import { Type } from 'typebox';

/** ThingsBoard's own refusals in this family are a bare sentence. thingsboard-server.md, 0.5 */
const bareOrObject = Type.Unsafe<string | ErrorObject>({
  description: 'A sentence as text/plain; an error object for a bad token, id or entity type.',
  anyOf: [{ type: 'string' }, { $ref: ErrorObject.$id }],
});
export const telemetryRefusalResponses = { '4xx': bareOrObject, '5xx': bareOrObject };

/** The parts of a reply that a bare refusal needs. */
export interface TextReply {
  code(status: number): unknown;
  type(contentType: string): unknown;
}

/** Sets status and content type and gives the body. */
export function bareRefusal(reply: TextReply, status: number, message: string): string {
  reply.code(status);
  reply.type('text/plain; charset=utf-8');
  return message;
}

/** A use case's refusal as a bare sentence. */
export function barePlatformRefusal(reply: TextReply, refusal: PlatformError, typeName = 'Device'): string {
  const message = refusal.code === 'notFound' ? `${typeName} with requested id wasn't found!` : refusal.message;
  return bareRefusal(reply, PLATFORM_ERRORS[refusal.code].httpStatus, message);
}
