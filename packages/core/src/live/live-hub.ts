import { type Result, refuse, success } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, RegistryListener } from '../platform.ts';
import type { Clock } from '../ports/runtime.ts';
import type { AttributeScope, OwnerId } from '../ports/telemetry-store.ts';
import type { StoredValuesObserver } from '../telemetry/observer-fan.ts';
import type { PointList } from '../values/point-list.ts';
import { LiveAttributes, type LiveEvent, LiveTelemetry } from './live-messages.ts';
import type { LiveEnd, LiveInterest, LiveService, LiveSubscriber, LiveWatch } from './live-service.ts';

export interface LiveLimits {
  /** Watches of one user over all of its sessions. */
  readonly watchesOfUser: number;
  /** Watches of everybody. */
  readonly watches: number;
}

export const DEFAULT_LIVE_LIMITS: LiveLimits = { watchesOfUser: 50_000, watches: 250_000 };

export interface LiveHubOptions {
  /** Whether a caller may read the data of a device, from memory: asked for every message. */
  readonly access: (caller: Caller, deviceId: EntityId) => Result<DeviceRef>;
  readonly clock: Pick<Clock, 'now'>;
  /** Something broke that must not: an exception of a subscriber. */
  readonly fault: (error: unknown) => void;
  readonly limits?: Partial<LiveLimits>;
}

/** The watches of one device. */
class DeviceWatches {
  readonly telemetry = new Set<Watch>();
  readonly attributes = new Set<Watch>();
  readonly events = new Set<Watch>();

  get empty(): boolean {
    return this.telemetry.size === 0 && this.attributes.size === 0 && this.events.size === 0;
  }

  add(watch: Watch): void {
    if (watch.interest.telemetry) this.telemetry.add(watch);
    if (watch.interest.attributes) this.attributes.add(watch);
    if (watch.interest.events) this.events.add(watch);
  }

  delete(watch: Watch): void {
    this.telemetry.delete(watch);
    this.attributes.delete(watch);
    this.events.delete(watch);
  }

  all(): Set<Watch> {
    return new Set([...this.telemetry, ...this.attributes, ...this.events]);
  }
}

class Watch implements LiveWatch {
  readonly caller: Caller;
  readonly deviceId: EntityId;
  readonly interest: LiveInterest;
  readonly subscriber: LiveSubscriber;
  readonly #remove: (watch: Watch) => void;
  closed = false;

  constructor(
    caller: Caller,
    deviceId: EntityId,
    interest: LiveInterest,
    subscriber: LiveSubscriber,
    remove: (watch: Watch) => void,
  ) {
    this.caller = caller;
    this.deviceId = deviceId;
    this.interest = interest;
    this.subscriber = subscriber;
    this.#remove = remove;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#remove(this);
  }
}

/**
 * Tells users what is stored for the devices they watch. A device nobody watches costs one look-up in a map; a message is
 * built and formatted once, however many listen. Nothing is kept here: who is too slow keeps or drops on its own.
 */
export class LiveHub implements LiveService, StoredValuesObserver, Pick<RegistryListener, 'revoked'> {
  readonly #options: LiveHubOptions;
  readonly #limits: LiveLimits;
  readonly #devices = new Map<OwnerId, DeviceWatches>();
  readonly #ofUser = new Map<EntityId, number>();
  readonly #remove = (watch: Watch): void => this.#removed(watch);
  #watches = 0;
  #messages = 0;

  constructor(options: LiveHubOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIVE_LIMITS, ...options.limits };
  }

  /** True if somebody hears the telemetry of this device: `notify` of `TelemetryIngest.submit`. */
  wants(owner: OwnerId): boolean {
    const watches = this.#devices.get(owner);
    return watches !== undefined && watches.telemetry.size > 0;
  }

  /** Watches at present, and messages handed to subscribers since the start. */
  counters(): { readonly watches: number; readonly devices: number; readonly messages: number } {
    return { watches: this.#watches, devices: this.#devices.size, messages: this.#messages };
  }

  watch(caller: Caller, deviceId: EntityId, interest: LiveInterest, subscriber: LiveSubscriber): Result<LiveWatch> {
    const device = this.#options.access(caller, deviceId);
    if (!device.ok) return device;
    const ofUser = this.#ofUser.get(caller.userId) ?? 0;
    if (ofUser >= this.#limits.watchesOfUser || this.#watches >= this.#limits.watches) {
      return refuse('tooManyRequests', 'Too many live subscriptions');
    }
    const watch = new Watch(caller, deviceId, interest, subscriber, this.#remove);
    let watches = this.#devices.get(deviceId);
    if (watches === undefined) {
      watches = new DeviceWatches();
      this.#devices.set(deviceId, watches);
    }
    watches.add(watch);
    this.#ofUser.set(caller.userId, ofUser + 1);
    this.#watches += 1;
    return success(watch);
  }

  telemetryStored(owner: OwnerId, points: PointList): void {
    const watches = this.#devices.get(owner)?.telemetry;
    if (watches === undefined || watches.size === 0) return;
    const message = new LiveTelemetry(owner, points);
    this.#tell(owner, watches, (subscriber) => subscriber.telemetry(message));
  }

  attributesStored(owner: OwnerId, scope: AttributeScope, values: PointList): void {
    const watches = this.#devices.get(owner)?.attributes;
    if (watches === undefined || watches.size === 0) return;
    const message = new LiveAttributes(owner, scope, { values }, this.#options.clock.now());
    this.#tell(owner, watches, (subscriber) => subscriber.attributes(message));
  }

  attributesRemoved(owner: OwnerId, scope: AttributeScope, keys: readonly string[]): void {
    const watches = this.#devices.get(owner)?.attributes;
    if (watches === undefined || watches.size === 0) return;
    const message = new LiveAttributes(owner, scope, { removed: keys }, this.#options.clock.now());
    this.#tell(owner, watches, (subscriber) => subscriber.attributes(message));
  }

  /** Something happened to a device: connections and activity from the host, alarms from the rules. */
  happened(owner: OwnerId, event: LiveEvent): void {
    const watches = this.#devices.get(owner)?.events;
    if (watches === undefined || watches.size === 0) return;
    this.#tell(owner, watches, (subscriber) => subscriber.event(owner, event));
  }

  /** A deleted device has nothing more to tell; other changes of credentials do not concern those who listen. */
  revoked(principalId: EntityId, reason: Parameters<RegistryListener['revoked']>[1]): void {
    if (reason !== 'deleted') return;
    for (const watch of this.#devices.get(principalId)?.all() ?? []) this.#end(watch, 'deleted');
  }

  #tell(owner: OwnerId, watches: ReadonlySet<Watch>, call: (subscriber: LiveSubscriber) => void): void {
    let asked: Caller | null = null;
    let allowed = false;
    for (const watch of watches) {
      // Rights may have changed since the watch began; callers of equal rights, usually neighbours, are asked for once.
      if (asked === null || !haveEqualRights(asked, watch.caller)) {
        asked = watch.caller;
        allowed = this.#options.access(asked, owner).ok;
      }
      if (!allowed) {
        this.#end(watch, 'denied');
        continue;
      }
      this.#messages += 1;
      try {
        call(watch.subscriber);
      } catch (error) {
        this.#options.fault(error);
      }
    }
  }

  #end(watch: Watch, reason: LiveEnd): void {
    if (watch.closed) return;
    watch.close();
    try {
      watch.subscriber.ended(watch.deviceId, reason);
    } catch (error) {
      this.#options.fault(error);
    }
  }

  #removed(watch: Watch): void {
    const watches = this.#devices.get(watch.deviceId);
    watches?.delete(watch);
    if (watches?.empty) this.#devices.delete(watch.deviceId);
    const left = (this.#ofUser.get(watch.caller.userId) ?? 1) - 1;
    if (left > 0) this.#ofUser.set(watch.caller.userId, left);
    else this.#ofUser.delete(watch.caller.userId);
    this.#watches -= 1;
  }
}

function haveEqualRights(a: Caller, b: Caller): boolean {
  return a === b || (a.authority === b.authority && a.tenantId === b.tenantId && a.customerId === b.customerId);
}
