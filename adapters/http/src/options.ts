import type { Socket } from 'node:net';
import type { Clock, Device, DeviceCredentials, Platform } from '@moorage/core';
import type { ConnectionGuide } from '@moorage/dialect-api';
import type { FastifyBaseLogger, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { Registry } from 'prom-client';
import type { RevokedSessions } from './auth/revoked-sessions.ts';
import type { BrokerDesk } from './broker-desk.ts';
import type { DeviceApi } from './device-api/mount-device-routes.ts';
import type { WebSocketOptions } from './websocket/web-socket-options.ts';

/** What `/readyz` answers. */
export interface HealthReport {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly reason: string | null }[];
}

/** How to connect a device that reaches this server as `host`; undefined if its dialect is not installed. */
export type ConnectionGuideProvider = (
  device: Device,
  credentials: DeviceCredentials,
  host: string,
) => ConnectionGuide | undefined | Promise<ConnectionGuide | undefined>;

/** A line of the connection log as the device host keeps it. */
export interface LoggedConnection {
  readonly ts: number;
  readonly event: string;
  readonly dialect: string | null;
  readonly address: string;
  readonly listener: string;
  readonly level: number;
  readonly clientId: string;
  readonly username: string | null;
  readonly code: number;
  readonly reason: string;
  readonly row: string | null;
  /** How often it happened within a minute. */
  readonly count: number;
  readonly looksLike: string | null;
  readonly said: readonly { readonly dialect: string; readonly reason: string }[];
}

/** The live connections, as far as the API may look at and touch them. */
export interface ConnectionDesk {
  /** Of one device, newest first. */
  logOf(deviceId: string): readonly LoggedConnection[];
  /** Of a tenant, newest first, with the attempts nobody claimed where it may see them; null: those attempts alone. */
  recent(tenantId: string | null): readonly LoggedConnection[];
  disconnect(deviceId: string): void;
}

export interface HttpServerOptions {
  readonly platform: Platform;
  readonly clock: Clock;
  /** Secret of the tokens (HS512): at least 64 bytes. A new one voids every token. RFC 7518, 3.2 */
  readonly signingKey: Uint8Array<ArrayBuffer>;
  /** `iss` of the tokens. */
  readonly issuer: string;
  /** Of this server, shown by `/api/system/info`. */
  readonly version: string;
  readonly logger: FastifyBaseLogger | false;
  readonly health: () => HealthReport;
  readonly connectionGuide: ConnectionGuideProvider;
  readonly connections: ConnectionDesk;
  /** Absent: the calls for the broker are not offered. */
  readonly broker?: BrokerDesk;
  /** What the dialects offer their devices over HTTP; null or absent: nothing. */
  readonly deviceApi?: DeviceApi | null;
  /** Holds the metrics of the other parts of the server; the HTTP metrics join them. Default: a registry of its own. */
  readonly metricsRegistry?: Registry;
  /** Bounds of WebSocket sessions and live streams. */
  readonly webSocket?: WebSocketOptions;
  /** Proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustProxy?: boolean | string | string[];
  /** Default 9,000. thingsboard-server.md, 1.2 */
  readonly accessTokenLifeSeconds?: number;
  /** Default 604,800. */
  readonly refreshTokenLifeSeconds?: number;
  /** Sessions that logged out. Default: in memory, forgotten at a restart. */
  readonly revokedSessions?: RevokedSessions;
}

/** The HTTP side of the server. */
export interface HttpServer {
  /** Serves a connection that another listener has accepted and decrypted. */
  serve(socket: Socket): void;
  /** Resolves with the port in use; 0 asks for a free one. */
  listen(host: string, port: number): Promise<number>;
  /** Answers what is under way, for at most 5 s, then cuts. */
  close(): Promise<void>;
  /** Answers a request without a socket; for tests. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>;
}
