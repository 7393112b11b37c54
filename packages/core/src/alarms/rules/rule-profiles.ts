import type { DeviceProfile, EntityId } from '../../model/entities.ts';
import type { DocumentCollection } from '../../ports/documents.ts';
import type { Repositories } from '../../ports/repositories.ts';
import type { Clock } from '../../ports/runtime.ts';
import type { ProfileRules } from './alarm-rule.ts';
import { parseAlarmRules } from './parse-rules.ts';

/** Since when a profile has the rules that it has; the record has the profile's id. */
const ALARM_RULE_PROFILES: DocumentCollection = {
  name: 'alarm_rule_profile',
  filters: [],
  sorts: [],
  search: [],
  unique: [],
};

/** The rules of a profile. */
export interface RuleProfile {
  readonly tenantId: EntityId;
  readonly rules: ProfileRules;
  /** Points before this moment are not asked about, epoch milliseconds. */
  readonly since: number;
}

const SLICE = 500;

/** The rules of all profiles, in memory. */
export class RuleProfiles {
  readonly #repositories: Pick<Repositories, 'profile' | 'profiles' | 'document' | 'commit'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #report: (error: unknown) => void;
  /** null: the profile has no rules. */
  readonly #known = new Map<EntityId, RuleProfile | null>();
  readonly #loading = new Map<EntityId, Promise<void>>();

  constructor(
    repositories: Pick<Repositories, 'profile' | 'profiles' | 'document' | 'commit'>,
    clock: Pick<Clock, 'now'>,
    report: (error: unknown) => void,
  ) {
    this.#repositories = repositories;
    this.#clock = clock;
    this.#report = report;
  }

  /** null: no rules; undefined: not known yet, see `load`. */
  get(profileId: EntityId): RuleProfile | null | undefined {
    return this.#known.get(profileId);
  }

  /** Reads every profile. */
  async loadAll(): Promise<void> {
    for (let offset = 0; ; offset += SLICE) {
      const { records } = await this.#repositories.profiles({
        tenantId: null,
        offset,
        limit: SLICE,
        textSearch: null,
        sort: 'id',
        descending: false,
      });
      for (const profile of records) await this.#take(profile);
      if (records.length < SLICE) return;
    }
  }

  /** Profiles with rules. */
  withRules(): readonly (readonly [EntityId, RuleProfile])[] {
    return [...this.#known].flatMap(([id, profile]) => (profile === null ? [] : [[id, profile] as const]));
  }

  /** Reads a profile, anew if it is known; calls for the same one follow each other. Rejects when it cannot be read. */
  load(profileId: EntityId): Promise<void> {
    const before = this.#loading.get(profileId) ?? Promise.resolve();
    const loading = before
      .catch(() => {
        // Reported to whoever asked for it.
      })
      .then(async () => {
        const profile = await this.#repositories.profile(profileId);
        if (profile === null) this.#known.delete(profileId);
        else await this.#take(profile);
      });
    this.#loading.set(profileId, loading);
    const ended = (): void => {
      if (this.#loading.get(profileId) === loading) this.#loading.delete(profileId);
    };
    loading.then(ended, ended);
    return loading;
  }

  async #take(profile: DeviceProfile): Promise<void> {
    const { id, tenantId } = profile;
    const parsed = parseAlarmRules(profile.profileData);
    // Saved before its rules were checked: they cannot be run, and its next save says why.
    const rules = parsed.ok ? parsed.value : null;
    const former = this.#known.get(id);
    if (rules === null) {
      this.#known.set(id, null);
      // When it gets the same rules again, what came in between is not asked about.
      if (former !== null && former !== undefined) await this.#since(profile, '');
      return;
    }
    if (former?.rules.fingerprint === rules.fingerprint) return;
    this.#known.set(id, { tenantId, rules, since: await this.#since(profile, rules.fingerprint) });
  }

  async #since({ id, tenantId, createdTime, version: saves }: DeviceProfile, fingerprint: string): Promise<number> {
    const stored = await this.#repositories.document(ALARM_RULE_PROFILES, id);
    if (stored?.body.fingerprint === fingerprint && typeof stored.body.since === 'number') return stored.body.since;
    // One that was never changed has had its rules from the beginning.
    const since = saves === 1 ? createdTime : this.#clock.now();
    const version = stored?.version ?? 0;
    const outcome = await this.#repositories.commit([
      {
        kind: 'putDocument',
        collection: ALARM_RULE_PROFILES,
        record: { id, tenantId, createdTime: since, version: version + 1, body: { fingerprint, since } },
        expectedVersion: version === 0 ? null : version,
      },
    ]);
    if (outcome !== 'done') this.#report(new Error(`the start of alarm rules could not be noted: ${String(outcome)}`));
    return since;
  }
}
