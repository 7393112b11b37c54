import {
  type EntityData,
  type EntityId,
  type EntityKey,
  type LiveAttributes,
  type LiveEnd,
  type LiveEntry,
  type LiveSubscriber,
  type LiveTelemetry,
  MAX_QUERY_ENTITIES,
  type Page,
  type PlatformError,
  refuse,
} from '@moorage/core';
import { type EntryLists, entityAnswer, entityJson, pageJson } from './answers.ts';
import type { EntityCommand } from './entity-command.ts';
import { FollowedEntity, FollowedKeys } from './followed-entity.ts';
import { readEntityAggregates, readEntitySeries } from './read-entity-series.ts';
import { SECOND_LOOK_MS, type SessionContext, type Subscription } from './session-context.ts';
import type { UpdateSource } from './socket-channel.ts';

/** What the first answer to a command shows beside the latest values. */
interface Shown {
  readonly series: ReadonlyMap<EntityId, EntryLists> | null;
  readonly aggregates: ReadonlyMap<EntityId, string> | null;
}

/** ENTITY_DATA: a set of entities, their values, and what changes. thingsboard-server.md, 7.4 */
export class EntitySubscription implements Subscription, UpdateSource, LiveSubscriber {
  readonly #context: SessionContext;
  readonly #cmdId: number;
  #entities = new Map<EntityId, FollowedEntity>();
  readonly #changed = new Set<FollowedEntity>();
  #keys = new FollowedKeys([], []);
  /** True until the first answer to the command under way is out: what is heard meanwhile waits. */
  #opening = false;
  #closed = false;
  #cancelSecondLook: () => void = () => undefined;

  constructor(context: SessionContext, cmdId: number) {
    this.#context = context;
    this.#cmdId = cmdId;
  }

  /** Does one command of this id; gives the refusal if there is one. */
  async handle(command: EntityCommand): Promise<PlatformError | null> {
    this.#opening = true;
    try {
      const refusal = await this.#handle(command);
      if (refusal !== null) this.#stop();
      return refusal;
    } finally {
      this.#opening = false;
      if (this.#changed.size > 0 && !this.#closed) this.#context.channel.offer(this);
    }
  }

  /** True while there is a set of entities that a later command may work on. */
  get hasEntities(): boolean {
    return !this.#closed && this.#hasQuery;
  }

  #hasQuery = false;

  close(): void {
    this.#closed = true;
    this.#stop();
    this.#entities.clear();
  }

  telemetry(message: LiveTelemetry): void {
    const followed = this.#entities.get(message.deviceId);
    if (followed === undefined) return;
    followed.hearTelemetry(message, this.#keys, this.#context.channel.blocked);
    this.#note(followed);
  }

  attributes(message: LiveAttributes): void {
    const followed = this.#entities.get(message.deviceId);
    if (followed === undefined) return;
    followed.hearAttributes(message, this.#keys);
    this.#note(followed);
  }

  event(): void {}

  /** An entity that is gone has no news; the set stays as it was found. */
  ended(deviceId: EntityId, _reason: LiveEnd): void {
    const followed = this.#entities.get(deviceId);
    if (followed === undefined) return;
    this.#changed.delete(followed);
    this.#entities.delete(deviceId);
  }

  take(): string | null {
    const items: string[] = [];
    for (const followed of this.#changed) {
      const item = followed.take();
      if (item !== null) items.push(item);
    }
    this.#changed.clear();
    return items.length === 0 ? null : entityAnswer(this.#cmdId, { update: items }, MAX_QUERY_ENTITIES);
  }

  #note(followed: FollowedEntity): void {
    if (this.#closed || !followed.changed) return;
    this.#changed.add(followed);
    if (!this.#opening) this.#context.channel.offer(this);
  }

  /** Ends the running part; the entities stay. */
  #stop(): void {
    this.#cancelSecondLook();
    for (const followed of this.#entities.values()) {
      followed.watch?.close();
      followed.watch = null;
      followed.clear();
    }
    this.#changed.clear();
    this.#keys = new FollowedKeys([], []);
  }

  async #handle(command: EntityCommand): Promise<PlatformError | null> {
    const { platform, caller } = this.#context;
    this.#stop();
    let page: Page<EntityData> | null = null;
    if (command.query !== null) {
      const found = await platform.entities.find(caller, command.query);
      if (!found.ok) return found;
      if (this.#closed) return null;
      page = found.value;
      this.#entities = new Map(page.data.map(({ entity }) => [entity.id, new FollowedEntity(entity)]));
      this.#hasQuery = true;
    } else if (!this.#hasQuery) return refuse('badRequest', 'Query is empty!');
    const refusal = this.#follow(command);
    if (refusal !== null) return refusal;
    const latest = command.latest === null ? null : await this.#readLatest(command.latest);
    if (latest !== null && 'ok' in latest) return latest;
    const shown = await this.#read(command);
    if ('ok' in shown) return shown;
    if (this.#closed) return null;
    if (page === null) this.#sendUpdate(latest, shown);
    else this.#sendPage(page, latest, shown);
    if (this.#keys.telemetry) {
      const { scheduler } = this.#context;
      this.#cancelSecondLook = scheduler.after(SECOND_LOOK_MS, () => void this.#secondLook());
    }
    return null;
  }

  /** Listens before anything is read, so that nothing falls between. */
  #follow({ latest, series }: EntityCommand): PlatformError | null {
    const { platform, caller } = this.#context;
    const keys = new FollowedKeys(latest ?? [], series?.keys ?? []);
    this.#keys = keys;
    if (!keys.telemetry && !keys.attributes) return null;
    const interest = { telemetry: keys.telemetry, attributes: keys.attributes, events: false };
    for (const followed of this.#entities.values()) {
      if (followed.entity.entityType !== 'DEVICE') continue;
      const watch = platform.live.watch(caller, followed.entity.id, interest, this);
      if (watch.ok) followed.watch = watch.value;
      else if (watch.code === 'tooManyRequests') {
        this.#stop();
        return watch;
      }
    }
    return null;
  }

  async #readLatest(keys: readonly EntityKey[]): Promise<readonly EntityData[] | PlatformError> {
    const { platform, caller } = this.#context;
    const entities = Array.from(this.#entities.values(), ({ entity }) => entity);
    const found = await platform.entities.latest(caller, entities, keys);
    return found.ok ? found.value : found;
  }

  async #read({ series, history, aggregates }: EntityCommand): Promise<Shown | PlatformError> {
    const { platform, caller } = this.#context;
    const entities = Array.from(this.#entities.values(), ({ entity }) => entity);
    const merged = new Map<EntityId, Map<string, readonly LiveEntry[]>>();
    for (const request of [history, series]) {
      if (request === null) continue;
      const read = await readEntitySeries(platform, caller, entities, request);
      if ('ok' in read) return read;
      for (const [id, lists] of read) merged.set(id, new Map([...(merged.get(id) ?? []), ...lists]));
    }
    const values = aggregates === null ? null : await readEntityAggregates(platform, caller, entities, aggregates);
    if (values !== null && 'ok' in values) return values;
    return { series: series === null && history === null ? null : merged, aggregates: values };
  }

  #sendPage(page: Page<EntityData>, latest: readonly EntityData[] | null, shown: Shown): void {
    const more = new Map((latest ?? []).map((one) => [one.entity.id, one.latest]));
    const items = page.data.map((one) => {
      const values = mergeLatest(one.latest, more.get(one.entity.id));
      const followed = this.#entities.get(one.entity.id);
      followed?.noteSent(values);
      return entityJson(one.entity, {
        latest: values,
        timeseries: shown.series?.get(one.entity.id) ?? new Map(),
        aggLatest: shown.aggregates?.get(one.entity.id) ?? '{}',
      });
    });
    const text = entityAnswer(this.#cmdId, { page: pageJson(items, page) }, MAX_QUERY_ENTITIES);
    this.#context.channel.send(text);
  }

  /** To a command without a query: series of every entity, and values that the client has not seen yet. */
  #sendUpdate(latest: readonly EntityData[] | null, { series, aggregates }: Shown): void {
    for (const { entity, latest: values } of latest ?? []) {
      const followed = this.#entities.get(entity.id);
      followed?.hearValues(values);
      if (followed?.changed) this.#changed.add(followed);
    }
    if (series === null && aggregates === null) return;
    const items = Array.from(this.#entities.values(), ({ entity }) =>
      entityJson(entity, {
        latest: null,
        timeseries: series?.get(entity.id) ?? null,
        aggLatest: aggregates?.get(entity.id) ?? null,
      }),
    );
    this.#context.channel.send(entityAnswer(this.#cmdId, { update: items }, MAX_QUERY_ENTITIES));
  }

  async #secondLook(): Promise<void> {
    const { channel, fault } = this.#context;
    try {
      const keys: EntityKey[] = [];
      for (const key of this.#keys.latest.get('TIME_SERIES') ?? []) keys.push({ type: 'TIME_SERIES', key });
      if (keys.length === 0) return;
      const followed = this.#keys;
      const found = await this.#readLatest(keys);
      if ('ok' in found || this.#closed || followed !== this.#keys) return;
      for (const { entity, latest } of found) {
        const one = this.#entities.get(entity.id);
        one?.hearValues(latest);
        if (one?.changed) this.#changed.add(one);
      }
      if (this.#changed.size > 0) channel.offer(this);
    } catch (error) {
      fault(error);
    }
  }
}

function mergeLatest(first: EntityData['latest'], second: EntityData['latest'] | undefined): EntityData['latest'] {
  if (second === undefined) return first;
  const merged = new Map(first);
  for (const [type, values] of second) merged.set(type, new Map([...(merged.get(type) ?? []), ...values]));
  return merged;
}
