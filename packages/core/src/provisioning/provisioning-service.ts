import type { ServerAttributes } from '../claiming/server-attributes.ts';
import type { DeviceProvisioning } from '../device-platform.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId } from '../model/entities.ts';
import type { ProvisionOutcome, ProvisionRequest } from '../model/provisioning.ts';
import type { CredentialsInput } from '../platform.ts';
import type { StoredCredentials } from '../ports/repositories.ts';
import { platformCaller } from '../registry/authorize.ts';
import { readableCredentials } from '../registry/device-entries.ts';
import type { DeviceWrites } from '../registry/device-writes.ts';
import type { ProvisioningProfile } from '../registry/provisioning-profiles.ts';
import { randomText } from '../registry/random-text.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { ValueKind } from '../values/value.ts';
import { newDeviceInput, storeOutcome } from './device-creation.ts';
import type { Repeatable, RepeatWindows } from './repeat-windows.ts';

type Outcome = ProvisionOutcome | 'full' | 'failed';

const GENERATED_NAME_LENGTH = 20;
/** Server attribute of a device that has its credentials. thingsboard-device.md, 6.3 */
const PROVISION_STATE = 'provisionState';
const PROVISIONED = 'provisioned';
const NOT_FOUND: Outcome = { status: 'NOT_FOUND' };

/** Gives identities to devices that know the key and the secret of a profile. thingsboard-device.md, 6 */
export class Provisioning implements DeviceProvisioning {
  readonly #context: RegistryContext;
  readonly #writes: DeviceWrites;
  readonly #attributes: ServerAttributes;
  readonly #windows: RepeatWindows;

  constructor(context: RegistryContext, writes: DeviceWrites, attributes: ServerAttributes, windows: RepeatWindows) {
    this.#context = context;
    this.#writes = writes;
    this.#attributes = attributes;
    this.#windows = windows;
  }

  async provision(request: ProvisionRequest): Promise<Outcome> {
    const { crypto, provisioningProfiles, locks } = this.#context;
    const profile = provisioningProfiles.byKey(request.deviceKey);
    if (profile === undefined || profile.strategy === 'X509_CERTIFICATE_CHAIN') return NOT_FOUND;
    if (!crypto.equal(request.deviceSecret, profile.secret)) return NOT_FOUND;
    const given = request.deviceName === null || request.deviceName === '' ? null : request.deviceName.trim();
    if (given === '') return failure('the device name is blank');
    const deviceName = given ?? randomText(crypto, GENERATED_NAME_LENGTH);
    const { deviceKey, deviceSecret } = request;
    // Without a name of its own a device cannot be told from others that ask, so it cannot ask again either.
    const repeatable = given === null ? null : { deviceKey, deviceSecret, deviceName };
    return locks.run(`provisioning of ${profile.tenantId} ${deviceName}`, async () => {
      const device = this.#context.index.deviceRefByName(profile.tenantId, deviceName);
      if (device !== undefined) return this.#existing(profile, device, repeatable);
      if (profile.strategy === 'CHECK_PRE_PROVISIONED_DEVICES') return failure('there is no device of this name');
      return this.#create(profile, deviceName, request, repeatable);
    });
  }

  connected(deviceId: EntityId): void {
    this.#windows.close(deviceId);
  }

  /** A repeat is answered where it would never succeed otherwise: a device that creates itself. */
  async #existing(profile: ProvisioningProfile, device: DeviceRef, repeatable: Repeatable | null): Promise<Outcome> {
    if (profile.strategy === 'ALLOW_CREATE_NEW_DEVICES') {
      const isRepeat = repeatable !== null && this.#windows.allows(device.id, repeatable);
      return isRepeat ? this.#answer(device.id) : failure('there is a device of this name already');
    }
    if (device.profileId !== profile.profileId) return failure('the device of this name has another profile');
    const state = await this.#attributes.read(device.id, [PROVISION_STATE]);
    const isDone = state.get(PROVISION_STATE)?.value === PROVISIONED;
    return isDone ? failure('the device has been provisioned already') : this.#answer(device.id);
  }

  async #create(
    profile: ProvisioningProfile,
    deviceName: string,
    request: ProvisionRequest,
    repeatable: Repeatable | null,
  ): Promise<Outcome> {
    const credentials = requestedCredentials(request);
    if (credentials === null) return failure('credentials of this type are not given out');
    const caller = platformCaller(profile.tenantId);
    const input = newDeviceInput(deviceName, { id: profile.profileId }, request.gateway ? { gateway: true } : null);
    const created = await this.#writes.create(caller, input, credentials, (deviceId) =>
      repeatable === null ? [] : this.#windows.changes(deviceId, profile.tenantId, repeatable),
    );
    if (!created.ok) return storeOutcome(created) ?? failure(created.message);
    const { id } = created.value;
    if (repeatable !== null) this.#windows.opened(id, repeatable);
    const answer = await this.#answer(id);
    // Nobody will ever know this device, since the one that asked is told nothing and comes back for another.
    if (typeof answer === 'string' && repeatable === null) await this.#writes.remove(caller, id);
    return answer;
  }

  /** The device's credentials; the device counts as provisioned before they are given. */
  async #answer(deviceId: EntityId): Promise<Outcome> {
    const { repositories, crypto } = this.#context;
    const stored = await repositories.credentials(deviceId);
    const value = stored === null ? null : credentialsText(stored, (sealed) => crypto.open(sealed));
    if (stored === null || value === null) return failure('the device has no credentials that can be given out');
    const state = new Map([[PROVISION_STATE, { kind: ValueKind.String, value: PROVISIONED }]]);
    const saved = await this.#attributes.save(deviceId, state);
    if (saved !== 'stored') return saved;
    return { status: 'SUCCESS', credentialsType: stored.credentialsType, credentialsValue: value };
  }
}

function failure(reason: string): Outcome {
  return { status: 'FAILURE', reason };
}

/** What the request wants as credentials; a random token if it wants nothing. null: a type that is not provisioned. */
function requestedCredentials(request: ProvisionRequest): CredentialsInput | null {
  const { clientId, username, password, certificate } = request;
  const token = { id: null, credentialsId: request.token, credentialsValue: null, version: null };
  const isNothing = [request.token, clientId, username, password, certificate].every((part) => !part);
  const credentialsType = isNothing ? 'ACCESS_TOKEN' : (request.credentialsType ?? 'ACCESS_TOKEN');
  switch (credentialsType) {
    case 'ACCESS_TOKEN':
      return { ...token, credentialsType };
    case 'MQTT_BASIC': {
      const credentialsValue = JSON.stringify({ clientId, userName: username, password });
      return { ...token, credentialsType, credentialsId: null, credentialsValue };
    }
    case 'X509_CERTIFICATE':
      return { ...token, credentialsType, credentialsId: null, credentialsValue: certificate };
    default:
      return null;
  }
}

/** Credentials as the answer carries them; null: no vendor's device asks for this type. thingsboard-device.md, 6.2 */
function credentialsText(stored: StoredCredentials, open: (sealed: string) => string): string | null {
  const { credentialsType, credentialsId, credentialsValue } = readableCredentials(stored, open);
  if (credentialsType === 'PLAIN' || credentialsType === 'ALIBABA') return null;
  return credentialsType === 'ACCESS_TOKEN' ? credentialsId : credentialsValue;
}
