import { type ErrorObject, PublishRequest, PublishResult, refTo } from '@moorage/api-types';
import type { FastifyReply } from 'fastify';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import type { BrokerDesk, RawOutcome } from '../broker-desk.ts';
import { fromPublishRequest, toPublishResult } from '../entities/broker.ts';
import { ErrorCode, type Refusals } from '../refusals/refusals.ts';
import { brokerTenantOf } from './broker-access.ts';
import { DeviceParams, refusalResponses } from './operation.ts';

const tags = ['broker'];

/** A message as it stands, past everything that the platform makes of topics. */
export function registerDevicePublishRoutes(app: ApiServer, context: ApiContext, desk: BrokerDesk): void {
  const { refusals } = context;
  const { devices } = context.platform;

  app.post(
    '/device/:deviceId/publish',
    {
      schema: {
        operationId: 'publishToDevice',
        tags,
        summary: 'Send a raw MQTT message to a device',
        description:
          "By the rules of the device's dialect. Where topics are routed (`plain`), it is published for everybody who has " +
          'subscribed and may receive it, also for absent Sessions, under a topic that the device may receive. Where they are ' +
          'not (`thingsboard`), it is pushed to the connection; 409 without one.',
        params: DeviceParams,
        body: refTo(PublishRequest),
        response: { 200: refTo(PublishResult), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      // A message in the tenant's space reaches everybody there, so users of a customer may not send any.
      const tenant = brokerTenantOf(caller);
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const device = await devices.get(caller, request.params.deviceId);
      if (!device.ok) return refusals.platform(reply, device);
      const message = fromPublishRequest(request.body);
      if (!message.ok) return refusals.platform(reply, message);
      const outcome = await desk.publish(device.value, message.value);
      return outcome.kind === 'refused' ? refusal(refusals, reply, outcome) : toPublishResult(outcome);
    },
  );
}

function refusal(
  refusals: Refusals,
  reply: FastifyReply,
  { reason, message }: Extract<RawOutcome, { readonly kind: 'refused' }>,
): ErrorObject {
  switch (reason) {
    case 'badMessage':
      return refusals.badRequest(reply, message);
    case 'tooLarge':
      return refusals.object(reply, 413, ErrorCode.badRequest, message);
    case 'notConnected':
      return refusals.object(reply, 409, ErrorCode.general, message);
    case 'full':
      return refusals.platform(reply, { ok: false, code: 'storageFull', message });
    case 'failed':
      return refusals.platform(reply, { ok: false, code: 'storageFailed', message });
    default:
      return reason satisfies never;
  }
}
