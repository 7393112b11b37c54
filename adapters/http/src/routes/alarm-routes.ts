import {
  ALARM_SEVERITY_NAMES,
  Alarm,
  AlarmInfo,
  AlarmInput,
  HighestSeverityQuery,
  refTo,
  Uuid,
} from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { filterOf, fromAlarmInput, toAlarm, toAlarmInfo } from '../entities/alarm.ts';
import { EntityParams, originatorOf } from './alarm-list-routes.ts';
import { IdParams, refusalResponses } from './operation.ts';

const tags = ['alarm'];
const JSON_TYPE = 'application/json; charset=utf-8';
const SeverityText = Type.Unsafe<string>({
  type: ['string', 'null'],
  enum: [...ALARM_SEVERITY_NAMES, null],
  description: 'An empty body if there are no alarms.',
});
const UserParams = Type.Object({ id: Uuid, userId: Uuid });

/** One alarm. thingsboard-server.md, 8.1 */
export function registerAlarmRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { alarms } = context.platform;

  app.post(
    '/alarm',
    {
      schema: {
        operationId: 'saveAlarm',
        tags,
        summary: 'Create an alarm, or update the active one of the same originator and type',
        description: 'With an id: update that one. Originator and type of an alarm never change.',
        body: refTo(AlarmInput),
        response: { 200: refTo(AlarmInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await alarms.save(callerOf(request), fromAlarmInput(request.body));
      return result.ok ? toAlarmInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/alarm/:id',
    {
      schema: {
        operationId: 'getAlarmById',
        tags,
        summary: 'An alarm',
        params: IdParams,
        response: { 200: refTo(Alarm), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await alarms.get(callerOf(request), request.params.id);
      return result.ok ? toAlarm(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/alarm/info/:id',
    {
      schema: {
        operationId: 'getAlarmInfoById',
        tags,
        summary: 'An alarm with the names of its originator and its assignee',
        params: IdParams,
        response: { 200: refTo(AlarmInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await alarms.get(callerOf(request), request.params.id);
      return result.ok ? toAlarmInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/alarm/:id',
    {
      schema: {
        operationId: 'deleteAlarm',
        tags,
        summary: 'Delete an alarm',
        params: IdParams,
        response: { 200: Type.Boolean(), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await alarms.remove(callerOf(request), request.params.id);
      return result.ok ? true : refusals.platform(reply, result);
    },
  );

  app.post(
    '/alarm/:id/ack',
    {
      schema: {
        operationId: 'ackAlarm',
        tags,
        summary: 'Acknowledge an alarm',
        params: IdParams,
        response: { 200: refTo(AlarmInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await alarms.acknowledge(callerOf(request), request.params.id);
      return result.ok ? toAlarmInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/alarm/:id/clear',
    {
      schema: {
        operationId: 'clearAlarm',
        tags,
        summary: 'Clear an alarm',
        params: IdParams,
        response: { 200: refTo(AlarmInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await alarms.clear(callerOf(request), request.params.id);
      return result.ok ? toAlarmInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/alarm/:id/assign/:userId',
    {
      schema: {
        operationId: 'assignAlarm',
        tags,
        summary: 'Assign an alarm to a user who may see it',
        params: UserParams,
        response: { 200: refTo(AlarmInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { id, userId } = request.params;
      const result = await alarms.assign(callerOf(request), id, userId);
      return result.ok ? toAlarmInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/alarm/:id/assign',
    {
      schema: {
        operationId: 'unassignAlarm',
        tags,
        summary: 'Take an alarm back from its assignee',
        params: IdParams,
        response: { 200: refTo(AlarmInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await alarms.unassign(callerOf(request), request.params.id);
      return result.ok ? toAlarmInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/alarm/highestSeverity/:entityType/:entityId',
    {
      schema: {
        operationId: 'getHighestAlarmSeverity',
        tags,
        summary: 'The worst severity of the alarms of an entity; an empty body if there are none',
        params: EntityParams,
        querystring: HighestSeverityQuery,
        response: { 200: SeverityText, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const filter = filterOf(request.query);
      if (typeof filter === 'string') return refusals.badRequest(reply, filter);
      const result = await alarms.highestSeverity(callerOf(request), originatorOf(request.params), filter);
      if (!result.ok) return refusals.platform(reply, result);
      // A bare text would be sent as plain text.
      return result.value === null ? reply.send('') : reply.type(JSON_TYPE).send(JSON.stringify(result.value));
    },
  );
}
