import { Device, DeviceInfoPage, DeviceListQuery, DevicePage, refTo, Uuid } from '@moorage/api-types';
import type { DeviceListQuery as CoreQuery } from '@moorage/core';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { toDevice, toDeviceInfo } from '../entities/device.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { DeviceParams, refusalResponses } from './operation.ts';

const tags = ['customer'];
const CustomerParams = Type.Object({ customerId: Uuid });

function toListQuery(query: DeviceListQuery): CoreQuery {
  return { ...toPageQuery(query), type: query.type ?? null, deviceProfileId: query.deviceProfileId ?? null };
}

/** Devices that customers have. thingsboard-server.md, 2.2 and 2.7 */
export function registerCustomerDeviceRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { customers } = context.platform;

  app.post(
    '/customer/:customerId/device/:deviceId',
    {
      schema: {
        operationId: 'assignDeviceToCustomer',
        tags,
        summary: 'Assign a device to a customer',
        params: Type.Object({ customerId: Uuid, deviceId: Uuid }),
        response: { 200: refTo(Device), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { customerId, deviceId } = request.params;
      const result = await customers.assignDevice(callerOf(request), customerId, deviceId);
      return result.ok ? toDevice(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/customer/device/:deviceId',
    {
      schema: {
        operationId: 'unassignDeviceFromCustomer',
        tags,
        summary: 'Take a device back from its customer',
        params: DeviceParams,
        response: { 200: refTo(Device), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.unassignDevice(callerOf(request), request.params.deviceId);
      return result.ok ? toDevice(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/customer/public/device/:deviceId',
    {
      schema: {
        operationId: 'assignDeviceToPublicCustomer',
        tags,
        summary: 'Assign a device to the public customer, which is made at first use',
        params: DeviceParams,
        response: { 200: refTo(Device), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.assignDeviceToPublic(callerOf(request), request.params.deviceId);
      return result.ok ? toDevice(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customer/:customerId/devices',
    {
      schema: {
        operationId: 'getCustomerDevices',
        tags,
        summary: 'Devices of a customer',
        params: CustomerParams,
        querystring: DeviceListQuery,
        response: { 200: refTo(DevicePage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      if (request.query.active !== undefined) return refusals.notOffered(reply, 'The filter active is');
      const { customerId } = request.params;
      const result = await customers.devices(callerOf(request), customerId, toListQuery(request.query));
      return result.ok ? mapPage(result.value, toDevice) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customer/:customerId/deviceInfos',
    {
      schema: {
        operationId: 'getCustomerDeviceInfos',
        tags,
        summary: 'Devices of a customer with its title, their profile name and activity',
        params: CustomerParams,
        querystring: DeviceListQuery,
        response: { 200: refTo(DeviceInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      if (request.query.active !== undefined) return refusals.notOffered(reply, 'The filter active is');
      const { customerId } = request.params;
      const result = await customers.deviceInfos(callerOf(request), customerId, toListQuery(request.query));
      return result.ok ? mapPage(result.value, toDeviceInfo) : refusals.platform(reply, result);
    },
  );
}
