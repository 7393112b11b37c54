import { type DeviceRef, type Json, type Value, ValueKind, valueFromJson } from '@moorage/core';
import { isProperty } from './platform-keys.ts';
import {
  type DesiredValues,
  documentReply,
  EMPTY_SHADOW,
  errorReply,
  readStoredShadow,
  type Shadow,
  shadowChange,
  storedShadow,
  successReply,
} from './shadow.ts';
import type { LinkStore } from './stored-requests.ts';
import { Turns } from './turns.ts';

/** Server attribute with what a device reported through its shadow. */
const SHADOW_ATTRIBUTE = 'shadow';

/** Beyond so many they are forgotten, and recalled when their devices connect or speak. */
const MAXIMUM_KNOWN = 20_000;

/** The shadows of all devices. Reported values are client attributes too, desired ones are the shared attributes. */
export class ShadowRequests {
  readonly #store: () => LinkStore;
  readonly #now: () => number;
  /** Requests of one device follow one another. */
  readonly #turns = new Turns();
  /** Shadows of devices that have one and were heard of lately. */
  readonly #known = new Map<string, Shadow>();

  /** `now`: epoch milliseconds. */
  constructor(store: () => LinkStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** The whole downlink as JSON text. `request` null: it was not JSON. */
  answer(device: DeviceRef, request: Json): Promise<string> {
    return this.#turns.run(device.id, () => this.#answer(device, request));
  }

  /** Recalls the shadow of a device that connects. */
  async load(device: DeviceRef): Promise<void> {
    await this.#turns.run(device.id, () => this.#read(device));
  }

  /**
   * What a device that has a shadow is told of values which an application desires of it; null: it has none. JSON text.
   * Section 4.2
   */
  control(deviceId: string, values: ReadonlyMap<string, Value>): string | null {
    const shadow = this.#known.get(deviceId);
    if (shadow === undefined) return null;
    const now = Math.floor(this.#now() / 1000);
    const desired = new Map(Array.from(values, ([key, value]) => [key, { value: jsonOf(value), timestamp: now }]));
    return documentReply('control', shadow, desired, now);
  }

  #remember(deviceId: string, shadow: Shadow): void {
    if (this.#known.size >= MAXIMUM_KNOWN) this.#known.clear();
    this.#known.set(deviceId, shadow);
  }

  async #answer(device: DeviceRef, request: Json): Promise<string> {
    const now = Math.floor(this.#now() / 1000);
    const shadow = await this.#read(device);
    const change = shadowChange(shadow, request, now);
    if (change.kind === 'error') return errorReply(change.error, now);
    if (change.kind === 'get') return documentReply('reply', shadow, await this.#desired(device), now);
    const done = await this.#write(device, shadow, change.shadow, change.clearDesired);
    if (done) this.#remember(device.id, change.shadow);
    return done ? successReply(change.shadow.version, now) : errorReply(500, now);
  }

  async #read(device: DeviceRef): Promise<Shadow> {
    const [attribute] = await this.#store().read(device, 'SERVER', [SHADOW_ATTRIBUTE]);
    if (attribute === undefined) return EMPTY_SHADOW;
    const shadow = readStoredShadow(String(attribute.value));
    this.#remember(device.id, shadow);
    return shadow;
  }

  async #desired(device: DeviceRef): Promise<DesiredValues> {
    const shared = await this.#store().read(device, 'SHARED', null);
    return new Map(
      shared
        .filter(({ key }) => isProperty(key))
        .map((attribute) => [
          attribute.key,
          { value: jsonOf(attribute), timestamp: Math.floor(attribute.lastUpdateTs / 1000) },
        ]),
    );
  }

  async #write(device: DeviceRef, before: Shadow, after: Shadow, clearDesired: boolean): Promise<boolean> {
    const store = this.#store();
    const values = new Map<string, Value>();
    for (const [name, entry] of after.reported) {
      const value = before.reported.get(name) === entry ? null : valueFromJson(entry.value, false);
      if (value !== null) values.set(name, value);
    }
    const gone = [...before.reported.keys()].filter((name) => !after.reported.has(name));
    const document = new Map([[SHADOW_ATTRIBUTE, { kind: ValueKind.Json, value: storedShadow(after) }]]);
    // The document comes last: a request that failed half-way can be sent again with the same version.
    return (
      (values.size === 0 || (await store.save(device, 'CLIENT', values))) &&
      (gone.length === 0 || (await store.remove(device, 'CLIENT', gone))) &&
      (!clearDesired || (await this.#clearDesired(device))) &&
      store.save(device, 'SERVER', document)
    );
  }

  async #clearDesired(device: DeviceRef): Promise<boolean> {
    const keys = [...(await this.#desired(device)).keys()];
    return keys.length === 0 || this.#store().remove(device, 'SHARED', keys);
  }
}

function jsonOf({ kind, value }: Value): Json {
  if (kind === ValueKind.Json) return JSON.parse(String(value)) as Json;
  return typeof value === 'bigint' ? String(value) : value;
}
