import {
  type CommandRouter,
  type DeviceLinkService,
  DeviceLinks,
  LinkEngine,
  LinkIndex,
  type Registry,
  type TelemetryService,
} from '@moorage/core';
import type { Runtime } from '../running-server.ts';
import type { Stores } from './stores.ts';

export interface LinksOptions {
  readonly runtime: Runtime;
  readonly stores: Stores;
  readonly registry: Registry;
  /** Both are made later than what hears the values. */
  readonly router: () => CommandRouter;
  readonly telemetry: () => TelemetryService;
  readonly count: (event: string, amount: number) => void;
  readonly report: (error: unknown) => void;
}

/** Device links and the engine that sends their values. */
export interface Links {
  readonly service: DeviceLinkService;
  readonly engine: LinkEngine;
  start(): Promise<void>;
  /** Sends what waits; when nothing is stored any more. */
  close(): Promise<void>;
  /** Resolves when nothing is being deleted; after the registry has settled. */
  settled(): Promise<void>;
}

/** Builds device links and joins them with the registry. */
export function createLinks({ runtime, stores, registry, router, telemetry, count, report }: LinksOptions): Links {
  const { clock, scheduler, crypto, log } = runtime;
  const { repositories } = stores;
  const { locks } = registry;
  const deviceRef: Registry['deviceRef'] = (id) => registry.deviceRef(id);
  const index = new LinkIndex();
  const engine = new LinkEngine({
    links: index,
    router,
    telemetry,
    deviceRef,
    clock,
    scheduler,
    stopped: ({ id, name }) =>
      log.warn({ link: name, linkId: id }, 'a chain of device links was stopped after four commands'),
    count,
    report,
  });
  const service = new DeviceLinks({ repositories, index, engine, deviceRef, crypto, clock, locks, report });
  registry.addListener({
    revoked: (id, reason) => service.revoked(id, reason),
    deviceChanged() {},
    sharedAttributesChanged() {},
  });
  registry.addTenantContents(service);
  return {
    service,
    engine,
    async start() {
      await service.start();
      engine.start();
    },
    close: () => engine.close(),
    settled: () => service.settled(),
  };
}
