import { alarmRulesProblem } from '../alarms/rules/parse-rules.ts';
import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { DeviceProfile, EntityId } from '../model/entities.ts';
import { chosenPackages, NO_PACKAGES, type PackageHolder, withPackages } from '../ota/package-choice.ts';
import { changedForProfile, newWork, workChanges } from '../ota/rollout/device-work.ts';
import type { Caller, Page, PageQuery, ProfileInput, ProfileService } from '../platform.ts';
import { type CommitOutcome, SORT_MEMBERS } from '../ports/repositories.ts';
import { reportingProblem } from '../reporting/reporting-limits.ts';
import { completeAlibabaTransport } from './alibaba-transport.ts';
import { authorize, authorizeRole, type Operation } from './authorize.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from './commit-refusals.ts';
import { pageWindow, toPage } from './paging.ts';
import { completeProfileData, deriveProfileSettings, profileDataProblem, sameSettings } from './profile-data.ts';
import {
  completeProvisioning,
  type ProvisioningMembers,
  withoutProvisioningSecrets,
} from './provision-configuration.ts';
import type { RegistryContext } from './registry-context.ts';
import { jsonProblem, MAX_NAME_LENGTH, nameProblem, textProblem } from './text-rules.ts';
import { completeWaveshareTransport } from './waveshare-transport.ts';

/** The device profiles of all tenants. thingsboard-server.md, 2.4 */
export class RegistryProfiles implements ProfileService {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  save(caller: Caller, input: ProfileInput): Promise<Result<DeviceProfile>> {
    const { id } = input;
    return id === null ? this.#create(caller, input) : this.#lock(caller, () => this.#update(caller, id, input));
  }

  async get(caller: Caller, id: EntityId): Promise<Result<DeviceProfile>> {
    const found = await this.#find(caller, id, 'read');
    return found.ok ? success(visibleTo(caller, found.value)) : found;
  }

  async list(caller: Caller, query: PageQuery): Promise<Result<Page<DeviceProfile>>> {
    const role = authorizeRole(caller, 'read', 'profile');
    if (role !== null) return role;
    const window = pageWindow(query, SORT_MEMBERS.profile);
    if (!window.ok) return window;
    const found = await this.#context.repositories.profiles({ ...window.value, tenantId: caller.tenantId });
    return success(toPage(window.value, found, (profile) => visibleTo(caller, profile)));
  }

  async defaultProfile(caller: Caller): Promise<Result<DeviceProfile>> {
    const role = authorizeRole(caller, 'read', 'profile');
    if (role !== null) return role;
    const profile = await this.#context.repositories.defaultProfile(caller.tenantId);
    return profile === null ? refuse('notFound') : success(visibleTo(caller, profile));
  }

  makeDefault(caller: Caller, id: EntityId): Promise<Result<DeviceProfile>> {
    return this.#lock(caller, async () => {
      const { repositories } = this.#context;
      let refusal = refuse('versionConflict');
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const found = await this.#find(caller, id, 'write');
        if (!found.ok || found.value.isDefault) return found;
        const profile = { ...found.value, isDefault: true, version: found.value.version + 1 };
        const former = await repositories.defaultProfile(caller.tenantId);
        const outcome = await repositories.commit([
          // The former default comes first: two of them may not exist even inside a commit.
          ...(former === null
            ? []
            : [
                {
                  kind: 'putProfile' as const,
                  record: { ...former, isDefault: false, version: former.version + 1 },
                  expectedVersion: former.version,
                },
              ]),
          { kind: 'putProfile', record: profile, expectedVersion: found.value.version },
        ]);
        if (outcome === 'done') return success(profile);
        refusal = commitRefusal(outcome);
        if (!isOvertaken(outcome)) return refusal;
      }
      return refusal;
    });
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.#lock(caller, async () => {
      const found = await this.#find(caller, id, 'delete', `Device profile with id [${id}] is not found`);
      if (!found.ok) return found;
      if (found.value.isDefault) return refuse('badRequest', 'Deletion of Default Device Profile is prohibited!');
      const outcome = await this.#context.repositories.commit([
        { kind: 'deleteProfile', id, expectedVersion: found.value.version },
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      this.#context.index.removeSettings(id);
      this.#context.provisioningProfiles.remove(id);
      this.#context.listeners.profileChanged(id);
      return success(null);
    });
  }

  async #create(caller: Caller, input: ProfileInput): Promise<Result<DeviceProfile>> {
    const role = authorizeRole(caller, 'create', 'profile');
    if (role !== null) return role;
    const draft = this.#draft(input, null);
    if (!draft.ok) return draft;
    const { crypto, clock, repositories, index, provisioningProfiles } = this.#context;
    const profile: DeviceProfile = {
      ...draft.value,
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId: caller.tenantId,
      isDefault: false,
      ...chosenPackages(input, NO_PACKAGES),
      version: 1,
    };
    return this.#checkingPackages(profile, null, async () => {
      const outcome = await repositories.commit([{ kind: 'putProfile', record: profile, expectedVersion: null }]);
      if (outcome !== 'done') return commitRefusal(outcome);
      index.setSettings(profile.id, deriveProfileSettings(profile));
      provisioningProfiles.put(profile);
      return success(profile);
    });
  }

  async #update(caller: Caller, id: EntityId, input: ProfileInput): Promise<Result<DeviceProfile>> {
    let refusal = refuse('versionConflict');
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const found = await this.#find(caller, id, 'write', `Device profile with id [${id}] is not found`);
      if (!found.ok) return found;
      const current = found.value;
      if (input.version !== null && input.version !== current.version) return refuse('versionConflict');
      const draft = this.#draft(input, current);
      if (!draft.ok) return draft;
      const { createdTime, tenantId, isDefault } = current;
      const profile: DeviceProfile = {
        ...draft.value,
        id,
        createdTime,
        tenantId,
        isDefault,
        ...chosenPackages(input, current),
        version: current.version + 1,
      };
      let overtaken = false;
      const saved = await this.#checkingPackages(profile, current, async () => {
        const outcome = await this.#commitUpdate(profile, current);
        if (outcome === 'done') return success(profile);
        overtaken = isOvertaken(outcome);
        return commitRefusal(outcome);
      });
      if (saved.ok || !overtaken || input.version !== null) return saved;
      refusal = saved;
    }
    return refusal;
  }

  /** Saves a profile together with what its devices have to be told. */
  async #commitUpdate(profile: DeviceProfile, former: DeviceProfile): Promise<CommitOutcome> {
    const { repositories, provisioningProfiles, listeners } = this.#context;
    const kinds = changedForProfile(former, profile);
    const work = newWork(this.#context, profile.tenantId, 'profile', profile.id, kinds);
    const outcome = await repositories.commit([
      { kind: 'putProfile', record: profile, expectedVersion: former.version },
      ...workChanges(work),
    ]);
    if (outcome !== 'done') return outcome;
    this.#applySettings(profile);
    provisioningProfiles.put(profile);
    listeners.profileChanged(profile.id);
    if (work !== null) listeners.deviceWorkAdded();
    return outcome;
  }

  /** Saves if the profile may have the packages that it refers to. */
  #checkingPackages(
    profile: DeviceProfile,
    former: DeviceProfile | null,
    save: () => Promise<Result<DeviceProfile>>,
  ): Promise<Result<DeviceProfile>> {
    const before = former === null ? null : packageHolder(former);
    return this.#holdingProduct(profile, () =>
      withPackages<Result<DeviceProfile>>(this.#context, packageHolder(profile), before, save, (answer) => answer),
    );
  }

  /** Saves if no other profile of the server is the vendor's product that this one stands for. */
  async #holdingProduct(
    profile: DeviceProfile,
    save: () => Promise<Result<DeviceProfile>>,
  ): Promise<Result<DeviceProfile>> {
    const release = this.#context.index.products.reserve(profile.id, deriveProfileSettings(profile));
    if (release === null) return refuse('invalidArguments', 'Another device profile is this product already');
    try {
      return await save();
    } finally {
      release();
    }
  }

  /** The checked members of a profile; what an update leaves out stays as it is. */
  #draft(
    input: ProfileInput,
    current: DeviceProfile | null,
  ): Result<
    Pick<DeviceProfile, 'name' | 'description' | 'transportType' | 'provisionType' | keyof ProvisioningMembers>
  > {
    const transportType = input.transportType ?? current?.transportType ?? 'DEFAULT';
    const provisionType = input.provisionType ?? current?.provisionType ?? 'DISABLED';
    const given = input.profileData ?? current?.profileData ?? null;
    const profileData = completeProfileData(given, transportType, provisionType);
    const problem =
      nameProblem('Device profile', input.name) ??
      descriptionProblem(input.description) ??
      jsonProblem('profileData', profileData) ??
      profileDataProblem(transportType, provisionType, profileData, this.#context.isTopicFilter) ??
      reportingProblem(profileData) ??
      alarmRulesProblem(profileData);
    if (problem !== null) return problem;
    const { crypto } = this.#context;
    const { provisionDeviceKey } = input;
    const linked = completeAlibabaTransport(profileData, current?.profileData ?? null, crypto);
    const transported = linked.ok ? completeWaveshareTransport(linked.value) : linked;
    if (!transported.ok) return transported;
    const provisioning = completeProvisioning(provisionType, transported.value, provisionDeviceKey, current, crypto);
    if (!provisioning.ok) return provisioning;
    const { name, description } = input;
    return success({ name, description, transportType, provisionType, ...provisioning.value });
  }

  /** Gives the devices of a changed profile their new settings. */
  #applySettings(profile: DeviceProfile): void {
    const { index, listeners } = this.#context;
    const settings = deriveProfileSettings(profile);
    if (index.hasSettings(profile.id) && sameSettings(index.settingsOf(profile.id), settings)) return;
    index.setSettings(profile.id, settings);
    for (const registration of index.devicesOfProfile(profile.id)) {
      if (registration.device === null) continue;
      const device = { ...registration.device, settings };
      index.put(registration.withDevice(device, registration.customerId));
      listeners.deviceChanged(device);
    }
  }

  async #find(caller: Caller, id: EntityId, operation: Operation, missing?: string): Promise<Result<DeviceProfile>> {
    const role = authorizeRole(caller, operation, 'profile');
    if (role !== null) return role;
    const profile = await this.#context.repositories.profile(id);
    if (profile === null) return refuse('notFound', missing);
    return authorize(caller, operation, 'profile', profile) ?? success(profile);
  }

  /** One change of a tenant's profiles at a time, since the default moves between them. */
  #lock<T>(caller: Caller, task: () => Promise<T>): Promise<T> {
    return this.#context.locks.run(`profiles of ${caller.tenantId}`, task);
  }
}

function packageHolder({ tenantId, id, firmwareId, softwareId }: DeviceProfile): PackageHolder {
  return { tenantId, profileId: id, firmwareId, softwareId };
}

/** Who cannot change profiles does not learn the secrets by which devices come in. */
function visibleTo(caller: Caller, profile: DeviceProfile): DeviceProfile {
  return authorizeRole(caller, 'write', 'profile') === null ? profile : withoutProvisioningSecrets(profile);
}

/** A description may be longer than a name but has no other freedom. */
function descriptionProblem(text: string | null): PlatformError | null {
  const problem = textProblem('description', text?.slice(0, MAX_NAME_LENGTH).replaceAll(/[\r\n\t]/g, ' ') ?? null);
  if (problem !== null || text === null || text.length <= 10_000) return problem;
  return refuse('badRequest', 'Validation error: description length must be equal or less than 10000');
}
