import type { FastifyReply, FastifyRequest } from 'fastify';
import { ErrorCode, type Refusals } from '../refusals/refusals.ts';

/**
 * Families of ThingsBoard's API, and our own planned ones, that this server does not have yet, by the first part of the
 * path or the first two. thingsboard-server.md, 0.7
 */
const FAMILIES = new Map<string, string>([
  ['2fa', 'Two-factor sign-in'],
  ['admin', 'Administration settings'],
  ['alarm', 'This call for alarms'],
  ['alarms', 'This call for alarms'],
  ['alarmsQuery', 'Alarms'],
  ['apiKey', 'This call for API keys'],
  ['apiKeys', 'This call for API keys'],
  ['asset', 'This call for assets'],
  ['asset/bulk_import', 'Bulk import of assets'],
  ['assetProfile', 'This call for asset profiles'],
  ['assetProfileInfo', 'This call for asset profiles'],
  ['assetProfileInfos', 'This call for asset profiles'],
  ['assetProfiles', 'This call for asset profiles'],
  ['assets', 'This call for assets'],
  ['audit', 'This call for audit logs'],
  ['broker', 'This call for the broker'],
  ['calculatedField', 'Calculated fields'],
  ['calculatedFields', 'Calculated fields'],
  ['component', 'Rule chains'],
  ['components', 'Rule chains'],
  ['connectionLog', 'Connection logs'],
  ['customer', 'This call for customers'],
  ['customerInfo', 'This call for customers'],
  ['customers', 'This call for customers'],
  ['dashboard', 'This call for dashboards'],
  ['dashboards', 'This call for dashboards'],
  ['device-connectivity', 'Device connectivity commands'],
  ['deviceProfile/devices', 'Keys of a device profile'],
  ['deviceProfile/names', 'Names of device profiles'],
  ['devices', 'Device queries'],
  ['domain', 'Domains'],
  ['edge', 'Edges'],
  ['edges', 'Edges'],
  ['entityView', 'Entity views'],
  ['entityViews', 'Entity views'],
  ['events', 'Events'],
  ['image', 'Images'],
  ['images', 'Images'],
  ['link', 'Device links'],
  ['links', 'Device links'],
  ['mobile', 'Mobile applications'],
  ['noauth', 'This call without a token'],
  ['notification', 'Notifications'],
  ['notifications', 'Notifications'],
  ['oauth2', 'OAuth 2.0'],
  ['plugins/telemetry', 'This telemetry call'],
  ['queue', 'Queues'],
  ['queues', 'Queues'],
  ['relation', 'This call for relations'],
  ['relations', 'This call for relations'],
  ['resource', 'Resources'],
  ['rule-engine', 'Rule chains'],
  ['ruleChain', 'Rule chains'],
  ['ruleChains', 'Rule chains'],
  ['ruleNode', 'Rule chains'],
  ['system/params', 'System parameters'],
  ['tenant', 'This call for tenants'],
  ['tenantInfo', 'Tenants'],
  ['tenantProfile', 'Tenant profiles'],
  ['tenantProfiles', 'Tenant profiles'],
  ['tenants', 'This call for tenants'],
  ['usage', 'Usage statistics'],
  ['user', 'This call for users'],
  ['userInfo', 'This call for users'],
  ['users', 'This call for users'],
  ['v2', 'This call for alarms'],
  ['webhook', 'This call for webhooks'],
  ['widgetType', 'Widgets'],
  ['widgetTypes', 'Widgets'],
  ['widgetsBundle', 'Widgets'],
  ['widgetsBundles', 'Widgets'],
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
