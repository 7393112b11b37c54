import { type DeviceRef, type EntityId, type Json, ValueKind } from '@moorage/core';
import { AlinkCode } from './codes.ts';
import { type LinkDirectory, readIdentity, readSignedIdentity } from './directory.ts';
import { elementsOf, type JsonTexts } from './json-text.ts';
import type { LinkSecrets } from './secrets.ts';
import type { LinkIdentity } from './signature.ts';
import type { LinkStore, Outcome } from './stored-requests.ts';
import { Turns } from './turns.ts';

/** Server attribute of a sub-device with the id of the gateway that it is behind. */
const GATEWAY_ATTRIBUTE = 'linkGateway';
/** Server attribute of a gateway with the names of those behind it. */
const TOPOLOGY_ATTRIBUTE = 'linkTopology';
/** Section 2.6 */
const MAXIMUM_SUB_DEVICES = 2000;
const MAXIMUM_PER_REQUEST = 30;
const MAXIMUM_MEMBERS = 16;

export const TOPOLOGY_REQUESTS = [
  'thing/topo/add',
  'thing/topo/delete',
  'thing/topo/get',
  'thing/sub/register',
] as const;
/** A sub-device asks whether it is behind this gateway; its parameter is the id of the gateway. */
export const RELATION_REQUEST = 'combine/login';

interface SubDevice {
  readonly identity: LinkIdentity;
  readonly device: DeviceRef;
}

/** Which devices are behind which gateway. Section 6 */
export class Topology {
  readonly #store: () => LinkStore;
  readonly #directory: LinkDirectory;
  readonly #texts: JsonTexts;
  /** null: secrets are not given out. */
  readonly #secrets: (() => LinkSecrets) | null;
  /** One change at a time, since a device may move from one gateway to another. */
  readonly #turns = new Turns();

  constructor(store: () => LinkStore, directory: LinkDirectory, texts: JsonTexts, secrets: (() => LinkSecrets) | null) {
    this.#store = store;
    this.#directory = directory;
    this.#texts = texts;
    this.#secrets = secrets;
  }

  /** `params` is JSON text. */
  answer(gateway: DeviceRef, request: string, params: string): Promise<Outcome> {
    return this.#turns.run(gateway.tenantId, () => this.#answer(gateway, request, params));
  }

  async isBehind(device: DeviceRef, gatewayId: EntityId): Promise<boolean> {
    return (await this.#gatewayOf(device)) === gatewayId;
  }

  async #answer(gateway: DeviceRef, request: string, params: string): Promise<Outcome> {
    if (request === 'thing/topo/get') return { code: AlinkCode.Success, data: listed(await this.#behind(gateway)) };
    const entries = elementsOf(params, MAXIMUM_PER_REQUEST);
    if (entries === undefined || entries.length === 0) return { code: AlinkCode.BadParameters };
    if (request === 'thing/sub/register') return this.#register(gateway, entries);
    return request === 'thing/topo/add' ? this.#add(gateway, entries) : this.#remove(gateway, entries);
  }

  /** A device proves itself by its secret, so it may be taken from another gateway. */
  async #add(gateway: DeviceRef, entries: readonly string[]): Promise<Outcome> {
    const added: SubDevice[] = [];
    for (const entry of entries) {
      const signed = readSignedIdentity(this.#texts.members(entry, MAXIMUM_MEMBERS));
      if (signed === undefined) return { code: AlinkCode.BadParameters };
      const device = this.#directory.device(signed);
      if (device === null || device.tenantId !== gateway.tenantId) return { code: AlinkCode.UnknownDevice };
      if (device.id === gateway.id) return { code: AlinkCode.AddsItself };
      if (!this.#directory.isSigned(signed)) return { code: AlinkCode.BadTopologySign };
      const { productKey, deviceName } = signed;
      added.push({ identity: { productKey, deviceName }, device });
    }
    const behind = await this.#behind(gateway);
    const identities = added.map(({ identity }) => identity);
    const after = [...without(behind, identities), ...identities];
    if (after.length > MAXIMUM_SUB_DEVICES) return { code: AlinkCode.TopologyFull };
    for (const { identity, device } of added) {
      const former = await this.#gatewayOf(device);
      if (former !== null && former !== gateway.id && !(await this.#forget({ ...gateway, id: former }, [identity]))) {
        return { code: AlinkCode.Failed };
      }
    }
    // The list first: a device that is listed and knows no gateway is added by the same request again.
    if (!(await this.#write(gateway, after))) return { code: AlinkCode.Failed };
    const mark = new Map([[GATEWAY_ATTRIBUTE, { kind: ValueKind.String, value: gateway.id }]]);
    for (const { device } of added) {
      if (!(await this.#store().save(device, 'SERVER', mark))) return { code: AlinkCode.Failed };
    }
    return { code: AlinkCode.Success, data: listed(identities) };
  }

  async #remove(gateway: DeviceRef, entries: readonly string[]): Promise<Outcome> {
    const identities: LinkIdentity[] = [];
    for (const entry of entries) {
      const identity = readIdentity(this.#texts.members(entry, MAXIMUM_MEMBERS));
      if (identity === undefined) return { code: AlinkCode.BadParameters };
      identities.push(identity);
    }
    for (const identity of identities) {
      const device = this.#directory.device(identity);
      if (device === null || (await this.#gatewayOf(device)) !== gateway.id) continue;
      if (!(await this.#store().remove(device, 'SERVER', [GATEWAY_ATTRIBUTE]))) return { code: AlinkCode.Failed };
    }
    return (await this.#forget(gateway, identities))
      ? { code: AlinkCode.Success, data: listed(identities) }
      : { code: AlinkCode.Failed };
  }

  /** Gives devices that wait for their secret what they are to sign with. */
  async #register(gateway: DeviceRef, entries: readonly string[]): Promise<Outcome> {
    const registered: Json[] = [];
    if (this.#secrets === null) return { code: AlinkCode.RegistrationOff };
    for (const entry of entries) {
      const identity = readIdentity(this.#texts.members(entry, MAXIMUM_MEMBERS));
      if (identity === undefined) return { code: AlinkCode.BadParameters };
      const device = this.#directory.device(identity);
      if (device === null || device.tenantId !== gateway.tenantId) return { code: AlinkCode.UnknownDevice };
      if (!this.#directory.isEnabled(identity)) return { code: AlinkCode.DeviceDisabled };
      if (device.settings.alibaba?.dynamicRegistration !== true) return { code: AlinkCode.RegistrationOff };
      const issued = await this.#secrets().issue(device);
      if (issued.outcome === 'active') return { code: AlinkCode.AlreadyActive };
      if (issued.outcome === 'failed') return { code: AlinkCode.Failed };
      registered.push({ iotId: device.id, ...identity, deviceSecret: issued.secret });
    }
    return { code: AlinkCode.Success, data: registered };
  }

  async #gatewayOf(device: DeviceRef): Promise<EntityId | null> {
    const [attribute] = await this.#store().read(device, 'SERVER', [GATEWAY_ATTRIBUTE]);
    return attribute === undefined ? null : String(attribute.value);
  }

  async #behind(gateway: Pick<DeviceRef, 'id' | 'tenantId'>): Promise<readonly LinkIdentity[]> {
    const [attribute] = await this.#store().read(gateway, 'SERVER', [TOPOLOGY_ATTRIBUTE]);
    const entries = elementsOf(attribute === undefined ? '[]' : String(attribute.value), MAXIMUM_SUB_DEVICES) ?? [];
    return entries.flatMap((entry) => readIdentity(this.#texts.members(entry, MAXIMUM_MEMBERS)) ?? []);
  }

  async #forget(gateway: Pick<DeviceRef, 'id' | 'tenantId'>, identities: readonly LinkIdentity[]): Promise<boolean> {
    const behind = await this.#behind(gateway);
    const after = without(behind, identities);
    return after.length === behind.length || this.#write(gateway, after);
  }

  #write(gateway: Pick<DeviceRef, 'id' | 'tenantId'>, behind: readonly LinkIdentity[]): Promise<boolean> {
    const value = { kind: ValueKind.Json, value: JSON.stringify(listed(behind)) };
    return this.#store().save(gateway, 'SERVER', new Map([[TOPOLOGY_ATTRIBUTE, value]]));
  }
}

function without(list: readonly LinkIdentity[], gone: readonly LinkIdentity[]): readonly LinkIdentity[] {
  const names = new Set(gone.map(nameOf));
  return list.filter((identity) => !names.has(nameOf(identity)));
}

function nameOf({ productKey, deviceName }: LinkIdentity): string {
  return `${deviceName}&${productKey}`;
}

function listed(identities: readonly LinkIdentity[]): { productKey: string; deviceName: string }[] {
  return identities.map(({ productKey, deviceName }) => ({ productKey, deviceName }));
}
