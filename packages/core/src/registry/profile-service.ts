import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { DeviceProfile, EntityId } from '../model/entities.ts';
import type { Caller, Page, PageQuery, ProfileInput, ProfileService } from '../platform.ts';
import { SORT_MEMBERS } from '../ports/repositories.ts';
import { authorize, authorizeRole, type Operation } from './authorize.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from './commit-refusals.ts';
import { pageWindow, toPage } from './paging.ts';
import { completeProfileData, deriveProfileSettings, profileDataProblem, sameSettings } from './profile-data.ts';
import type { RegistryContext } from './registry-context.ts';
import { jsonProblem, MAX_NAME_LENGTH, nameProblem, textProblem } from './text-rules.ts';

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

  get(caller: Caller, id: EntityId): Promise<Result<DeviceProfile>> {
    return this.#find(caller, id, 'read');
  }

  async list(caller: Caller, query: PageQuery): Promise<Result<Page<DeviceProfile>>> {
    const role = authorizeRole(caller, 'read', 'profile');
    if (role !== null) return role;
    const window = pageWindow(query, SORT_MEMBERS.profile);
    if (!window.ok) return window;
    const found = await this.#context.repositories.profiles({ ...window.value, tenantId: caller.tenantId });
    return success(toPage(window.value, found, (profile) => profile));
  }

  async defaultProfile(caller: Caller): Promise<Result<DeviceProfile>> {
    const role = authorizeRole(caller, 'read', 'profile');
    if (role !== null) return role;
    const profile = await this.#context.repositories.defaultProfile(caller.tenantId);
    return profile === null ? refuse('notFound') : success(profile);
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
      return success(null);
    });
  }

  async #create(caller: Caller, input: ProfileInput): Promise<Result<DeviceProfile>> {
    const role = authorizeRole(caller, 'create', 'profile');
    if (role !== null) return role;
    const draft = this.#draft(input, null);
    if (!draft.ok) return draft;
    const { crypto, clock, repositories, index } = this.#context;
    const profile: DeviceProfile = {
      ...draft.value,
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId: caller.tenantId,
      isDefault: false,
      version: 1,
    };
    const outcome = await repositories.commit([{ kind: 'putProfile', record: profile, expectedVersion: null }]);
    if (outcome !== 'done') return commitRefusal(outcome);
    index.setSettings(profile.id, deriveProfileSettings(profile));
    return success(profile);
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
        version: current.version + 1,
      };
      const outcome = await this.#context.repositories.commit([
        { kind: 'putProfile', record: profile, expectedVersion: current.version },
      ]);
      if (outcome === 'done') {
        this.#applySettings(profile);
        return success(profile);
      }
      refusal = commitRefusal(outcome);
      if (!isOvertaken(outcome) || input.version !== null) return refusal;
    }
    return refusal;
  }

  /** The checked members of a profile; what an update leaves out stays as it is. */
  #draft(
    input: ProfileInput,
    current: DeviceProfile | null,
  ): Result<Pick<DeviceProfile, 'name' | 'description' | 'transportType' | 'provisionType' | 'profileData'>> {
    const transportType = input.transportType ?? current?.transportType ?? 'DEFAULT';
    const provisionType = input.provisionType ?? current?.provisionType ?? 'DISABLED';
    const given = input.profileData ?? current?.profileData ?? null;
    const profileData = completeProfileData(given, transportType, provisionType);
    const problem =
      nameProblem('Device profile', input.name) ??
      descriptionProblem(input.description) ??
      jsonProblem('profileData', profileData) ??
      profileDataProblem(transportType, provisionType, profileData, this.#context.isTopicFilter);
    if (problem !== null) return problem;
    return success({ name: input.name, description: input.description, transportType, provisionType, profileData });
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

/** A description may be longer than a name but has no other freedom. */
function descriptionProblem(text: string | null): PlatformError | null {
  const problem = textProblem('description', text?.slice(0, MAX_NAME_LENGTH).replaceAll(/[\r\n\t]/g, ' ') ?? null);
  if (problem !== null || text === null || text.length <= 10_000) return problem;
  return refuse('badRequest', 'Validation error: description length must be equal or less than 10000');
}
