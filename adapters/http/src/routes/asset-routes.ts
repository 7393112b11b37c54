import {
  Asset,
  AssetInfo,
  AssetInfoPage,
  AssetInput,
  AssetListQuery,
  AssetPage,
  AssetType,
  refTo,
} from '@moorage/api-types';
import type { Caller } from '@moorage/core';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { fromAssetInput, toAsset, toAssetInfo, toAssetListQuery } from '../entities/asset.ts';
import { entityId } from '../entities/entity-ids.ts';
import { mapPage } from '../entities/pages.ts';
import type { StatusReply } from '../refusals/refusals.ts';
import { saveForCustomer } from './given-customer.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['asset'];
const MAX_IDS = 1000;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** The list and the look-up by name share a path, as those of devices. thingsboard-server.md, 2.2 */
const ListOrNameQuery = Type.Object({
  ...AssetListQuery.properties,
  pageSize: Type.Optional(AssetListQuery.properties.pageSize),
  page: Type.Optional(AssetListQuery.properties.page),
  assetName: Type.Optional(
    Type.String({ maxLength: 255, description: 'Answers the one asset of this name instead of a page.' }),
  ),
});

/** Assets by themselves and in lists. thingsboard-server.md, 2.5 */
export function registerAssetRoutes(app: ApiServer, context: ApiContext): void {
  registerSingleRoutes(app, context);
  registerListRoutes(app, context);
}

function registerSingleRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { assets } = context.platform;

  app.post(
    '/asset',
    {
      schema: {
        operationId: 'saveAsset',
        tags,
        summary: 'Create an asset, or update it if the body has an id',
        body: refTo(AssetInput),
        response: { 200: refTo(Asset), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const result = await saveForCustomer(context.platform.customers, caller, request.body.customerId, {
        save: () => assets.save(caller, fromAssetInput(request.body)),
        assign: (customerId, id) => assets.assign(caller, customerId, id),
        unassign: (id) => assets.unassign(caller, id),
      });
      return result.ok ? toAsset(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/asset/:id',
    {
      schema: {
        operationId: 'getAsset',
        tags,
        summary: 'An asset',
        params: IdParams,
        response: { 200: refTo(Asset), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await assets.get(callerOf(request), request.params.id);
      return result.ok ? toAsset(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/asset/info/:id',
    {
      schema: {
        operationId: 'getAssetInfo',
        tags,
        summary: 'An asset with its customer and profile name',
        params: IdParams,
        response: { 200: refTo(AssetInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await assets.info(callerOf(request), request.params.id);
      return result.ok ? toAssetInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/asset/:id',
    {
      schema: {
        operationId: 'deleteAsset',
        tags,
        summary: 'Delete an asset and its relations',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await assets.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}

function registerListRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { assets } = context.platform;

  const byName = async (caller: Caller, name: string, reply: StatusReply) => {
    const result = await assets.byName(caller, name);
    return result.ok ? toAsset(result.value) : refusals.platform(reply, result);
  };

  app.get(
    '/tenant/assets',
    {
      schema: {
        operationId: 'getTenantAssets',
        tags,
        summary: 'Assets of the tenant, or the one with assetName',
        querystring: ListOrNameQuery,
        response: { 200: Type.Union([refTo(AssetPage), refTo(Asset)]), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { assetName, pageSize, page, ...rest } = request.query;
      if (assetName !== undefined) return byName(callerOf(request), assetName, reply);
      if (pageSize === undefined) return refusals.badRequest(reply, "'pageSize' is missing in the query");
      if (page === undefined) return refusals.badRequest(reply, "'page' is missing in the query");
      const result = await assets.list(callerOf(request), toAssetListQuery({ ...rest, pageSize, page }));
      return result.ok ? mapPage(result.value, toAsset) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/tenant/assetInfos',
    {
      schema: {
        operationId: 'getTenantAssetInfos',
        tags,
        summary: 'Assets of the tenant with their customer and profile name',
        querystring: AssetListQuery,
        response: { 200: refTo(AssetInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await assets.listInfos(callerOf(request), toAssetListQuery(request.query));
      return result.ok ? mapPage(result.value, toAssetInfo) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/tenant/asset',
    {
      schema: {
        operationId: 'getTenantAsset',
        tags,
        summary: 'The asset of a name',
        querystring: Type.Object({ assetName: Type.String({ minLength: 1, maxLength: 255 }) }),
        response: { 200: refTo(Asset), ...refusalResponses },
      },
    },
    (request, reply) => byName(callerOf(request), request.query.assetName, reply),
  );

  app.get(
    '/assets',
    {
      schema: {
        operationId: 'getAssetsByIds',
        tags,
        summary: 'The assets of these ids that exist and may be seen',
        querystring: Type.Object({ assetIds: Type.String({ description: 'Comma-separated, at most 1,000.' }) }),
        response: { 200: Type.Array(refTo(Asset)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const ids = request.query.assetIds.split(',', MAX_IDS + 1).map((id) => id.trim().toLowerCase());
      if (ids.length > MAX_IDS) return refusals.badRequest(reply, `More than ${MAX_IDS} ids in 'assetIds'`);
      const malformed = ids.find((id) => !UUID.test(id));
      if (malformed !== undefined) {
        return refusals.badRequest(reply, `Invalid UUID string: ${malformed.slice(0, 100)}`);
      }
      const result = await assets.byIds(callerOf(request), ids);
      return result.ok ? result.value.map(toAsset) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/asset/types',
    {
      schema: {
        operationId: 'getAssetTypes',
        tags,
        summary: 'Names of the profiles in use',
        response: { 200: Type.Array(refTo(AssetType)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const result = await assets.types(caller);
      if (!result.ok) return refusals.platform(reply, result);
      const tenantId = entityId('TENANT', caller.tenantId);
      return result.value.map((type) => ({ tenantId, entityType: 'ASSET' as const, type }));
    },
  );
}
