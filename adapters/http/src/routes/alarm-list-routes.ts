import {
  AlarmInfoPage,
  AlarmListQuery,
  AlarmListV2Query,
  AlarmTypePage,
  PageLink,
  refTo,
  Uuid,
} from '@moorage/api-types';
import type { AlarmFilter, AlarmInfo, AlarmOriginator, Page, Result } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { filterOf, filterOfLists, toAlarmInfo } from '../entities/alarm.ts';
import { entityId } from '../entities/entity-ids.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { refusalResponses } from './operation.ts';

const tags = ['alarm'];
const DESCRIPTION =
  'Sorted by `createdTime`, `startTs`, `endTs`, `ackTs`, `clearTs`, `assignTs`, `type`, `severity` (the worst first) or `status`; the search looks into type, severity and status.';

export const EntityParams = Type.Object({
  entityType: Type.String({ maxLength: 64, examples: ['DEVICE'] }),
  entityId: Uuid,
});

/** The path's entity; its type is accepted in any case. */
export function originatorOf(params: { readonly entityType: string; readonly entityId: string }): AlarmOriginator {
  return { entityType: params.entityType.toUpperCase(), id: params.entityId };
}

/** Lists of alarms, in both forms that clients use. thingsboard-server.md, 8.1 */
export function registerAlarmListRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { alarms } = context.platform;
  const response = { 200: refTo(AlarmInfoPage), ...refusalResponses };

  const answer = async (
    reply: FastifyReply,
    filter: AlarmFilter | string,
    list: (filter: AlarmFilter) => Promise<Result<Page<AlarmInfo>>>,
  ) => {
    if (typeof filter === 'string') return refusals.badRequest(reply, filter);
    const result = await list(filter);
    return result.ok ? mapPage(result.value, toAlarmInfo) : refusals.platform(reply, result);
  };

  app.get(
    '/alarms',
    {
      schema: {
        operationId: 'getAllAlarms',
        tags,
        summary: 'All alarms that the caller may see',
        description: DESCRIPTION,
        querystring: AlarmListQuery,
        response,
      },
    },
    (request, reply) =>
      answer(reply, filterOf(request.query), (filter) =>
        alarms.list(callerOf(request), { ...toPageQuery(request.query), ...filter }),
      ),
  );

  app.get(
    '/alarm/:entityType/:entityId',
    {
      schema: {
        operationId: 'getAlarms',
        tags,
        summary: 'Alarms of an entity',
        description: DESCRIPTION,
        params: EntityParams,
        querystring: AlarmListQuery,
        response,
      },
    },
    (request, reply) =>
      answer(reply, filterOf(request.query), (filter) =>
        alarms.ofOriginator(callerOf(request), originatorOf(request.params), {
          ...toPageQuery(request.query),
          ...filter,
        }),
      ),
  );

  app.get(
    '/v2/alarms',
    {
      schema: {
        operationId: 'getAllAlarmsV2',
        tags,
        summary: 'All alarms that the caller may see, filtered by lists',
        description: DESCRIPTION,
        querystring: AlarmListV2Query,
        response,
      },
    },
    (request, reply) =>
      answer(reply, filterOfLists(request.query), (filter) =>
        alarms.list(callerOf(request), { ...toPageQuery(request.query), ...filter }),
      ),
  );

  app.get(
    '/v2/alarm/:entityType/:entityId',
    {
      schema: {
        operationId: 'getAlarmsV2',
        tags,
        summary: 'Alarms of an entity, filtered by lists',
        description: DESCRIPTION,
        params: EntityParams,
        querystring: AlarmListV2Query,
        response,
      },
    },
    (request, reply) =>
      answer(reply, filterOfLists(request.query), (filter) =>
        alarms.ofOriginator(callerOf(request), originatorOf(request.params), {
          ...toPageQuery(request.query),
          ...filter,
        }),
      ),
  );

  app.get(
    '/alarm/types',
    {
      schema: {
        operationId: 'getAlarmTypes',
        tags,
        summary: 'Types that alarms of the tenant have',
        querystring: PageLink,
        response: { 200: refTo(AlarmTypePage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const result = await alarms.types(caller, toPageQuery(request.query));
      if (!result.ok) return refusals.platform(reply, result);
      const tenantId = entityId('TENANT', caller.tenantId);
      return mapPage(result.value, (type) => ({ tenantId, entityType: 'ALARM' as const, type }));
    },
  );

  // Would be taken for entities of the type "rule" and for the id of an alarm.
  for (const path of ['/alarm/rule/:id', '/alarm/rules', '/alarm/rules/:entityType/:entityId']) {
    app.get(path, { schema: { hide: true } }, async (_request, reply) =>
      refusals.notOffered(reply, 'Alarm rules outside of device profiles are'),
    );
  }
  app.get('/alarm/:id/comment', { schema: { hide: true } }, async (_request, reply) =>
    refusals.notOffered(reply, 'Comments on alarms are'),
  );
}
