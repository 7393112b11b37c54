import { deviceInput, FakeTime, MemoryTelemetryStore, openTestRegistry, succeeded } from '@moorage/testkit';
import type { EntityId, Json } from '../../model/entities.ts';
import type { Repositories } from '../../ports/repositories.ts';
import type { AttributeScope } from '../../ports/telemetry-store.ts';
import { CommandRouter } from '../../rpc/command-router.ts';
import { FakeDevices } from '../../rpc/test-device.ts';
import { TelemetryIngest } from '../../telemetry/ingest.ts';
import type { TelemetryObserver } from '../../telemetry/observer.ts';
import { createTelemetryService } from '../../telemetry/service.ts';
import { settleAll } from '../../telemetry/test-fakes.ts';
import { PointList } from '../../values/point-list.ts';
import { valueFromJson } from '../../values/value-from-json.ts';
import { DeviceLinks } from '../device-links.ts';
import type { DeviceLink, DeviceLinkInput, StoredLink } from '../link.ts';
import { LinkEngine, type LinkEngineLimits } from '../link-engine.ts';
import { LinkIndex } from '../link-index.ts';

export type TestLinks = Awaited<ReturnType<typeof openTestLinks>>;

/** Links on a registry, with devices in the hand of a test. */
export async function openTestLinks(
  options: { readonly limits?: Partial<LinkEngineLimits>; readonly repositories?: Repositories } = {},
) {
  const registry = await openTestRegistry(options.repositories === undefined ? {} : options);
  const time = new FakeTime(registry.clock.time);
  const devices = new FakeDevices();
  const router = new CommandRouter({ gateway: devices, scheduler: time });
  const store = new MemoryTelemetryStore();
  const faults: unknown[] = [];
  const report = (error: unknown): void => void faults.push(error);
  const stopped: StoredLink[] = [];
  const counts = new Map<string, number>();
  const deviceRef = (id: EntityId) => registry.deviceRef(id);
  const index = new LinkIndex();
  const engine: LinkEngine = new LinkEngine({
    links: index,
    router: () => router,
    telemetry: () => telemetry,
    deviceRef,
    clock: time,
    scheduler: time,
    stopped: (link) => stopped.push(link),
    count: (event, amount) => counts.set(event, (counts.get(event) ?? 0) + amount),
    report,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const observer: TelemetryObserver = {
    telemetryStored: (owner, points) => engine.telemetryStored(owner, points),
    attributesStored: (owner, scope, values) => engine.attributesStored(owner, scope, values),
    attributesRemoved: () => engine.attributesRemoved(),
    dropped() {},
    congestionChanged() {},
    fault: report,
  };
  const ingest = new TelemetryIngest({ telemetry: store, attributes: store, clock: time, scheduler: time, observer });
  const told: string[] = [];
  const telemetry = createTelemetryService({
    telemetry: store,
    attributes: store,
    ingest,
    observer,
    clock: time,
    scheduler: time,
    access: { entity: registry.deviceData },
    listener: {
      sharedAttributesChanged(id, change) {
        if (!('values' in change)) return;
        for (const [key, { value }] of change.values) told.push(`${nameOf(id)} ${key}=${value}`);
      },
    },
  });
  const { repositories, crypto, locks, admin } = registry;
  const links = new DeviceLinks({ repositories, index, engine, deviceRef, crypto, clock: time, locks, report });
  registry.addListener({
    revoked: (id, why) => links.revoked(id, why),
    deviceChanged() {},
    sharedAttributesChanged() {},
  });
  await links.start();
  engine.start();
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      time.endTurn();
      await settleAll();
    }
  };
  function nameOf(id: EntityId): string {
    return registry.deviceRef(id)?.name ?? id;
  }

  return {
    registry,
    links,
    index,
    engine,
    devices,
    store,
    time,
    faults,
    stopped,
    counts,
    /** Shared attributes told to devices: `device key=value`. */
    told,
    settle,
    /** A device that listens for commands; its id. */
    async device(name: string): Promise<EntityId> {
      const { id } = succeeded(await registry.devices.save(admin, deviceInput(name), { accessToken: null }));
      devices.listening.add(id);
      return id;
    },
    async link(parts: LinkParts): Promise<DeviceLink> {
      return succeeded(await links.save(admin, linkInput(parts)));
    },
    async report(deviceId: EntityId, values: Readonly<Record<string, Json>>): Promise<void> {
      engine.telemetryStored(deviceId, listOf(values, time.now()));
      await settle();
    },
    async write(deviceId: EntityId, scope: AttributeScope, values: Readonly<Record<string, Json>>): Promise<void> {
      engine.attributesStored(deviceId, scope, listOf(values, time.now()));
      await settle();
    },
    async advance(ms: number): Promise<void> {
      time.advance(ms);
      await settle();
    },
    /** Calls that devices heard since the last call: `device method params`. */
    called(): string[] {
      const received = devices.received.splice(0);
      return received.map(({ deviceId, method, params }) => `${nameOf(deviceId)} ${method} ${params}`);
    },
    async outcome(link: DeviceLink) {
      const { lastOutcome, lastTime } = succeeded(await links.get(admin, link.id));
      return { lastOutcome, lastTime };
    },
  };
}

export interface LinkParts extends Partial<Omit<DeviceLinkInput, 'source' | 'target'>> {
  /** Device and key. */
  readonly from: readonly [EntityId, string];
  readonly to: EntityId;
  readonly method?: string;
  readonly attribute?: string;
}

export function linkInput({ from, to, method, attribute, ...parts }: LinkParts): DeviceLinkInput {
  return {
    id: null,
    name: 'a link',
    enabled: true,
    source: { deviceId: from[0], key: from[1] },
    target: { deviceId: to, method: method ?? null, attribute: attribute ?? null },
    map: null,
    version: null,
    ...parts,
  };
}

export function listOf(values: Readonly<Record<string, Json>>, ts: number): PointList {
  const points = new PointList();
  for (const [key, json] of Object.entries(values)) {
    const value = valueFromJson(json, false);
    if (value !== null) points.add(ts, key, value.kind, value.value);
  }
  return points;
}
