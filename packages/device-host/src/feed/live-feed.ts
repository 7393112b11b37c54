import type { AttributeScope, DeviceRef, PointList } from '@moorage/core';
import { attributesPayload, NormalisedTopics, telemetryPayloads } from './normalised-topics.ts';

/** What the feed needs of the broker. */
export interface FeedBroker {
  hasSubscribers(space: string, topicName: string): boolean;
  publish(
    space: string,
    message: {
      readonly topicName: string;
      readonly payload: Uint8Array;
      readonly qos: 0 | 1 | 2;
      readonly retain: boolean;
    },
  ): number;
}

/** Most devices whose topics are kept built. */
const MAXIMUM_DEVICES = 100_000;

/** The space in which the plain clients of a tenant meet. architecture.md, Spaces */
export function plainSpace(tenantId: string): string {
  return spaceKey(tenantId, 'plain', '');
}

/** Name of the space of an account inside (tenant, dialect). */
export function spaceKey(tenantId: string, dialect: string, account: string): string {
  return `${tenantId}/${dialect}/${account}`;
}

/** What stands behind tenant and dialect: the account of a space, or the identity of a Session key. */
export function behindDialect(key: string): string {
  return key.split('/').slice(2).join('/');
}

/** Offers every device under `moorage/devices/{name}/…`; a message is built only when a subscription matches. */
export class LiveFeed {
  readonly #broker: FeedBroker;
  readonly #topics = new Map<DeviceRef, NormalisedTopics>();
  readonly #encoder = new TextEncoder();

  constructor(broker: FeedBroker) {
    this.#broker = broker;
  }

  topicsOf(device: DeviceRef): NormalisedTopics {
    let topics = this.#topics.get(device);
    if (topics === undefined) {
      if (this.#topics.size >= MAXIMUM_DEVICES) this.#topics.clear();
      topics = new NormalisedTopics(device.name);
      this.#topics.set(device, topics);
    }
    return topics;
  }

  /** The registry replaced or removed this reference. */
  forget(device: DeviceRef): void {
    this.#topics.delete(device);
  }

  wantsTelemetry(device: DeviceRef): boolean {
    return this.#broker.hasSubscribers(plainSpace(device.tenantId), this.topicsOf(device).telemetry);
  }

  telemetry(device: DeviceRef, points: PointList): void {
    const topicName = this.topicsOf(device).telemetry;
    if (!this.#broker.hasSubscribers(plainSpace(device.tenantId), topicName)) return;
    for (const payload of telemetryPayloads(points)) this.#send(device, topicName, payload);
  }

  attributes(device: DeviceRef, scope: AttributeScope, ts: number, values: PointList): void {
    this.#sendIfWanted(device, this.#attributesTopic(device, scope), () => attributesPayload(ts, values));
  }

  attributesDeleted(device: DeviceRef, scope: AttributeScope, ts: number, keys: readonly string[]): void {
    this.#sendIfWanted(device, this.#attributesTopic(device, scope), () => JSON.stringify({ ts, deleted: keys }));
  }

  /** `connected`, `disconnected`, `active`, `inactive` or `refused`. */
  event(device: DeviceRef, ts: number, type: string, reason: string | null): void {
    this.#sendIfWanted(device, this.topicsOf(device).events, () =>
      JSON.stringify(reason === null ? { ts, type } : { ts, type, reason }),
    );
  }

  #attributesTopic(device: DeviceRef, scope: AttributeScope): string {
    const topics = this.topicsOf(device);
    if (scope === 'CLIENT') return topics.clientAttributes;
    return scope === 'SHARED' ? topics.sharedAttributes : topics.serverAttributes;
  }

  #sendIfWanted(device: DeviceRef, topicName: string, payload: () => string): void {
    if (this.#broker.hasSubscribers(plainSpace(device.tenantId), topicName)) this.#send(device, topicName, payload());
  }

  #send(device: DeviceRef, topicName: string, payload: string): void {
    const message = { topicName, payload: this.#encoder.encode(payload), qos: 1 as const, retain: false };
    this.#broker.publish(plainSpace(device.tenantId), message);
  }
}
