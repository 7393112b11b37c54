import { Device, DeviceInfoPage, DeviceListQuery, DevicePage, DeviceType, refTo } from '@moorage/api-types';
import type { Caller, DeviceListQuery as CoreQuery } from '@moorage/core';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { toDevice, toDeviceInfo } from '../entities/device.ts';
import { entityId } from '../entities/entity-ids.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import type { StatusReply } from '../refusals/refusals.ts';
import { refusalResponses } from './operation.ts';

const tags = ['device'];
const MAX_IDS = 1000;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

const DeviceName = Type.String({ minLength: 1, maxLength: 255 });
/** The list and the look-up by name share a path. thingsboard-server.md, 2.2 */
const ListOrNameQuery = Type.Object({
  ...DeviceListQuery.properties,
  pageSize: Type.Optional(DeviceListQuery.properties.pageSize),
  page: Type.Optional(DeviceListQuery.properties.page),
  deviceName: Type.Optional(
    Type.String({ maxLength: 255, description: 'Answers the one device of this name instead of a page.' }),
  ),
});

function toListQuery(query: DeviceListQuery): CoreQuery {
  return { ...toPageQuery(query), type: query.type ?? null, deviceProfileId: query.deviceProfileId ?? null };
}

/** Lists of devices and look-ups that are not by one id. thingsboard-server.md, 2.2 */
export function registerDeviceListRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { devices } = context.platform;

  const byName = async (caller: Caller, name: string, reply: StatusReply) => {
    const result = await devices.byName(caller, name);
    return result.ok ? toDevice(result.value) : refusals.platform(reply, result);
  };

  app.get(
    '/tenant/devices',
    {
      schema: {
        operationId: 'getTenantDevices',
        tags,
        summary: 'Devices of the tenant, or the one with deviceName',
        querystring: ListOrNameQuery,
        response: { 200: Type.Union([refTo(DevicePage), refTo(Device)]), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { deviceName, pageSize, page, ...rest } = request.query;
      if (deviceName !== undefined) return byName(callerOf(request), deviceName, reply);
      if (pageSize === undefined) return refusals.badRequest(reply, "'pageSize' is missing in the query");
      if (page === undefined) return refusals.badRequest(reply, "'page' is missing in the query");
      if (rest.active !== undefined) return refusals.notOffered(reply, 'The filter active is');
      const result = await devices.list(callerOf(request), toListQuery({ ...rest, pageSize, page }));
      return result.ok ? mapPage(result.value, toDevice) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/tenant/deviceInfos',
    {
      schema: {
        operationId: 'getTenantDeviceInfos',
        tags,
        summary: 'Devices of the tenant with their customer, profile name and activity',
        querystring: DeviceListQuery,
        response: { 200: refTo(DeviceInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      if (request.query.active !== undefined) return refusals.notOffered(reply, 'The filter active is');
      const result = await devices.listInfos(callerOf(request), toListQuery(request.query));
      return result.ok ? mapPage(result.value, toDeviceInfo) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/tenant/device',
    {
      schema: {
        operationId: 'getTenantDevice',
        tags,
        summary: 'The device of a name',
        querystring: Type.Object({ deviceName: DeviceName }),
        response: { 200: refTo(Device), ...refusalResponses },
      },
    },
    (request, reply) => byName(callerOf(request), request.query.deviceName, reply),
  );

  app.get(
    '/devices',
    {
      schema: {
        operationId: 'getDevicesByIds',
        tags,
        summary: 'The devices of these ids that exist and may be seen',
        querystring: Type.Object({ deviceIds: Type.String({ description: 'Comma-separated, at most 1,000.' }) }),
        response: { 200: Type.Array(refTo(Device)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const ids = request.query.deviceIds.split(',', MAX_IDS + 1).map((id) => id.trim().toLowerCase());
      if (ids.length > MAX_IDS) return refusals.badRequest(reply, `More than ${MAX_IDS} ids in 'deviceIds'`);
      const malformed = ids.find((id) => !UUID.test(id));
      if (malformed !== undefined) {
        return refusals.badRequest(reply, `Invalid UUID string: ${malformed.slice(0, 100)}`);
      }
      const result = await devices.byIds(callerOf(request), ids);
      return result.ok ? result.value.map(toDevice) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/device/types',
    {
      schema: {
        operationId: 'getDeviceTypes',
        tags,
        summary: 'Names of the profiles in use',
        response: { 200: Type.Array(refTo(DeviceType)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const result = await devices.types(caller);
      if (!result.ok) return refusals.platform(reply, result);
      const tenantId = entityId('TENANT', caller.tenantId);
      return result.value.map((type) => ({ tenantId, entityType: 'DEVICE' as const, type }));
    },
  );
}
