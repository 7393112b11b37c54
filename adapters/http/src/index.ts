export type { RevokedSessions } from './auth/revoked-sessions.ts';
export { createHttpServer } from './create-http-server.ts';
export type {
  ConnectionDesk,
  ConnectionGuideProvider,
  HealthReport,
  HttpServer,
  HttpServerOptions,
} from './options.ts';
