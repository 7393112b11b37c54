import { refTo, WebhookDeliveryPage, WebhookDeliveryQuery } from '@moorage/api-types';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { mapPage } from '../entities/pages.ts';
import { toDeliveryQuery, toWebhookDelivery } from '../entities/webhook-delivery.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['webhook'];

/** api-additions.md, 3 */
export function registerWebhookRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { webhooks } = context.platform;

  app.get(
    '/webhook/deliveries',
    {
      schema: {
        operationId: 'getWebhookDeliveries',
        tags,
        summary: 'Messages to receivers outside that wait or were given up, newest first',
        querystring: WebhookDeliveryQuery,
        response: { 200: refTo(WebhookDeliveryPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const result = await webhooks.deliveries(callerOf(request), query.state ?? 'DEAD', toDeliveryQuery(query));
      return result.ok ? mapPage(result.value, toWebhookDelivery) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/webhook/delivery/:id/replay',
    {
      schema: {
        operationId: 'replayWebhookDelivery',
        tags,
        summary: 'Send a message again that was given up',
        description: 'It goes to the end of the queue of its receiver, with the same event id and all its attempts.',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await webhooks.replay(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}
