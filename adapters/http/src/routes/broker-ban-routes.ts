import { BanRequest, BrokerBan, BrokerBanPage, PageLinkProperties, refTo, Uuid } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import type { BrokerDesk } from '../broker-desk.ts';
import { mapBrokerPage, toBrokerBan, toBrokerQuery } from '../entities/broker.ts';
import { brokerTargetOf, brokerTenantOf } from './broker-access.ts';
import { emptyResponse, refusalResponses } from './operation.ts';

const tags = ['broker'];

const BanParams = Type.Object({ banId: Uuid });
const { pageSize, page, textSearch } = PageLinkProperties;

/** Clients that are kept out by hand. reliability.md, 2 */
export function registerBrokerBanRoutes(app: ApiServer, context: ApiContext, desk: BrokerDesk): void {
  const { refusals } = context;
  const { devices } = context.platform;

  app.post(
    '/broker/ban',
    {
      schema: {
        operationId: 'banBrokerClient',
        tags,
        summary: 'Keep a device or a client out for some time; its connections are closed',
        description:
          'Holds for every Session that the device or the client ID has now, and ends with the server. The Sessions stay.',
        body: refTo(BanRequest),
        response: { 200: Type.Array(refTo(BrokerBan)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const tenant = brokerTenantOf(caller);
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const target = await brokerTargetOf(devices, caller, request.body);
      if (!target.ok) return refusals.platform(reply, target);
      const result = await desk.ban(tenant.value, target.value, request.body.durationMs);
      return result.ok ? result.value.map(toBrokerBan) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/broker/bans',
    {
      schema: {
        operationId: 'getBrokerBans',
        tags,
        summary: 'Bans in force',
        description: '`textSearch` is looked for in client ID, name and dialect.',
        querystring: Type.Object({ pageSize, page, textSearch }),
        response: { 200: refTo(BrokerBanPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const tenant = brokerTenantOf(callerOf(request));
      if (!tenant.ok) return refusals.platform(reply, tenant);
      return mapBrokerPage(desk.bans(tenant.value, toBrokerQuery(request.query)), toBrokerBan);
    },
  );

  app.delete(
    '/broker/bans/:banId',
    {
      schema: {
        operationId: 'deleteBrokerBan',
        tags,
        summary: 'Lift a ban',
        params: BanParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const tenant = brokerTenantOf(callerOf(request));
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const result = desk.liftBan(tenant.value, request.params.banId.toLowerCase());
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}
