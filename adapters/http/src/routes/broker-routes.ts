import {
  BrokerSessionPage,
  BrokerSubscriptionPage,
  PageLinkProperties,
  RetainedMessagePage,
  refTo,
} from '@moorage/api-types';
import { isTopicFilter } from '@moorage/dialect-api';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import type { BrokerDesk } from '../broker-desk.ts';
import {
  mapBrokerPage,
  toBrokerQuery,
  toBrokerSession,
  toBrokerSubscription,
  toRetainedMessage,
} from '../entities/broker.ts';
import { brokerTenantOf } from './broker-access.ts';
import { registerBrokerBanRoutes } from './broker-ban-routes.ts';
import { registerBrokerTraceRoutes } from './broker-trace-routes.ts';
import { registerDevicePublishRoutes } from './device-publish-routes.ts';
import { refusalResponses } from './operation.ts';

const tags = ['broker'];

const { pageSize, page, textSearch } = PageLinkProperties;
const BrokerLink = Type.Object({ pageSize, page, textSearch });
const RetainedLink = Type.Object({
  pageSize,
  page,
  textSearch,
  topicFilter: Type.Optional(
    Type.String({ minLength: 1, maxLength: 4096, description: 'Topic Filter that the topics match; all if left out.' }),
  ),
});

/** The broker's state and what operators do with it. api-additions.md, 3 */
export function registerBrokerRoutes(app: ApiServer, context: ApiContext, desk: BrokerDesk): void {
  registerLists(app, context, desk);
  registerBrokerTraceRoutes(app, context, desk);
  registerBrokerBanRoutes(app, context, desk);
  registerDevicePublishRoutes(app, context, desk);
}

function registerLists(app: ApiServer, { refusals }: ApiContext, desk: BrokerDesk): void {
  app.get(
    '/broker/sessions',
    {
      schema: {
        operationId: 'getBrokerSessions',
        tags,
        summary: 'MQTT Sessions of the tenant, connected and absent',
        description: '`textSearch` is looked for in client ID, name, dialect and address. In no particular order.',
        querystring: BrokerLink,
        response: { 200: refTo(BrokerSessionPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const tenant = brokerTenantOf(callerOf(request));
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const result = await desk.sessions(tenant.value, toBrokerQuery(request.query));
      return result.ok ? mapBrokerPage(result.value, toBrokerSession) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/broker/subscriptions',
    {
      schema: {
        operationId: 'getBrokerSubscriptions',
        tags,
        summary: 'Subscriptions of all Sessions of the tenant',
        description: '`textSearch` is looked for in Topic Filter, client ID and name. In no particular order.',
        querystring: BrokerLink,
        response: { 200: refTo(BrokerSubscriptionPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const tenant = brokerTenantOf(callerOf(request));
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const result = await desk.subscriptions(tenant.value, toBrokerQuery(request.query));
      return result.ok ? mapBrokerPage(result.value, toBrokerSubscription) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/broker/retained',
    {
      schema: {
        operationId: 'getBrokerRetained',
        tags,
        summary: 'Retained Messages of the tenant, by topic',
        description: '`textSearch` is looked for in the topic.',
        querystring: RetainedLink,
        response: { 200: refTo(RetainedMessagePage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const tenant = brokerTenantOf(callerOf(request));
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const { topicFilter = '#' } = request.query;
      if (!isTopicFilter(topicFilter) || topicFilter.startsWith('$share/')) {
        return refusals.badRequest(reply, 'topicFilter is not a Topic Filter.');
      }
      const result = await desk.retained(tenant.value, topicFilter, toBrokerQuery(request.query));
      return result.ok ? mapBrokerPage(result.value, toRetainedMessage) : refusals.platform(reply, result);
    },
  );
}
