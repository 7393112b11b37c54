import type { Clock, Crypto, Scheduler } from '@moorage/core';
import type { Logger } from 'pino';
import type { Configuration } from './config/schema.ts';

/** What the composition is given besides the configuration. */
export interface Runtime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly crypto: Crypto;
  readonly log: Logger;
}

/** A port for the devices of one dialect. */
export interface PinnedPort {
  readonly listener: 'mqtt' | 'mqtts' | 'ws' | 'wss' | 'combined';
  readonly dialect: string;
  readonly port: number;
}

/** The ports in use for devices, also when 0 was asked for; absent: not open. */
export interface DevicePorts {
  readonly mqtt: number;
  readonly mqtts?: number;
  readonly ws?: number;
  readonly wss?: number;
  /** HTTPS, secure WebSocket and MQTT over TLS together. */
  readonly combined?: number;
  /** UDP. */
  readonly coap?: number;
  readonly pinned?: readonly PinnedPort[];
}

/** A server that is ready: every port is open and every store is consistent. */
export interface RunningServer {
  readonly ports: DevicePorts & { readonly http: number };
  /** True if somebody can sign in with a password. */
  readonly hasAdministrator: boolean;
  /** Reads what may change while running, the certificate, anew. Never rejects for what the files hold. */
  reload?(): Promise<void>;
  /** Stops accepting, tells the clients, commits what was acknowledged or is owed, closes. Once. */
  close(): Promise<void>;
}

/** Builds and starts a server. Rejects with `StartError` for what the operator can put right. */
export type Compose = (configuration: Configuration, runtime: Runtime) => Promise<RunningServer>;
