import {
  Application,
  ApplicationCredentials,
  ApplicationInput,
  ApplicationPage,
  PageLink,
  refTo,
} from '@moorage/api-types';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { fromApplicationInput, toApplication, toApplicationWithoutSecrets } from '../entities/application.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['application'];

/** api-additions.md, 2 */
export function registerApplicationRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { applications } = context.platform;

  app.post(
    '/application',
    {
      schema: {
        operationId: 'saveApplication',
        tags,
        summary: 'Create an application, or update it if the body has an id',
        description: 'The answer to a creation shows the secrets; the answer to an update does not.',
        body: refTo(ApplicationInput),
        response: { 200: refTo(Application), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const input = fromApplicationInput(request.body);
      const result = await applications.save(callerOf(request), input);
      if (!result.ok) return refusals.platform(reply, result);
      return toApplication(result.value, input.id === null ? 'shown' : 'hidden');
    },
  );

  app.get(
    '/application/:id',
    {
      schema: {
        operationId: 'getApplication',
        tags,
        summary: 'An application without its secrets',
        params: IdParams,
        response: { 200: refTo(Application), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await applications.get(callerOf(request), request.params.id);
      return result.ok ? toApplicationWithoutSecrets(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/application/:id/credentials',
    {
      schema: {
        operationId: 'getApplicationCredentials',
        tags,
        summary: 'The credentials of an application, with its secrets',
        params: IdParams,
        response: { 200: refTo(ApplicationCredentials), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await applications.get(callerOf(request), request.params.id);
      return result.ok ? result.value.credentials : refusals.platform(reply, result);
    },
  );

  app.get(
    '/applications',
    {
      schema: {
        operationId: 'getApplications',
        tags,
        summary: 'Applications of the tenant without their secrets',
        querystring: PageLink,
        response: { 200: refTo(ApplicationPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await applications.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toApplicationWithoutSecrets) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/application/:id',
    {
      schema: {
        operationId: 'deleteApplication',
        tags,
        summary: 'Delete an application; its connections are closed',
        description: 'Refused as long as devices belong to the account that it is.',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await applications.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}
