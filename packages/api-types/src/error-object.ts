import { type Static, Type } from 'typebox';
import { epochMs, named } from './building-blocks.ts';

/** The body of every refusal outside the telemetry family. thingsboard-server.md, 0.5 */
export const ErrorObject = named(
  'ErrorObject',
  Type.Object(
    {
      status: Type.Integer({ description: 'The HTTP status.' }),
      message: Type.String(),
      errorCode: Type.Integer({
        description:
          '2 general, 10 authentication, 11 token expired, 20 permission denied, 30 invalid arguments, ' +
          '31 bad request parameters, 32 item not found, 33 too many requests, 35 version conflict, ' +
          '41 limit exceeded, 45 password violation, 46 storage.',
      }),
      timestamp: epochMs(),
    },
    { additionalProperties: false },
  ),
);
export type ErrorObject = Static<typeof ErrorObject>;
