import { Asset, AssetInfoPage, AssetListQuery, AssetPage, refTo, Uuid } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { toAsset, toAssetInfo, toAssetListQuery } from '../entities/asset.ts';
import { mapPage } from '../entities/pages.ts';
import { refusalResponses } from './operation.ts';

const tags = ['asset'];
const AssetParams = Type.Object({ assetId: Uuid });
const CustomerParams = Type.Object({ customerId: Uuid });

/** Assets that customers have. thingsboard-server.md, 2.5 and 2.7 */
export function registerAssetCustomerRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { assets } = context.platform;

  app.post(
    '/customer/:customerId/asset/:assetId',
    {
      schema: {
        operationId: 'assignAssetToCustomer',
        tags,
        summary: 'Assign an asset to a customer',
        params: Type.Object({ customerId: Uuid, assetId: Uuid }),
        response: { 200: refTo(Asset), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { customerId, assetId } = request.params;
      const result = await assets.assign(callerOf(request), customerId, assetId);
      return result.ok ? toAsset(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/customer/asset/:assetId',
    {
      schema: {
        operationId: 'unassignAssetFromCustomer',
        tags,
        summary: 'Take an asset back from its customer',
        params: AssetParams,
        response: { 200: refTo(Asset), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await assets.unassign(callerOf(request), request.params.assetId);
      return result.ok ? toAsset(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/customer/public/asset/:assetId',
    {
      schema: {
        operationId: 'assignAssetToPublicCustomer',
        tags,
        summary: 'Assign an asset to the public customer, which is made at first use',
        params: AssetParams,
        response: { 200: refTo(Asset), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await assets.assignToPublic(callerOf(request), request.params.assetId);
      return result.ok ? toAsset(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customer/:customerId/assets',
    {
      schema: {
        operationId: 'getCustomerAssets',
        tags,
        summary: 'Assets of a customer',
        params: CustomerParams,
        querystring: AssetListQuery,
        response: { 200: refTo(AssetPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { customerId } = request.params;
      const result = await assets.ofCustomer(callerOf(request), customerId, toAssetListQuery(request.query));
      return result.ok ? mapPage(result.value, toAsset) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customer/:customerId/assetInfos',
    {
      schema: {
        operationId: 'getCustomerAssetInfos',
        tags,
        summary: 'Assets of a customer with its title and their profile name',
        params: CustomerParams,
        querystring: AssetListQuery,
        response: { 200: refTo(AssetInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { customerId } = request.params;
      const result = await assets.infosOfCustomer(callerOf(request), customerId, toAssetListQuery(request.query));
      return result.ok ? mapPage(result.value, toAssetInfo) : refusals.platform(reply, result);
    },
  );
}
