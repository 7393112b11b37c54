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

/** A server that is ready: every port is open and every store is consistent. */
export interface RunningServer {
  /** The ports in use, also when 0 was asked for. */
  readonly ports: { readonly mqtt: number; readonly http: number };
  /** True if somebody can sign in with a password. */
  readonly hasAdministrator: boolean;
  /** Stops accepting, tells the clients, commits what was acknowledged or is owed, closes. Once. */
  close(): Promise<void>;
}

/** Builds and starts a server. Rejects with `StartError` for what the operator can put right. */
export type Compose = (configuration: Configuration, runtime: Runtime) => Promise<RunningServer>;
