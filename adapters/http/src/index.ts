export type { RevokedSessions } from './auth/revoked-sessions.ts';
export type { BrokerDesk } from './broker-desk.ts';
export { createHttpServer } from './create-http-server.ts';
export type { DeviceApi } from './device-api/mount-device-routes.ts';
export type {
  ConnectionDesk,
  ConnectionGuideProvider,
  HealthReport,
  HttpServer,
  HttpServerOptions,
} from './options.ts';
export type { WebSocketOptions } from './websocket/web-socket-options.ts';
