import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyReply, type FastifyRequest, fastify, LogController } from 'fastify';
import { Registry } from 'prom-client';
import type { ApiContext, ApiServer } from './api-context.ts';
import { auditHook } from './audit/audit-hook.ts';
import { RevokedSessionsInMemory } from './auth/revoked-sessions.ts';
import { Tokens } from './auth/tokens.ts';
import { mountDeviceRoutes } from './device-api/mount-device-routes.ts';
import { httpMetrics } from './metrics/http-metrics.ts';
import { processMetrics } from './metrics/process-metrics.ts';
import { DocsPages } from './openapi/docs-pages.ts';
import { collectRoutes } from './openapi/document.ts';
import type { HttpServer, HttpServerOptions } from './options.ts';
import { clientErrorHandler } from './refusals/client-error.ts';
import { errorObjectHandler } from './refusals/error-handlers.ts';
import { ErrorCode, Refusals } from './refusals/refusals.ts';
import { registerApi } from './routes/api-routes.ts';
import { registerRootRoutes } from './routes/root-routes.ts';
import { schemaController, validatorCompiler } from './validation/compilers.ts';
import { acceptWebSockets, closeLiveApi, openLiveApi } from './websocket/live-api.ts';
import { isWebSocketRequest } from './websocket/web-socket-server.ts';

/** thingsboard-server.md, 0.1 */
const BODY_LIMIT_BYTES = 16_777_216;
const REQUEST_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 5_000;

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

function setSecurityHeaders(_request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers(SECURITY_HEADERS);
  done();
}

function newServer(options: HttpServerOptions, refusals: Refusals): ApiServer {
  const handleError = errorObjectHandler(refusals);
  const app = fastify({
    ...(options.logger === false ? { logger: false } : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    // Other upgrades are not offered: such requests are answered as ordinary ones. RFC 9110, 7.8
    http: { shouldUpgradeCallback: isWebSocketRequest },
    trustProxy: options.trustProxy ?? false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1024 },
    schemaController,
    frameworkErrors: (error, request, reply) => handleError(error, request, reply),
    clientErrorHandler: clientErrorHandler(options.clock),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(async (_request, reply) =>
    refusals.object(reply, 404, ErrorCode.notFound, "Requested item wasn't found!"),
  );
  app.decorateRequest('signedIn', null);
  app.addHook('onRequest', setSecurityHeaders);
  return app;
}

/** Makes the HTTP side of the server; it listens when told to. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { clock, platform, version, connectionGuide, connections } = options;
  const tokens = await Tokens.create({
    signingKey: options.signingKey,
    issuer: options.issuer,
    clock,
    accessTokenLifeSeconds: options.accessTokenLifeSeconds ?? 9_000,
    refreshTokenLifeSeconds: options.refreshTokenLifeSeconds ?? 604_800,
  });
  const refusals = new Refusals(clock);
  const registry = options.metricsRegistry ?? new Registry();
  const revokedSessions = options.revokedSessions ?? new RevokedSessionsInMemory(() => clock.now());
  const context: ApiContext = {
    platform,
    clock,
    tokens,
    revokedSessions,
    refusals,
    version,
    connectionGuide,
    connections,
    broker: options.broker ?? null,
    live: openLiveApi(options.webSocket ?? {}, options.logger),
  };

  const app = newServer(options, refusals);
  app.addHook('preClose', async () => closeLiveApi(context.live));
  processMetrics(registry);
  app.addHook('onResponse', httpMetrics(registry));
  app.addHook('onSend', auditHook(context));
  const docs = new DocsPages(collectRoutes(app), version);
  registerRootRoutes(app, { health: options.health, registry, openApi: () => docs.openApi() });
  docs.register(app);
  registerApi(app, context);
  if (options.deviceApi != null) mountDeviceRoutes(app, options.deviceApi);
  await app.ready();
  acceptWebSockets(app.server, context, options.logger);

  return {
    inject: (request) => app.inject(request),
    serve: (socket) => void app.server.emit('connection', socket),
    async listen(host, port) {
      await app.listen({ host, port });
      const address = app.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    async close() {
      const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_TIMEOUT_MS);
      cut.unref();
      await app.close();
      clearTimeout(cut);
      await docs.close();
    },
  };
}
