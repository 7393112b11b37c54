import {
  type Attribute,
  type AttributeScope,
  type DeviceRef,
  isObject,
  type Json,
  type PointList,
  parseJson,
  platformCaller,
  type TelemetryService,
  type Value,
} from '@moorage/core';
import { AlinkCode } from './codes.ts';
import type { DownloadLinks } from './download-links.ts';
import { FirmwareRequests } from './firmware-requests.ts';
import { FIRMWARE_PENDING, FIRMWARE_REPORTED, FIRMWARE_TASK } from './ota.ts';
import { ShadowRequests } from './shadow-requests.ts';
import { RELATION_REQUEST, TOPOLOGY_REQUESTS, type Topology } from './topology.ts';

/** Server attribute with the remote configuration of a device, as the device is told of it. Section 4.5 */
const CONFIGURATION_ATTRIBUTE = 'remoteConfig';
/** Section 2.6 */
const MAXIMUM_KEYS = 200;
const MAXIMUM_KEY_LENGTH = 255;

/** A message to `/shadow/update/...`; its parameters are the message. Section 4.2 */
export const SHADOW_REQUEST = 'shadow';

type Owner = Pick<DeviceRef, 'id' | 'tenantId'>;

/** The attributes of devices, as far as the dialect changes them itself. */
export interface LinkStore {
  /** `keys` null: all of the scope. */
  read(device: Owner, scope: AttributeScope, keys: readonly string[] | null): Promise<readonly Attribute[]>;
  /** Durable when resolved; false: not done. */
  save(device: Owner, scope: AttributeScope, values: ReadonlyMap<string, Value>): Promise<boolean>;
  /** The same. Keys that do not exist are ignored. */
  remove(device: Owner, scope: AttributeScope, keys: readonly string[]): Promise<boolean>;
  /** The same, for series. */
  saveSeries(device: Owner, points: PointList): Promise<boolean>;
}

/** Reads and writes as a user of the device's tenant would, so that everybody who listens is told. */
export function linkStoreOf(
  telemetry: Pick<TelemetryService, 'attributes' | 'saveAttributes' | 'removeAttributes' | 'save'>,
): LinkStore {
  return {
    read: async ({ id, tenantId }, scope, keys) => {
      const found = await telemetry.attributes(platformCaller(tenantId), id, scope, keys);
      return found.ok ? found.value : [];
    },
    save: async ({ id, tenantId }, scope, values) =>
      (await telemetry.saveAttributes(platformCaller(tenantId), id, scope, values)).ok,
    remove: async ({ id, tenantId }, scope, keys) =>
      (await telemetry.removeAttributes(platformCaller(tenantId), id, scope, keys)).ok,
    saveSeries: async ({ id, tenantId }, points) => (await telemetry.save(platformCaller(tenantId), id, points)).ok,
  };
}

/** What becomes of a request. */
export interface Outcome {
  readonly code: AlinkCode;
  readonly data?: Json;
}

const BAD_PARAMETERS: Outcome = { code: AlinkCode.BadParameters };

/** Requests of devices that take reading and writing before there is an answer. */
export class StoredRequests {
  readonly #store: () => LinkStore;
  readonly #shadows: ShadowRequests;
  readonly #firmware: FirmwareRequests;
  readonly #topology: Topology;

  /** `now`: epoch milliseconds. */
  constructor(store: () => LinkStore, now: () => number, links: DownloadLinks, topology: Topology) {
    this.#topology = topology;
    this.#store = store;
    this.#firmware = new FirmwareRequests(store, now, links);
    this.#shadows = new ShadowRequests(store, now);
  }

  /**
   * `request` is the topic behind the device's names: JSON text of `{"code","data"}` is answered; or `shadow`: the
   * document to be sent.
   */
  async answer(device: DeviceRef, request: string, params: string): Promise<string> {
    if (request === SHADOW_REQUEST) return this.#shadows.answer(device, JSON.parse(params));
    const isOfTopology = TOPOLOGY_REQUESTS.some((known) => known === request);
    const { code, data = {} } = isOfTopology
      ? await this.#topology.answer(device, request, params)
      : await this.#outcome(device, request, JSON.parse(params));
    return JSON.stringify({ code, data });
  }

  /** What a device that has a shadow is told of desired values; null: it has none. JSON text. */
  shadowControl(deviceId: string, values: ReadonlyMap<string, Value>): string | null {
    return this.#shadows.control(deviceId, values);
  }

  #outcome(device: DeviceRef, request: string, params: Json): Promise<Outcome> {
    switch (request) {
      case 'thing/property/desired/delete':
        return this.#deleteDesired(device, params);
      case 'thing/deviceinfo/delete':
        return this.#deleteTags(device, params);
      case 'thing/config/get':
        return this.#configuration(device);
      case RELATION_REQUEST:
        return this.#relation(device, params);
      case FIRMWARE_REPORTED:
      case FIRMWARE_PENDING:
      case FIRMWARE_TASK:
        return this.#task(device, request, params);
      default:
        throw new TypeError(`there is no request ${request}`);
    }
  }

  /** `{"power":{"version":1},"color":{}}`: a value that is newer than the version stays. Section 4.4 */
  async #deleteDesired(device: DeviceRef, params: Json): Promise<Outcome> {
    if (!isObject(params)) return { code: AlinkCode.ParamsForm };
    const wanted = new Map(Object.entries(params));
    const keys = [...wanted.keys()];
    if (keys.length > MAXIMUM_KEYS) return { code: AlinkCode.TooManyDesired };
    if (!keys.every(isKey)) return BAD_PARAMETERS;
    const present = await this.#store().read(device, 'SHARED', keys);
    const stale = present.filter(({ key, lastUpdateTs }) => covers(wanted.get(key), lastUpdateTs));
    return this.#remove(
      device,
      'SHARED',
      stale.map(({ key }) => key),
    );
  }

  /** `[{"attrKey":"k"}]` */
  async #deleteTags(device: DeviceRef, params: Json): Promise<Outcome> {
    if (!Array.isArray(params) || params.length > MAXIMUM_KEYS) return BAD_PARAMETERS;
    const entries: readonly Json[] = params;
    const keys = entries.map((entry) => (isObject(entry) ? entry.attrKey : undefined));
    return keys.every(isKey) ? this.#remove(device, 'CLIENT', keys) : BAD_PARAMETERS;
  }

  /** The question was made by the device's session, not by the device. */
  async #task(device: DeviceRef, request: string, params: Json): Promise<Outcome> {
    if (request === FIRMWARE_PENDING) await this.#shadows.load(device);
    if (!isObject(params)) return BAD_PARAMETERS;
    const { productKey, deviceName, version } = params;
    const question = {
      productKey: String(productKey),
      deviceName: String(deviceName),
      version: typeof version === 'string' ? version : null,
    };
    return { code: AlinkCode.Success, data: await this.#firmware.answer(device, request, question) };
  }

  /** The same: asked by the session of the gateway. */
  async #relation(device: DeviceRef, params: Json): Promise<Outcome> {
    const gatewayId = isObject(params) ? String(params.gatewayId) : '';
    return { code: (await this.#topology.isBehind(device, gatewayId)) ? AlinkCode.Success : AlinkCode.NoRelation };
  }

  async #remove(device: DeviceRef, scope: AttributeScope, keys: readonly string[]): Promise<Outcome> {
    if (keys.length === 0) return { code: AlinkCode.Success };
    const done = await this.#store().remove(device, scope, keys);
    return { code: done ? AlinkCode.Success : AlinkCode.Failed };
  }

  async #configuration(device: DeviceRef): Promise<Outcome> {
    const [attribute] = await this.#store().read(device, 'SERVER', [CONFIGURATION_ATTRIBUTE]);
    const configuration = attribute === undefined ? undefined : parseJson(String(attribute.value));
    if (!isObject(configuration)) return { code: AlinkCode.NoConfiguration };
    return { code: AlinkCode.Success, data: configuration };
  }
}

/** Is the value that the device knows the newest one? Without a version it does not matter. */
function covers(entry: Json | undefined, version: number): boolean {
  const known = isObject(entry) ? entry.version : undefined;
  return known === undefined || Number(known) >= version;
}

function isKey(key: Json | undefined): key is string {
  return typeof key === 'string' && key !== '' && key.length <= MAXIMUM_KEY_LENGTH;
}
