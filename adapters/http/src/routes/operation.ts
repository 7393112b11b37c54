// The members `hide`, `security`, `tags` and so on of route schemas.
import type {} from '@fastify/swagger';
import { ErrorObject, refTo, Uuid } from '@moorage/api-types';
import { Type } from 'typebox';

/** The answers that every operation with error objects may give besides its own. */
export const refusalResponses = {
  '4xx': refTo(ErrorObject),
  '5xx': refTo(ErrorObject),
};

/** 200 without a body. */
export const emptyResponse = Type.Unsafe<undefined>({ type: 'null', description: 'Done; the body is empty.' });

/** Marks an operation that needs no token in the OpenAPI document. */
export const PUBLIC: readonly { [scheme: string]: readonly string[] }[] = [];

export const IdParams = Type.Object({ id: Uuid });
export const DeviceParams = Type.Object({ deviceId: Uuid });
