import type { FastifyReply } from 'fastify';
import type { ApiContext, ApiServer } from '../api-context.ts';
import { authenticateWith } from '../auth/authenticate.ts';
import { bareErrorHandler } from '../refusals/error-handlers.ts';
import { BodyReader } from '../telemetry/read-values.ts';
import { validatorCompiler } from '../validation/compilers.ts';
import { acceptAnyBodies, acceptJsonBodies } from '../validation/json-body.ts';
import { registerAlarmListRoutes } from './alarm-list-routes.ts';
import { registerAlarmRoutes } from './alarm-routes.ts';
import { registerApiKeyRoutes } from './api-key-routes.ts';
import { registerApplicationRoutes } from './application-routes.ts';
import { registerAssetCustomerRoutes } from './asset-customer-routes.ts';
import { registerAssetProfileRoutes } from './asset-profile-routes.ts';
import { registerAssetRoutes } from './asset-routes.ts';
import { registerAttributeWriteRoutes } from './attribute-write-routes.ts';
import { registerAuditRoutes } from './audit-routes.ts';
import { registerAuthRoutes, registerPublicAuthRoutes } from './auth-routes.ts';
import { registerBrokerRoutes } from './broker-routes.ts';
import { registerBulkImportRoutes } from './bulk-import-routes.ts';
import { registerClaimRoutes } from './claim-routes.ts';
import { registerConnectionRoutes } from './connection-routes.ts';
import { registerCustomerDeviceRoutes } from './customer-device-routes.ts';
import { registerCustomerRoutes } from './customer-routes.ts';
import { registerDashboardCustomerRoutes } from './dashboard-customer-routes.ts';
import { registerDashboardRoutes } from './dashboard-routes.ts';
import { registerDeviceLinkRoutes } from './device-link-routes.ts';
import { registerDeviceListRoutes } from './device-list-routes.ts';
import { registerDeviceProfileRoutes } from './device-profile-routes.ts';
import { registerDeviceRoutes } from './device-routes.ts';
import { registerEntityQueryRoutes } from './entity-query-routes.ts';
import { registerOtaPackageRoutes } from './ota-package-routes.ts';
import { registerRelationRoutes } from './relation-routes.ts';
import { registerRpcRoutes } from './rpc-routes.ts';
import { registerStorageRoutes } from './storage-routes.ts';
import { registerStreamRoutes } from './stream-routes.ts';
import { registerSystemRoutes } from './system-routes.ts';
import { registerTelemetryReadRoutes } from './telemetry-read-routes.ts';
import { registerTelemetryWriteRoutes } from './telemetry-write-routes.ts';
import { registerTenantRoutes } from './tenant-routes.ts';
import { unknownPathHandler } from './unknown-paths.ts';
import { registerPublicUserRoutes, registerUserLinkRoutes } from './user-link-routes.ts';
import { registerUserRoutes } from './user-routes.ts';
import { registerWebhookRoutes } from './webhook-routes.ts';

/** The calls below `/api` that need no token. */
function registerPublicRoutes(app: ApiServer, context: ApiContext): void {
  acceptJsonBodies(app);
  registerPublicAuthRoutes(app, context);
  registerPublicUserRoutes(app, context);
  const notOffered = async (_request: unknown, reply: FastifyReply) =>
    context.refusals.notOffered(reply, 'This call without a token is');
  app.all('/noauth/*', { schema: { hide: true } }, notOffered);
}

/** Bodies of this family are read from their bytes, and its refusals are bare sentences. */
function registerTelemetryPlugin(app: ApiServer, context: ApiContext): void {
  acceptAnyBodies(app);
  app.setErrorHandler(bareErrorHandler(context.refusals));
  app.setValidatorCompiler((route) =>
    route.httpPart === 'body' ? (body: unknown) => ({ value: body }) : validatorCompiler(route),
  );
  const reader = new BodyReader();
  registerTelemetryReadRoutes(app, context);
  registerTelemetryWriteRoutes(app, context, reader);
  registerAttributeWriteRoutes(app, context, reader);
}

/** Everything below `/api`. */
export function registerApi(app: ApiServer, context: ApiContext): void {
  app.register(async (scope: ApiServer) => registerPublicRoutes(scope, context), { prefix: '/api' });
  app.register(
    async (scope: ApiServer) => {
      acceptJsonBodies(scope);
      scope.addHook('onRequest', authenticateWith(context));
      const unknownPath = unknownPathHandler(context.refusals);
      scope.setNotFoundHandler(unknownPath);
      // Would be taken for the id of a profile.
      scope.get('/deviceProfile/names', { schema: { hide: true } }, unknownPath);
      registerAuthRoutes(scope, context);
      registerSystemRoutes(scope, context);
      registerStorageRoutes(scope, context);
      registerTenantRoutes(scope, context);
      await registerApiKeyRoutes(scope, context);
      registerAuditRoutes(scope, context);
      registerDeviceRoutes(scope, context);
      registerDeviceListRoutes(scope, context);
      registerDeviceLinkRoutes(scope, context);
      registerConnectionRoutes(scope, context);
      if (context.broker !== null) registerBrokerRoutes(scope, context, context.broker);
      registerDeviceProfileRoutes(scope, context);
      registerAlarmRoutes(scope, context);
      registerAlarmListRoutes(scope, context);
      await registerOtaPackageRoutes(scope, context);
      registerApplicationRoutes(scope, context);
      registerCustomerRoutes(scope, context);
      registerCustomerDeviceRoutes(scope, context);
      registerClaimRoutes(scope, context);
      registerBulkImportRoutes(scope, context);
      registerAssetRoutes(scope, context);
      registerAssetProfileRoutes(scope, context);
      registerAssetCustomerRoutes(scope, context);
      registerRelationRoutes(scope, context);
      await registerDashboardRoutes(scope, context);
      registerDashboardCustomerRoutes(scope, context);
      registerUserRoutes(scope, context);
      registerUserLinkRoutes(scope, context);
      registerWebhookRoutes(scope, context);
      await registerRpcRoutes(scope, context);
      registerEntityQueryRoutes(scope, context);
      registerStreamRoutes(scope, context);
      await scope.register(async (telemetry: ApiServer) => registerTelemetryPlugin(telemetry, context), {
        prefix: '/plugins/telemetry',
      });
    },
    { prefix: '/api' },
  );
}
