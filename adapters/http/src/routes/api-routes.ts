import type { FastifyReply } from 'fastify';
import type { ApiContext, ApiServer } from '../api-context.ts';
import { authenticateWith } from '../auth/authenticate.ts';
import { bareErrorHandler } from '../refusals/error-handlers.ts';
import { BodyReader } from '../telemetry/read-values.ts';
import { validatorCompiler } from '../validation/compilers.ts';
import { acceptAnyBodies, acceptJsonBodies } from '../validation/json-body.ts';
import { registerApplicationRoutes } from './application-routes.ts';
import { registerAttributeWriteRoutes } from './attribute-write-routes.ts';
import { registerAuthRoutes, registerPublicAuthRoutes } from './auth-routes.ts';
import { registerConnectionRoutes } from './connection-routes.ts';
import { registerDeviceListRoutes } from './device-list-routes.ts';
import { registerDeviceProfileRoutes } from './device-profile-routes.ts';
import { registerDeviceRoutes } from './device-routes.ts';
import { registerSystemRoutes } from './system-routes.ts';
import { registerTelemetryReadRoutes } from './telemetry-read-routes.ts';
import { registerTelemetryWriteRoutes } from './telemetry-write-routes.ts';
import { unknownPathHandler } from './unknown-paths.ts';

/** The calls below `/api` that need no token. */
function registerPublicRoutes(app: ApiServer, context: ApiContext): void {
  acceptJsonBodies(app);
  registerPublicAuthRoutes(app, context);
  const notOffered = async (_request: unknown, reply: FastifyReply) =>
    context.refusals.notOffered(reply, 'Password reset, activation and public dashboards are');
  app.all('/noauth/*', { schema: { hide: true } }, notOffered);
  app.post('/auth/login/public', { schema: { hide: true } }, notOffered);
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
      registerDeviceRoutes(scope, context);
      registerDeviceListRoutes(scope, context);
      registerConnectionRoutes(scope, context);
      registerDeviceProfileRoutes(scope, context);
      registerApplicationRoutes(scope, context);
      await scope.register(async (telemetry: ApiServer) => registerTelemetryPlugin(telemetry, context), {
        prefix: '/plugins/telemetry',
      });
    },
    { prefix: '/api' },
  );
}
