import { type Registry, Webhooks } from '@moorage/core';
import type { Configuration } from '../config/schema.ts';
import type { Runtime } from '../running-server.ts';
import type { Stores } from './stores.ts';

export interface WebhooksOptions {
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly stores: Stores;
  readonly registry: Registry;
  readonly count: (event: string, amount: number) => void;
  readonly report: (error: unknown) => void;
}

/** The outbox of webhooks, without kinds: each dialect that sends any adds its own with `addKind`. */
export function createWebhooks({ configuration, runtime, stores, registry, count, report }: WebhooksOptions): Webhooks {
  const { clock, scheduler, crypto, log } = runtime;
  const { allowPrivateAddresses } = configuration.webhooks;
  const webhooks = new Webhooks({
    store: stores.outbox,
    sender: async () => {
      // The client costs memory that a server without webhooks should not pay.
      const { UndiciWebhookSender } = await import('@moorage/webhook');
      return new UndiciWebhookSender({ allowPrivateAddresses });
    },
    kinds: [],
    clock,
    scheduler,
    crypto,
    limits: { commitIntervalMs: configuration.storage.commitIntervalMs },
    count,
    notice: ({ text, targetId, kind }) => log.warn({ targetId, kind }, `webhooks: ${text}`),
    report,
  });
  registry.addListener({
    revoked() {},
    deviceChanged() {},
    sharedAttributesChanged() {},
    applicationChanged: (id) => webhooks.resume(id),
    applicationRemoved: (id) => webhooks.removeTarget(id),
  });
  return webhooks;
}
