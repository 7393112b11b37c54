import type { Caller, Platform, Scheduler } from '@moorage/core';
import type { SocketChannel } from './socket-channel.ts';

/** What the subscriptions of one session work with. */
export interface SessionContext {
  readonly platform: Pick<Platform, 'telemetry' | 'assetTelemetry' | 'live' | 'entities'>;
  readonly caller: Caller;
  readonly channel: SocketChannel;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Something broke on our side; the client is not told what. */
  readonly fault: (error: unknown) => void;
}

/** One running subscription. */
export interface Subscription {
  close(): void;
}

/**
 * After this time present values are read once more: a message that was on its way into the store when a subscription
 * began was not announced to it, since nobody listened then.
 */
export const SECOND_LOOK_MS = 500;
