import { ApiKeyInfo, ApiKeyInfoPage, ApiKeyInput, PageLink, refTo, Uuid } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { fromApiKeyInput, toApiKeyInfo, toSavedApiKey } from '../entities/api-key.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { acceptAnyBodies } from '../validation/json-body.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const BODY_LIMIT = 65_536;
const tags = ['api key'];
const text = { type: 'string' };

/** thingsboard-server.md, 1.5 */
export async function registerApiKeyRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const { refusals } = context;
  const { apiKeys } = context.platform;

  app.post(
    '/apiKey',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: 'saveApiKey',
        tags,
        summary: 'Make an API key, or change it if the body has an id',
        description: 'The answer to the making has the value of the key, which nobody can read afterwards.',
        body: refTo(ApiKeyInput),
        response: { 200: refTo(ApiKeyInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await apiKeys.save(callerOf(request), fromApiKeyInput(request.body));
      return result.ok ? toSavedApiKey(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/apiKeys/:userId',
    {
      schema: {
        operationId: 'getUserApiKeys',
        tags,
        summary: 'API keys of a user',
        params: Type.Object({ userId: Uuid }),
        querystring: PageLink,
        response: { 200: refTo(ApiKeyInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await apiKeys.list(callerOf(request), request.params.userId, toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toApiKeyInfo) : refusals.platform(reply, result);
    },
  );

  // The body is the text itself, whatever its type is said to be.
  await app.register(async (scope: ApiServer) => {
    acceptAnyBodies(scope);
    scope.put(
      '/apiKey/:id/description',
      {
        bodyLimit: BODY_LIMIT,
        schema: {
          operationId: 'updateApiKeyDescription',
          tags,
          summary: 'Change the description of an API key: the body is the text',
          params: IdParams,
          documentedBody: {
            required: true,
            content: { 'text/plain': { schema: text }, 'application/json': { schema: text } },
          },
          response: { 200: refTo(ApiKeyInfo), ...refusalResponses },
        },
      },
      async (request, reply) => {
        const result = await apiKeys.setDescription(callerOf(request), request.params.id, bodyText(request.body));
        return result.ok ? toApiKeyInfo(result.value) : refusals.platform(reply, result);
      },
    );
  });

  app.put(
    '/apiKey/:id/enabled/:enabled',
    {
      schema: {
        operationId: 'enableApiKey',
        tags,
        summary: 'Let an API key work, or not',
        params: Type.Object({ id: Uuid, enabled: Type.Boolean() }),
        response: { 200: refTo(ApiKeyInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { id, enabled } = request.params;
      const result = await apiKeys.setEnabled(callerOf(request), id, enabled);
      return result.ok ? toApiKeyInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/apiKey/:id',
    {
      schema: {
        operationId: 'deleteApiKey',
        tags,
        summary: 'Delete an API key: it stops working at once',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await apiKeys.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}

/** Some clients send the text as a JSON string. */
function bodyText(body: unknown): string {
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body).trim() : '';
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}
