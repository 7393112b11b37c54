import { DeviceLink, DeviceLinkInput, DeviceLinkPage, DeviceLinkQuery, refTo } from '@moorage/api-types';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { fromDeviceLinkInput, toDeviceLink } from '../entities/device-link.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['device link'];

/** api-additions.md, 3 */
export function registerDeviceLinkRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { links } = context.platform;

  app.post(
    '/link',
    {
      schema: {
        operationId: 'saveDeviceLink',
        tags,
        summary: 'Create a device link, or update it if the body has an id',
        description:
          'Each value of the key that the source stores is sent to the target once. A link never fires twice for one ' +
          'original message, and at most four commands follow one another.',
        body: refTo(DeviceLinkInput),
        response: { 200: refTo(DeviceLink), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await links.save(callerOf(request), fromDeviceLinkInput(request.body));
      return result.ok ? toDeviceLink(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/link/:id',
    {
      schema: {
        operationId: 'getDeviceLink',
        tags,
        summary: 'A device link',
        params: IdParams,
        response: { 200: refTo(DeviceLink), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await links.get(callerOf(request), request.params.id);
      return result.ok ? toDeviceLink(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/links',
    {
      schema: {
        operationId: 'getDeviceLinks',
        tags,
        summary: 'Device links of the tenant',
        querystring: DeviceLinkQuery,
        response: { 200: refTo(DeviceLinkPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await links.list(callerOf(request), toPageQuery({ pageSize: 100, page: 0, ...request.query }));
      return result.ok ? mapPage(result.value, toDeviceLink) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/link/:id',
    {
      schema: {
        operationId: 'deleteDeviceLink',
        tags,
        summary: 'Delete a device link',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await links.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}
