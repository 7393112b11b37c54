import {
  DeviceProfile,
  DeviceProfileInfo,
  DeviceProfileInfoPage,
  DeviceProfileInput,
  DeviceProfilePage,
  PageLink,
  PageLinkProperties,
  refTo,
} from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { fromProfileInput, toDeviceProfile, toDeviceProfileInfo } from '../entities/device-profile.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['device profile'];

/** thingsboard-server.md, 2.4 */
export function registerDeviceProfileRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { profiles } = context.platform;

  app.post(
    '/deviceProfile',
    {
      schema: {
        operationId: 'saveDeviceProfile',
        tags,
        summary: 'Create a profile, or update it if the body has an id',
        body: refTo(DeviceProfileInput),
        response: { 200: refTo(DeviceProfile), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await profiles.save(callerOf(request), fromProfileInput(request.body));
      return result.ok ? toDeviceProfile(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/deviceProfile/:id',
    {
      schema: {
        operationId: 'getDeviceProfile',
        tags,
        summary: 'A profile',
        params: IdParams,
        response: { 200: refTo(DeviceProfile), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await profiles.get(callerOf(request), request.params.id);
      return result.ok ? toDeviceProfile(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/deviceProfile/:id',
    {
      schema: {
        operationId: 'deleteDeviceProfile',
        tags,
        summary: 'Delete a profile that no device uses and that is not the default',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await profiles.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/deviceProfile/:id/default',
    {
      schema: {
        operationId: 'setDefaultDeviceProfile',
        tags,
        summary: 'Make a profile the default one',
        params: IdParams,
        response: { 200: refTo(DeviceProfile), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await profiles.makeDefault(callerOf(request), request.params.id);
      return result.ok ? toDeviceProfile(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/deviceProfiles',
    {
      schema: {
        operationId: 'getDeviceProfiles',
        tags,
        summary: 'Profiles of the tenant',
        querystring: PageLink,
        response: { 200: refTo(DeviceProfilePage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await profiles.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toDeviceProfile) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/deviceProfileInfos',
    {
      schema: {
        operationId: 'getDeviceProfileInfos',
        tags,
        summary: 'Profiles of the tenant in short',
        querystring: Type.Object({
          ...PageLinkProperties,
          transportType: Type.Optional(Type.String({ maxLength: 64, description: 'Not offered yet.' })),
        }),
        response: { 200: refTo(DeviceProfileInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      if (request.query.transportType !== undefined) {
        return refusals.notOffered(reply, 'The filter transportType is');
      }
      const result = await profiles.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toDeviceProfileInfo) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/deviceProfileInfo/default',
    {
      schema: {
        operationId: 'getDefaultDeviceProfileInfo',
        tags,
        summary: 'The default profile in short',
        response: { 200: refTo(DeviceProfileInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await profiles.defaultProfile(callerOf(request));
      return result.ok ? toDeviceProfileInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/deviceProfileInfo/:id',
    {
      schema: {
        operationId: 'getDeviceProfileInfo',
        tags,
        summary: 'A profile in short',
        params: IdParams,
        response: { 200: refTo(DeviceProfileInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await profiles.get(callerOf(request), request.params.id);
      return result.ok ? toDeviceProfileInfo(result.value) : refusals.platform(reply, result);
    },
  );
}
