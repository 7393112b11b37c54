import {
  type ConnectCredential,
  type CredentialLookup,
  type EntityId,
  isObject,
  type Json,
  type JsonObject,
  type Value,
} from '@moorage/core';
import { keyBytes } from './app-key.ts';
import { type DeviceFields, deviceFields } from './device-fields.ts';
import { DIALECT_ID } from './manifest.ts';
import { topicNames } from './topics.ts';

/** Which devices an application is told of. sensoro.md, 4.1 */
type DeviceSet = 'ALL' | ReadonlySet<EntityId> | { readonly tag: string };

/** The devices that somebody may see. */
export interface DeviceScope {
  readonly tenantId: EntityId;
  readonly devices: DeviceSet;
}

/** An application as its owner configured it. */
export interface SensoroApplication extends DeviceScope {
  readonly id: EntityId;
  readonly appId: string;
  readonly safeMode: boolean;
  readonly mqttQos: 0 | 1;
  /** As sent and signed; null: none, or it is no http or https address. */
  readonly webhookUrl: string | null;
  readonly topicNames: readonly string[];
  /** The 32 bytes of the AppKey; null: there is no usable one. */
  readonly key: Uint8Array | null;
}

/** WHATWG serialisation of an address; null: it cannot be read. */
export type NormaliseUrl = (url: string) => string | null;

function own(configuration: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(configuration, name) ? configuration[name] : undefined;
}

/** Sets are read once: a list may be long. */
const READ_SETS = new WeakMap<JsonObject, DeviceSet>();

/** The devices that a configuration names. sensoro.md, 4.1 */
export function devicesOf(configuration: JsonObject): DeviceSet {
  const known = READ_SETS.get(configuration);
  if (known !== undefined) return known;
  const devices = deviceSet(own(configuration, 'devices'));
  READ_SETS.set(configuration, devices);
  return devices;
}

function deviceSet(value: Json | undefined): DeviceSet {
  if (value === undefined || value === null || value === 'ALL') return 'ALL';
  if (Array.isArray(value)) return new Set(value.filter((id: Json): id is string => typeof id === 'string'));
  return isObject(value) && typeof value.tag === 'string' ? { tag: value.tag } : new Set();
}

/** The address as it is sent and signed: without fragment, http or https only. sensoro.md, 4.6 */
export function webhookAddress(url: Json | undefined, normalise: NormaliseUrl): string | null {
  if (typeof url !== 'string') return null;
  const [address = ''] = (normalise(url) ?? '').split('#', 1);
  return /^https?:\/\//.test(address) ? address : null;
}

/** Applications as read from their credentials, each read once: the registry replaces them as a whole. */
export class Applications {
  readonly #normalise: NormaliseUrl;
  readonly #known = new WeakMap<ConnectCredential, SensoroApplication>();

  constructor(normalise: NormaliseUrl) {
    this.#normalise = normalise;
  }

  /** undefined: it is nobody's, or disabled. */
  of(credential: ConnectCredential): SensoroApplication | undefined {
    const known = this.#known.get(credential);
    if (known !== undefined) return known;
    const { application } = credential;
    const username = credential.username ?? credential.secret?.('appId') ?? null;
    if (application === null || !application.enabled || username === null) return undefined;
    const { id, tenantId, configuration } = application;
    const read: SensoroApplication = {
      id,
      tenantId,
      appId: username,
      safeMode: own(configuration, 'pushMode') === 'safe',
      mqttQos: own(configuration, 'mqttQos') === 1 ? 1 : 0,
      webhookUrl: webhookAddress(own(configuration, 'webhookUrl'), this.#normalise),
      devices: devicesOf(configuration),
      topicNames: topicNames(username),
      key: keyBytes(credential.secret?.('appKey') ?? ''),
    };
    this.#known.set(credential, read);
    return read;
  }
}

/** Is this device one of them? */
export function includesDevice({ devices }: DeviceScope, id: EntityId, fields: DeviceFields): boolean {
  if (devices === 'ALL') return true;
  return 'tag' in devices ? fields.tags.includes(devices.tag) : devices.has(id);
}

/** The same, from the attributes. */
export function includesAttributes(scope: DeviceScope, id: EntityId, attributes: ReadonlyMap<string, Value>): boolean {
  return scope.devices === 'ALL' || includesDevice(scope, id, deviceFields(attributes));
}

/** The AppSecrets that hold now: the present one, and for some days the one before. sensoro.md, 4.1 */
export function secretsOf(credential: ConnectCredential, now: number): readonly string[] {
  const present = credential.password ?? credential.secret?.('appSecret') ?? null;
  const previous = credential.secret?.('previousAppSecret') ?? null;
  const until = Number(credential.secret?.('previousAppSecretValidUntil') ?? 0);
  const secrets = previous !== null && now < until ? [present, previous] : [present];
  return secrets.filter((secret) => secret !== null && secret !== '') as readonly string[];
}

/** The credential of an AppID; undefined: another dialect's, or nobody's. */
export function credentialOf(
  appId: string,
  registry: Pick<CredentialLookup, 'byUsername'>,
): ConnectCredential | undefined {
  const holder = registry.byUsername(appId);
  return holder?.dialect === DIALECT_ID ? holder.credentials[0] : undefined;
}
