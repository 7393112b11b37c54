import {
  ConnectionGuide,
  Device,
  DeviceCredentials,
  DeviceCredentialsInput,
  DeviceInfo,
  DeviceInput,
  DeviceWithCredentialsInput,
  refTo,
} from '@moorage/api-types';
import type { Caller, EntityId } from '@moorage/core';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import {
  fromCredentialsInput,
  fromDeviceInput,
  toDevice,
  toDeviceCredentials,
  toDeviceInfo,
} from '../entities/device.ts';
import { inputId } from '../entities/entity-ids.ts';
import { saveForCustomer } from './given-customer.ts';
import { guideHost } from './guide-host.ts';
import { NameConflictQuery, saveUniquely } from './name-conflict.ts';
import { DeviceParams, emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['device'];

const SaveQuery = Type.Object({
  accessToken: Type.Optional(
    Type.String({ maxLength: 255, description: 'The token of a new device; one is made if left out.' }),
  ),
  ...NameConflictQuery,
});

/** Single devices and their credentials. thingsboard-server.md, 2.2 */
export function registerDeviceRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { devices, customers } = context.platform;
  const assignment = (caller: Caller) => ({
    assign: (customerId: EntityId, id: EntityId) => customers.assignDevice(caller, customerId, id),
    unassign: (id: EntityId) => customers.unassignDevice(caller, id),
  });

  app.post(
    '/device',
    {
      schema: {
        operationId: 'saveDevice',
        tags,
        summary: 'Create a device, or update it if the body has an id',
        querystring: SaveQuery,
        body: refTo(DeviceInput),
        response: { 200: refTo(Device), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const accessToken = request.query.accessToken ?? null;
      const input = fromDeviceInput(request.body);
      const caller = callerOf(request);
      const result = await saveForCustomer(customers, caller, request.body.customerId, {
        ...assignment(caller),
        save: () =>
          saveUniquely(input.name, request.query, (name) => devices.save(caller, { ...input, name }, { accessToken })),
      });
      return result.ok ? toDevice(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/device-with-credentials',
    {
      schema: {
        operationId: 'saveDeviceWithCredentials',
        tags,
        summary: 'Create a device together with its credentials: both or nothing',
        querystring: Type.Object(NameConflictQuery),
        body: refTo(DeviceWithCredentialsInput),
        response: { 200: refTo(Device), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const credentials = fromCredentialsInput(request.body.credentials);
      const input = fromDeviceInput(request.body.device);
      const caller = callerOf(request);
      const result = await saveForCustomer(customers, caller, request.body.device.customerId, {
        ...assignment(caller),
        save: () =>
          saveUniquely(input.name, request.query, (name) =>
            devices.saveWithCredentials(caller, { ...input, name }, credentials),
          ),
      });
      return result.ok ? toDevice(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/device/:id',
    {
      schema: {
        operationId: 'getDevice',
        tags,
        summary: 'A device',
        params: IdParams,
        response: { 200: refTo(Device), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await devices.get(callerOf(request), request.params.id);
      return result.ok ? toDevice(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/device/info/:id',
    {
      schema: {
        operationId: 'getDeviceInfo',
        tags,
        summary: 'A device with its customer, profile name and activity',
        params: IdParams,
        response: { 200: refTo(DeviceInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await devices.info(callerOf(request), request.params.id);
      return result.ok ? toDeviceInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/device/:id',
    {
      schema: {
        operationId: 'deleteDevice',
        tags,
        summary: 'Delete a device, its credentials and its data',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await devices.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/device/:deviceId/credentials',
    {
      schema: {
        operationId: 'getDeviceCredentials',
        tags,
        summary: 'The credentials of a device',
        params: DeviceParams,
        response: { 200: refTo(DeviceCredentials), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await devices.credentials(callerOf(request), request.params.deviceId);
      return result.ok ? toDeviceCredentials(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/device/credentials',
    {
      schema: {
        operationId: 'saveDeviceCredentials',
        tags,
        summary: 'Change the credentials of a device; its connection is closed',
        body: refTo(DeviceCredentialsInput),
        response: { 200: refTo(DeviceCredentials), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const deviceId = inputId(request.body.deviceId);
      if (deviceId === null) return refusals.badRequest(reply, "'deviceId' is missing in the body");
      const input = fromCredentialsInput(request.body);
      if (input.id === null) return refusals.badRequest(reply, "'id' of the credentials is missing in the body");
      const result = await devices.saveCredentials(callerOf(request), deviceId, input);
      return result.ok ? toDeviceCredentials(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/device/:deviceId/connectionGuide',
    {
      schema: {
        operationId: 'getConnectionGuide',
        tags,
        summary: 'How to connect a device, with nothing left to fill in',
        params: DeviceParams,
        querystring: Type.Object({
          host: Type.Optional(
            Type.String({ maxLength: 253, description: 'As devices reach this server; by default as this call did.' }),
          ),
        }),
        response: { 200: refTo(ConnectionGuide), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const host = guideHost(request.query.host, request.hostname);
      if (host === undefined) return refusals.badRequest(reply, "'host' in the query must be a host name or address");
      const caller = callerOf(request);
      const device = await devices.get(caller, request.params.deviceId);
      if (!device.ok) return refusals.platform(reply, device);
      const credentials = await devices.credentials(caller, request.params.deviceId);
      if (!credentials.ok) return refusals.platform(reply, credentials);
      const guide = await context.connectionGuide(device.value, credentials.value, host);
      if (guide === undefined) return refusals.notOffered(reply, `The dialect ${device.value.dialect} is`);
      const { dialect, endpoints, fields, snippets } = guide;
      return { dialect, endpoints: [...endpoints], fields: [...fields], snippets: [...snippets] };
    },
  );
}
