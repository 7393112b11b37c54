import {
  AssetProfile,
  AssetProfileInfo,
  AssetProfileInfoPage,
  AssetProfileInput,
  AssetProfilePage,
  EntityId,
  PageLink,
  refTo,
} from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { fromAssetProfileInput, toAssetProfile, toAssetProfileInfo } from '../entities/asset-profile.ts';
import { entityId } from '../entities/entity-ids.ts';
import { MAX_PAGE_SIZE, mapPage, toPageQuery } from '../entities/pages.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['asset profile'];
const BY_NAME = {
  pageSize: MAX_PAGE_SIZE,
  page: 0,
  textSearch: null,
  sortProperty: 'name',
  sortOrder: 'ASC',
} as const;

/** thingsboard-server.md, 2.5 */
export function registerAssetProfileRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;

  app.post(
    '/assetProfile',
    {
      schema: {
        operationId: 'saveAssetProfile',
        tags,
        summary: 'Create a profile, or update it if the body has an id',
        body: refTo(AssetProfileInput),
        response: { 200: refTo(AssetProfile), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await context.platform.assets.profiles.save(
        callerOf(request),
        fromAssetProfileInput(request.body),
      );
      return result.ok ? toAssetProfile(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/assetProfile/:id',
    {
      schema: {
        operationId: 'getAssetProfile',
        tags,
        summary: 'A profile',
        params: IdParams,
        response: { 200: refTo(AssetProfile), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await context.platform.assets.profiles.get(callerOf(request), request.params.id);
      return result.ok ? toAssetProfile(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/assetProfile/:id',
    {
      schema: {
        operationId: 'deleteAssetProfile',
        tags,
        summary: 'Delete a profile that no asset has and that is not the default',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await context.platform.assets.profiles.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/assetProfile/:id/default',
    {
      schema: {
        operationId: 'setDefaultAssetProfile',
        tags,
        summary: 'Make a profile the default one',
        params: IdParams,
        response: { 200: refTo(AssetProfile), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await context.platform.assets.profiles.makeDefault(callerOf(request), request.params.id);
      return result.ok ? toAssetProfile(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/assetProfiles',
    {
      schema: {
        operationId: 'getAssetProfiles',
        tags,
        summary: 'Profiles of the tenant',
        querystring: PageLink,
        response: { 200: refTo(AssetProfilePage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await context.platform.assets.profiles.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toAssetProfile) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/assetProfileInfos',
    {
      schema: {
        operationId: 'getAssetProfileInfos',
        tags,
        summary: 'Profiles of the tenant in short',
        querystring: PageLink,
        response: { 200: refTo(AssetProfileInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await context.platform.assets.profiles.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toAssetProfileInfo) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/assetProfileInfo/default',
    {
      schema: {
        operationId: 'getDefaultAssetProfileInfo',
        tags,
        summary: 'The default profile in short',
        response: { 200: refTo(AssetProfileInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await context.platform.assets.profiles.defaultProfile(callerOf(request));
      return result.ok ? toAssetProfileInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/assetProfileInfo/:id',
    {
      schema: {
        operationId: 'getAssetProfileInfo',
        tags,
        summary: 'A profile in short',
        params: IdParams,
        response: { 200: refTo(AssetProfileInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await context.platform.assets.profiles.get(callerOf(request), request.params.id);
      return result.ok ? toAssetProfileInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/assetProfile/names',
    {
      schema: {
        operationId: 'getAssetProfileNames',
        tags,
        summary: 'Names of the profiles, by name; the first 10,000',
        querystring: Type.Object({
          activeOnly: Type.Optional(Type.Boolean({ description: 'Only of those that an asset has.' })),
        }),
        response: { 200: Type.Array(Type.Object({ id: refTo(EntityId), name: Type.String() })), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const result = await context.platform.assets.profiles.list(caller, BY_NAME);
      if (!result.ok) return refusals.platform(reply, result);
      const used = request.query.activeOnly === true ? await context.platform.assets.types(caller) : null;
      if (used !== null && !used.ok) return refusals.platform(reply, used);
      const names = used === null ? null : new Set(used.value);
      return result.value.data
        .filter(({ name }) => names === null || names.has(name))
        .map(({ id, name }) => ({ id: entityId('ASSET_PROFILE', id), name }));
    },
  );
}
