import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import { LAST_GATEWAY } from '../gateways/last-gateway.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import {
  type Device,
  type DeviceCredentials,
  type DeviceProfile,
  type EntityId,
  type JsonObject,
  NULL_ID,
} from '../model/entities.ts';
import type { ProfileSettings } from '../model/profile-settings.ts';
import { chosenPackages, NO_PACKAGES, type PackageHolder, withPackages } from '../ota/package-choice.ts';
import { planDevice } from '../ota/rollout/device-plan.ts';
import type { Caller, CredentialsInput, DeviceInput } from '../platform.ts';
import type { Change, CommitOutcome, NameClaim, StoredCredentials, StoredDevice } from '../ports/repositories.ts';
import { authorizeRole } from './authorize.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from './commit-refusals.ts';
import type { CredentialForm } from './credentials/credential-form.ts';
import { placeOf } from './credentials/credential-place.ts';
import { type ReservedCredentials, reserveCredentials, sealCredentials } from './credentials/reserve-credentials.ts';
import { saysEnabled } from './credentials/value-text.ts';
import { deviceRefOf, deviceRegistration, readableCredentials } from './device-entries.ts';
import type { DeviceReads } from './device-reads.ts';
import { chooseProfile, type ProfileChoice } from './profile-choice.ts';
import { deriveProfileSettings } from './profile-data.ts';
import type { RegistryContext } from './registry-context.ts';
import { jsonProblem, nameProblem, textProblem } from './text-rules.ts';

/** thingsboard-server.md, 2.1 */
const DEFAULT_DEVICE_DATA: JsonObject = {
  configuration: { type: 'DEFAULT' },
  transportConfiguration: { type: 'DEFAULT' },
};

const NO_CREDENTIALS = 'Unable to update non-existent device credentials!';

/** Whose credentials are saved. */
type Owner = Pick<StoredDevice, 'id' | 'tenantId' | 'additionalInfo'>;

/** One try of a use case: its answer, or the conflict after which it is tried again. */
type Attempt<T> = { readonly answer: Result<T> } | { readonly overtaken: PlatformError };

function afterCommit<T>(
  outcome: Exclude<CommitOutcome, 'done'>,
  callersVersion: boolean,
  changes: readonly Change[],
): Attempt<T> {
  const refusal = commitRefusal(outcome);
  const again = isProfileOvertaken(outcome, changes) || (isOvertaken(outcome) && !callersVersion);
  return again ? { overtaken: refusal } : { answer: refusal };
}

/** A profile made on the way met another one of its name: reading again finds that one. */
function isProfileOvertaken(outcome: CommitOutcome, changes: readonly Change[]): boolean {
  if (typeof outcome === 'string' || outcome.kind !== 'unique' || outcome.member !== 'profileName') return false;
  return changes.some((change) => change.kind === 'putProfile');
}

async function untilSettled<T>(attempt: () => Promise<Attempt<T>>): Promise<Result<T>> {
  let refusal = refuse('versionConflict');
  for (let count = 0; count < MAX_ATTEMPTS; count += 1) {
    const result = await attempt();
    if ('answer' in result) return result.answer;
    refusal = result.overtaken;
  }
  return refusal;
}

/** A version that the caller saw must still be the stored one. */
function isStale(seen: number | null, stored: number): boolean {
  return seen !== null && seen !== stored;
}

function inputProblem(input: DeviceInput): PlatformError | null {
  return (
    nameProblem('Device', input.name) ??
    textProblem('label', input.label) ??
    textProblem('type', input.type) ??
    jsonProblem('deviceData', input.deviceData) ??
    jsonProblem('additionalInfo', input.additionalInfo)
  );
}

function packageHolder({ tenantId, deviceProfileId, firmwareId, softwareId }: StoredDevice): PackageHolder {
  return { tenantId, profileId: deviceProfileId, firmwareId, softwareId };
}

function readableDevice(stored: StoredDevice, profile: DeviceProfile, dialect: string): Device {
  return { ...stored, type: profile.name, dialect };
}

/** The changing half of the device use cases. */
export class DeviceWrites {
  readonly #context: RegistryContext;
  readonly #reads: DeviceReads;
  readonly #open: (sealed: string) => string;

  constructor(context: RegistryContext, reads: DeviceReads) {
    this.#context = context;
    this.#reads = reads;
    this.#open = (sealed) => context.crypto.open(sealed);
  }

  /** Device, credentials and the changes `beside` them are made together or not at all. */
  async create(
    caller: Caller,
    input: DeviceInput,
    credentials: CredentialsInput,
    beside: (deviceId: EntityId) => readonly Change[] = () => [],
  ): Promise<Result<Device>> {
    const refusal = authorizeRole(caller, 'create', 'device') ?? inputProblem(input);
    if (refusal !== null) return refusal;
    const { crypto, clock } = this.#context;
    const deviceId = crypto.uuid();
    const createdTime = clock.now();
    const identity = { id: crypto.uuid(), createdTime, deviceId, version: 1 };
    return untilSettled(async (): Promise<Attempt<Device>> => {
      const seen = this.#context.listeners.profileChanges;
      const choice = await chooseProfile(this.#context, caller, input, null);
      if (!choice.ok) return { answer: choice };
      const { profile } = choice.value;
      const device: StoredDevice = {
        id: deviceId,
        createdTime,
        tenantId: caller.tenantId,
        customerId: NULL_ID,
        name: input.name,
        label: input.label,
        deviceProfileId: profile.id,
        deviceData: input.deviceData ?? DEFAULT_DEVICE_DATA,
        ...chosenPackages(input, NO_PACKAGES),
        additionalInfo: input.additionalInfo,
        version: 1,
      };
      const reserved = this.#reserve(credentials, device, deriveProfileSettings(profile));
      if (!reserved.ok) return { answer: reserved };
      const stored = sealCredentials(reserved.value.form, identity, crypto);
      try {
        return await this.#assigning(device, profile, null, seen, (assignment) =>
          this.#commitNew(choice.value, device, stored, reserved.value.names, [...assignment, ...beside(deviceId)]),
        );
      } finally {
        reserved.value.reservation.release();
      }
    });
  }

  async #commitNew(
    choice: ProfileChoice,
    device: StoredDevice,
    stored: StoredCredentials,
    names: readonly NameClaim[],
    beside: readonly Change[],
  ): Promise<Attempt<Device>> {
    const { repositories, index, listeners } = this.#context;
    const outcome = await repositories.commit([
      ...choice.changes,
      { kind: 'putDevice', record: device, expectedVersion: null },
      { kind: 'putCredentials', record: stored, expectedVersion: null, names },
      ...beside,
    ]);
    if (outcome !== 'done') return afterCommit(outcome, false, choice.changes);
    this.#enterProfile(choice);
    const ref = deviceRefOf(device, index);
    index.put(deviceRegistration(ref, device.customerId, stored, this.#open));
    listeners.deviceCreated(ref);
    return { answer: success(readableDevice(device, choice.profile, stored.dialect)) };
  }

  #reserve(
    credentials: CredentialsInput,
    { id, tenantId }: Pick<StoredDevice, 'id' | 'tenantId'>,
    settings: ProfileSettings,
  ): Result<ReservedCredentials> {
    const { crypto, index } = this.#context;
    return reserveCredentials(credentials, id, crypto, index, placeOf(index, tenantId, settings));
  }

  /** Saves a device that exists, with new credentials if some are given. */
  update(
    caller: Caller,
    id: EntityId,
    input: DeviceInput,
    credentials: CredentialsInput | null,
  ): Promise<Result<Device>> {
    return this.#context.locks.run(id, () => untilSettled(() => this.#tryUpdate(caller, id, input, credentials)));
  }

  async #tryUpdate(
    caller: Caller,
    id: EntityId,
    input: DeviceInput,
    credentials: CredentialsInput | null,
  ): Promise<Attempt<Device>> {
    const seen = this.#context.listeners.profileChanges;
    const found = await this.#reads.find(caller, id, 'write', `Device with id [${id}] is not found`);
    if (!found.ok) return { answer: found };
    const current = found.value;
    const refusal =
      inputProblem(input) ?? (credentials === null ? null : authorizeRole(caller, 'writeCredentials', 'device'));
    if (refusal !== null) return { answer: refusal };
    if (isStale(input.version, current.version)) return { answer: refuse('versionConflict') };
    const choice = await chooseProfile(this.#context, caller, input, current.deviceProfileId);
    if (!choice.ok) return { answer: choice };
    const device: StoredDevice = {
      id,
      createdTime: current.createdTime,
      tenantId: current.tenantId,
      customerId: current.customerId,
      name: input.name,
      label: input.label,
      deviceProfileId: choice.value.profile.id,
      deviceData: input.deviceData ?? current.deviceData,
      ...chosenPackages(input, current),
      additionalInfo: input.additionalInfo,
      version: current.version + 1,
    };
    const put: Change = { kind: 'putDevice', record: device, expectedVersion: current.version };
    const answer = (dialect: string) => readableDevice(device, choice.value.profile, dialect);
    return this.#assigning(device, choice.value.profile, current, seen, async (assignment) => {
      const changes = [...choice.value.changes, put, ...assignment];
      if (credentials === null) {
        const outcome = await this.#context.repositories.commit(changes);
        if (outcome !== 'done') return afterCommit(outcome, input.version !== null, changes);
        this.#enterProfile(choice.value);
        this.#replaceDevice(device);
        this.#tellGateway(current, device.name);
        return { answer: success(answer(current.dialect)) };
      }
      const settings = deriveProfileSettings(choice.value.profile);
      return this.#commitCredentials(device, settings, credentials, true, changes, (stored) => {
        this.#enterProfile(choice.value);
        this.#replaceDevice(device);
        this.#tellGateway(current, device.name);
        return answer(stored.dialect);
      });
    });
  }

  /** Checks the packages of a device and commits its save together with what the device has to be told. */
  #assigning(
    device: StoredDevice,
    profile: DeviceProfile,
    former: StoredDevice | null,
    profileChangesSeen: number,
    commit: (changes: readonly Change[]) => Promise<Attempt<Device>>,
  ): Promise<Attempt<Device>> {
    const save = async (): Promise<Attempt<Device>> => {
      const plan = await planDevice(this.#context, device, profile, former, profileChangesSeen);
      const attempt = await commit(plan.changes);
      if ('answer' in attempt && attempt.answer.ok) await plan.committed();
      return attempt;
    };
    const holder = former === null ? null : packageHolder(former);
    return withPackages(this.#context, packageHolder(device), holder, save, (answer) => ({ answer }));
  }

  /** Updates the one record of a device in place. thingsboard-server.md, 2.3 */
  saveCredentials(caller: Caller, deviceId: EntityId, input: CredentialsInput): Promise<Result<DeviceCredentials>> {
    return this.#context.locks.run(deviceId, () =>
      untilSettled(async (): Promise<Attempt<DeviceCredentials>> => {
        const missing = `Device with id [${deviceId}] is not found`;
        const found = await this.#reads.find(caller, deviceId, 'writeCredentials', missing);
        if (!found.ok) return { answer: found };
        const settings = this.#context.index.settingsOf(found.value.deviceProfileId);
        return this.#commitCredentials(found.value, settings, input, false, [], (stored) =>
          readableCredentials(stored, this.#open),
        );
      }),
    );
  }

  /** Changes the credentials of a device together with `changes`; `applied` enters those and makes the answer. */
  async #commitCredentials<T>(
    owner: Owner,
    settings: ProfileSettings,
    input: CredentialsInput,
    idMayBeMissing: boolean,
    changes: readonly Change[],
    applied: (stored: StoredCredentials) => T,
  ): Promise<Attempt<T>> {
    const { repositories, crypto, index } = this.#context;
    const deviceId = owner.id;
    const current = await repositories.credentials(deviceId);
    if (current === null || (input.id !== current.id && !(input.id === null && idMayBeMissing))) {
      return { answer: refuse('badRequest', NO_CREDENTIALS) };
    }
    if (isStale(input.version, current.version)) return { answer: refuse('versionConflict') };
    const reserved = this.#reserve(input, owner, settings);
    if (!reserved.ok) return { answer: reserved };
    const { form, names, reservation } = reserved.value;
    try {
      const identity = { id: current.id, createdTime: current.createdTime, deviceId, version: current.version + 1 };
      const stored = sealCredentials(form, identity, crypto);
      const put: Change = { kind: 'putCredentials', record: stored, expectedVersion: current.version, names };
      const outcome = await repositories.commit([...changes, put]);
      if (outcome !== 'done') return afterCommit(outcome, input.version !== null, changes);
      const answer = applied(stored);
      const device = index.registration(deviceId);
      if (device?.device) index.put(deviceRegistration(device.device, device.customerId, stored, this.#open));
      if (this.#differs(current, reserved.value)) this.#tellRevoked(owner, current, form);
      return { answer: success(answer) };
    } finally {
      reservation.release();
    }
  }

  /** The telemetry is emptied in the background; its owner is marked in the same commit. storage.md, section 3 */
  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    const { repositories, clock, index, listeners, removals, locks } = this.#context;
    return locks.run(id, () =>
      untilSettled(async (): Promise<Attempt<null>> => {
        const found = await this.#reads.find(caller, id, 'delete', `Device with id [${id}] is not found`);
        if (!found.ok) return { answer: found };
        const outcome = await repositories.commit([
          { kind: 'deleteDevice', id, expectedVersion: found.value.version, time: clock.now() },
        ]);
        if (outcome !== 'done') return afterCommit(outcome, false, []);
        index.remove(id);
        listeners.revoked(id, 'deleted');
        this.#tellGateway(found.value, null);
        removals.enqueue(id);
        return { answer: success(null) };
      }),
    );
  }

  #differs(current: StoredCredentials, { form }: ReservedCredentials): boolean {
    const before = readableCredentials(current, this.#open);
    return (
      before.credentialsType !== form.credentialsType ||
      before.credentialsId !== form.credentialsId ||
      before.credentialsValue !== form.credentialsValue
    );
  }

  /** The gateway hears first what is with the device, since revoking ends its session there. alibaba-link.md, section 6 */
  #tellRevoked(owner: Owner, current: StoredCredentials, form: CredentialForm): void {
    const { index, listeners } = this.#context;
    const isEnabled = saysEnabled(form.credentialsValue);
    const device = index.deviceRef(owner.id);
    if (device !== undefined && isEnabled !== saysEnabled(readableCredentials(current, this.#open).credentialsValue)) {
      listeners.deviceEnabled(device, isEnabled, this.#lastGateway(owner)?.id ?? null);
    }
    listeners.revoked(owner.id, isEnabled ? 'credentialsChanged' : 'disabled');
  }

  /** Settings in memory are never older than the profile just read, so only missing ones are entered. */
  #enterProfile({ profile }: ProfileChoice): void {
    const { index } = this.#context;
    if (!index.hasSettings(profile.id)) index.setSettings(profile.id, deriveProfileSettings(profile));
  }

  /** thingsboard-device.md, 8: also a gateway that is away hears of it. */
  #tellGateway(device: Device, newName: string | null): void {
    const gateway = this.#lastGateway(device);
    if (gateway === null || device.name === newName) return;
    this.#context.listeners.behindGatewayChanged(gateway.id, device.name, newName);
  }

  #lastGateway({ tenantId, additionalInfo }: Owner): DeviceRef | null {
    const gatewayId = additionalInfo?.[LAST_GATEWAY];
    const gateway = typeof gatewayId === 'string' ? this.#context.index.deviceRef(gatewayId) : undefined;
    // Users may write what they like there.
    return gateway?.gateway === true && gateway.tenantId === tenantId ? gateway : null;
  }

  #replaceDevice(device: StoredDevice): void {
    const { index, listeners } = this.#context;
    const registration = index.registration(device.id);
    const before = registration?.device;
    if (registration === undefined || !before) return;
    const ref = deviceRefOf(device, index);
    index.put(registration.withDevice(ref, device.customerId));
    const same =
      before.name === ref.name &&
      before.profileId === ref.profileId &&
      before.gateway === ref.gateway &&
      before.settings === ref.settings;
    if (!same) listeners.deviceChanged(ref);
  }
}
