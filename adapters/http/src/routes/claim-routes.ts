import { ClaimFailure, ClaimRequest, ClaimResult, ErrorObject, refTo } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { toDevice } from '../entities/device.ts';
import { emptyResponse, refusalResponses } from './operation.ts';

const tags = ['device'];
const NameParams = Type.Object({ deviceName: Type.String({ minLength: 1, maxLength: 255 }) });

/** JSON text that is sent as it is, so its type here is text. */
const refusedClaim = Type.Unsafe<string | ErrorObject>(Type.Union([refTo(ClaimFailure), refTo(ErrorObject)]));

/** Claiming by users. thingsboard-server.md, 2.8 */
export function registerClaimRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { claims } = context.platform;

  app.post(
    '/customer/device/:deviceName/claim',
    {
      // The body may be missing.
      preValidation: async (request) => {
        request.body ??= {};
      },
      schema: {
        operationId: 'claimDevice',
        tags,
        summary: 'Take a device for the own customer, by the secret that the device showed',
        description: 'A failed claim is answered with 400 and the bare text "FAILURE" or "CLAIMED".',
        params: NameParams,
        body: refTo(ClaimRequest),
        documentedBody: { required: false },
        response: {
          200: refTo(ClaimResult),
          400: refusedClaim,
          ...refusalResponses,
        },
      },
    },
    async (request, reply) => {
      const secretKey = request.body.secretKey ?? '';
      const result = await claims.claim(callerOf(request), request.params.deviceName, secretKey);
      if (!result.ok) return refusals.platform(reply, result);
      const { value } = result;
      if (value.response === 'SUCCESS') return { device: toDevice(value.device), response: value.response };
      return reply.code(400).type('application/json; charset=utf-8').send(JSON.stringify(value.response));
    },
  );

  app.delete(
    '/customer/device/:deviceName/claim',
    {
      schema: {
        operationId: 'reClaimDevice',
        tags,
        summary: 'Give a claimed device back',
        params: NameParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await claims.reclaim(callerOf(request), request.params.deviceName);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}
