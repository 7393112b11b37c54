import { PageLinkProperties, refTo, Trace, TracePage, TraceRequest, Uuid } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import type { BrokerDesk } from '../broker-desk.ts';
import { toBrokerQuery, toTrace, toTracedPacket } from '../entities/broker.ts';
import { brokerTargetOf, brokerTenantOf } from './broker-access.ts';
import { emptyResponse, refusalResponses } from './operation.ts';

const tags = ['broker'];
const DEFAULT_DURATION_MS = 60_000;

const TraceParams = Type.Object({ traceId: Uuid });
const { pageSize, page } = PageLinkProperties;

/** Records of the packets of a client, both ways. */
export function registerBrokerTraceRoutes(app: ApiServer, context: ApiContext, desk: BrokerDesk): void {
  const { refusals } = context;
  const { devices } = context.platform;

  app.post(
    '/broker/trace',
    {
      schema: {
        operationId: 'startBrokerTrace',
        tags,
        summary: 'Record the packets of a device or a client for some time',
        description:
          'Both ways, from CONNACK on; credentials are never shown. It ends by itself: after its time, after 5,000 packets, ' +
          'or after 2 MiB. It can be read for 15 minutes after its end.',
        body: refTo(TraceRequest),
        response: { 200: refTo(Trace), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const tenant = brokerTenantOf(caller);
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const target = await brokerTargetOf(devices, caller, request.body);
      if (!target.ok) return refusals.platform(reply, target);
      const result = await desk.startTrace(tenant.value, target.value, request.body.durationMs ?? DEFAULT_DURATION_MS);
      return result.ok ? toTrace(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/broker/traces',
    {
      schema: {
        operationId: 'getBrokerTraces',
        tags,
        summary: 'Traces of the tenant that can be read, the newest first',
        response: { 200: Type.Array(refTo(Trace)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const tenant = brokerTenantOf(callerOf(request));
      return tenant.ok ? desk.traces(tenant.value).map(toTrace) : refusals.platform(reply, tenant);
    },
  );

  app.get(
    '/broker/trace/:traceId',
    {
      schema: {
        operationId: 'getBrokerTrace',
        tags,
        summary: 'What a trace has recorded so far, the oldest packet first',
        params: TraceParams,
        querystring: Type.Object({ pageSize, page }),
        response: { 200: refTo(TracePage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const tenant = brokerTenantOf(callerOf(request));
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const { query, params } = request;
      const result = desk.trace(tenant.value, params.traceId.toLowerCase(), toBrokerQuery(query));
      if (!result.ok) return refusals.platform(reply, result);
      const { trace, packets } = result.value;
      const { totalPages, totalElements, hasNext } = packets;
      return { ...toTrace(trace), data: packets.data.map(toTracedPacket), totalPages, totalElements, hasNext };
    },
  );

  app.delete(
    '/broker/trace/:traceId',
    {
      schema: {
        operationId: 'deleteBrokerTrace',
        tags,
        summary: 'End a trace and forget what it has recorded',
        params: TraceParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const tenant = brokerTenantOf(callerOf(request));
      if (!tenant.ok) return refusals.platform(reply, tenant);
      const result = desk.removeTrace(tenant.value, request.params.traceId.toLowerCase());
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}
