import type { Registry, WebhookOutbox } from '@moorage/core';
import { ApplicationPushes } from '@moorage/device-host';
import type { Dialect } from '@moorage/dialect-api';
import type { Broker } from '@moorage/mqtt-broker';
import type { Runtime } from '../running-server.ts';
import type { Stores } from './stores.ts';

export interface PushesOptions {
  readonly runtime: Runtime;
  readonly stores: Pick<Stores, 'telemetry'>;
  readonly registry: Registry;
  readonly dialects: readonly Dialect[];
  /** Asked for after the start: it is made later. */
  readonly broker: () => Pick<Broker, 'hasSubscribers' | 'publish'>;
  readonly outbox: WebhookOutbox;
  readonly count: (event: string, amount: number) => void;
  readonly report: (error: unknown) => void;
}

/** Tells applications what devices send, and hears of their changes. */
export function createPushes(options: PushesOptions): ApplicationPushes {
  const { runtime, stores, registry, dialects, broker, outbox, count, report } = options;
  const pushes = new ApplicationPushes({
    dialects,
    credentials: registry.credentials,
    deviceRef: (id) => registry.deviceRef(id),
    attributes: stores.telemetry,
    broker: {
      hasSubscribers: (space, topicName) => broker().hasSubscribers(space, topicName),
      publish: (space, message, token) => broker().publish(space, message, token),
    },
    outbox,
    clock: runtime.clock,
    observer: { count, fault: report },
  });
  registry.addListener(pushes);
  return pushes;
}
