import type { FastifyReply, FastifyRequest } from 'fastify';
import { ErrorCode, type Refusals } from '../refusals/refusals.ts';

/**
 * Families of ThingsBoard's API, and our own planned ones, that this server does not have yet, by the first part of the
 * path or the first two. thingsboard-server.md, 0.7
 */
const FAMILIES = new Map<string, string>([
  ['2fa', 'Two-factor sign-in'],
  ['admin', 'Administration settings'],
  ['alarm', 'Alarms'],
  ['alarms', 'Alarms'],
  ['alarmsQuery', 'Alarms'],
  ['apiKey', 'API keys'],
  ['apiKeys', 'API keys'],
  ['asset', 'Assets'],
  ['assetProfile', 'Assets'],
  ['assetProfileInfo', 'Assets'],
  ['assetProfileInfos', 'Assets'],
  ['assetProfiles', 'Assets'],
  ['assets', 'Assets'],
  ['audit', 'Audit logs'],
  ['auth/login/public', 'Public dashboards'],
  ['broker', 'Broker state'],
  ['calculatedField', 'Calculated fields'],
  ['calculatedFields', 'Calculated fields'],
  ['component', 'Rule chains'],
  ['components', 'Rule chains'],
  ['connectionLog', 'Connection logs'],
  ['customer', 'Customers'],
  ['customers', 'Customers'],
  ['customerInfo', 'Customers'],
  ['dashboard', 'Dashboards'],
  ['dashboards', 'Dashboards'],
  ['device-connectivity', 'Device connectivity commands'],
  ['device/bulk_import', 'Bulk import'],
  ['deviceProfile/devices', 'Keys of a device profile'],
  ['deviceProfile/names', 'Names of device profiles'],
  ['devices', 'Device queries'],
  ['domain', 'Domains'],
  ['edge', 'Edges'],
  ['edges', 'Edges'],
  ['entitiesQuery', 'Entity queries'],
  ['entityView', 'Entity views'],
  ['entityViews', 'Entity views'],
  ['events', 'Events'],
  ['image', 'Images'],
  ['images', 'Images'],
  ['link', 'Device links'],
  ['links', 'Device links'],
  ['mobile', 'Mobile applications'],
  ['noauth', 'Password reset and activation'],
  ['notification', 'Notifications'],
  ['notifications', 'Notifications'],
  ['oauth2', 'OAuth 2.0'],
  ['otaPackage', 'OTA packages'],
  ['otaPackages', 'OTA packages'],
  ['plugins/rpc', 'RPC'],
  ['plugins/telemetry', 'This telemetry call'],
  ['queue', 'Queues'],
  ['queues', 'Queues'],
  ['relation', 'Relations'],
  ['relations', 'Relations'],
  ['resource', 'Resources'],
  ['rpc', 'RPC'],
  ['rule-engine', 'Rule chains'],
  ['ruleChain', 'Rule chains'],
  ['ruleChains', 'Rule chains'],
  ['ruleNode', 'Rule chains'],
  ['storage', 'Storage statistics'],
  ['stream', 'Live streams'],
  ['system/params', 'System parameters'],
  ['tenant', 'Tenants'],
  ['tenantInfo', 'Tenants'],
  ['tenantProfile', 'Tenant profiles'],
  ['tenantProfiles', 'Tenant profiles'],
  ['tenant/assets', 'Assets'],
  ['tenant/customers', 'Customers'],
  ['tenant/dashboards', 'Dashboards'],
  ['tenants', 'Tenants'],
  ['usage', 'Usage statistics'],
  ['user', 'Users'],
  ['userInfo', 'Users'],
  ['users', 'Users'],
  ['v2', 'Alarms'],
  ['webhook', 'Webhooks'],
  ['widgetType', 'Widgets'],
  ['widgetTypes', 'Widgets'],
  ['widgetsBundle', 'Widgets'],
  ['widgetsBundles', 'Widgets'],
  ['ws', 'The WebSocket API'],
]);

/** The family that a path below `/api` belongs to, if it is known and not offered. */
export function missingFamily(url: string): string | undefined {
  const [, , first = '', second = '', third = ''] = (url.split('?', 1)[0] ?? '').split('/', 5);
  return FAMILIES.get(`${first}/${second}/${third}`) ?? FAMILIES.get(`${first}/${second}`) ?? FAMILIES.get(first);
}

/** Answers paths below `/api` that no route has: 501 for a known family, else 404. */
export function unknownPathHandler(refusals: Refusals) {
  return async function unknownPath(request: FastifyRequest, reply: FastifyReply) {
    const family = missingFamily(request.url);
    if (family === undefined) {
      return refusals.object(reply, 404, ErrorCode.notFound, "Requested item wasn't found!");
    }
    return refusals.object(reply, 501, ErrorCode.general, `${family}: not offered by this server yet`);
  };
}
