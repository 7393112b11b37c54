import type {
  AttributeScope,
  EntityId,
  LiveAttributes,
  LiveEnd,
  LiveEntry,
  LiveSubscriber,
  LiveTelemetry,
  LiveWatch,
  PlatformError,
} from '@moorage/core';
import {
  type EntryLists,
  entryLists,
  errorAnswer,
  socketError,
  subscriptionAnswer,
  subscriptionTail,
} from './answers.ts';
import type { SeriesPart } from './commands.ts';
import { readLatest, readSeries } from './read-series.ts';
import { SECOND_LOOK_MS, type SessionContext, type Subscription } from './session-context.ts';
import type { UpdateSource } from './socket-channel.ts';

/** What one simple subscription follows. */
export type KeyInterest = {
  readonly cmdId: number;
  readonly entityId: EntityId;
  /** null: all. */
  readonly keys: readonly string[] | null;
} & (
  | {
      readonly type: 'TIMESERIES';
      readonly newerOnly: boolean;
      /** null: begins with the latest values. */
      readonly window: SeriesPart | null;
    }
  | { readonly type: 'ATTRIBUTES'; readonly scope: AttributeScope | null }
);

type LiveMessage = LiveTelemetry | LiveAttributes;

/** Messages held until the first answer has been read; beyond it the latest value of each key is kept. */
const MAX_HELD = 1000;

/** TIMESERIES and ATTRIBUTES: values as they are, then each change. thingsboard-server.md, 7.3 */
export class KeySubscription implements Subscription, UpdateSource, LiveSubscriber {
  readonly #context: SessionContext;
  readonly #interest: KeyInterest;
  readonly #keys: ReadonlySet<string> | null;
  /** Name under which subscriptions of the same keys share the text of an update. */
  readonly #shareName: string;
  /** Whole messages, not yet sent. */
  #messages: LiveMessage[] = [];
  /** In place of messages while the client does not read: the latest of each key. */
  #merged: Map<string, LiveEntry> | null = null;
  /** Last values sent, as long as they are compared with. */
  #known: Map<string, LiveEntry> | null = new Map();
  #opening = true;
  #closed = false;
  #watch: LiveWatch | null = null;
  #cancelSecondLook: () => void = () => undefined;

  constructor(context: SessionContext, interest: KeyInterest) {
    this.#context = context;
    this.#interest = interest;
    this.#keys = interest.keys === null ? null : new Set(interest.keys);
    this.#shareName = interest.keys === null ? '*' : JSON.stringify([...interest.keys].sort());
  }

  /** Begins; sends the first answer, or gives the refusal. */
  async open(): Promise<PlatformError | null> {
    const { platform, caller, scheduler } = this.#context;
    const { entityId, type } = this.#interest;
    const series = type === 'TIMESERIES';
    // Listens before it reads, so that nothing falls between.
    const watch = platform.live.watch(
      caller,
      entityId,
      { telemetry: series, attributes: !series, events: false },
      this,
    );
    if (!watch.ok) return watch;
    this.#watch = watch.value;
    const read = await this.#read();
    if (this.#closed) return null;
    if ('ok' in read) {
      this.close();
      return read;
    }
    this.#begin(read);
    if (series) this.#cancelSecondLook = scheduler.after(SECOND_LOOK_MS, () => void this.#secondLook());
    else this.#known = null;
    return null;
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
    this.#cancelSecondLook();
    this.#messages = [];
    this.#merged = null;
  }

  telemetry(message: LiveTelemetry): void {
    this.#hear(message);
  }

  attributes(message: LiveAttributes): void {
    if (this.#interest.type !== 'ATTRIBUTES') return;
    const { scope } = this.#interest;
    if (scope === null || scope === message.scope) this.#hear(message);
  }

  event(): void {}

  ended(_deviceId: EntityId, reason: LiveEnd): void {
    if (this.#closed) return;
    this.close();
    const code = reason === 'deleted' ? 'notFound' : 'permissionDenied';
    const message = "You don't have permission to perform this operation!";
    this.#context.channel.send(errorAnswer(this.#interest.cmdId, socketError({ ok: false, code, message })));
  }

  take(): string | null {
    if (this.#closed) return null;
    const [first] = this.#messages;
    if (first === undefined && this.#merged === null) return null;
    const { cmdId } = this.#interest;
    const compared = this.#interest.type === 'TIMESERIES' && this.#interest.newerOnly;
    if (first !== undefined && this.#messages.length === 1 && this.#merged === null && !compared) {
      this.#messages = [];
      this.#remember(this.#chosen(first));
      return subscriptionAnswer(
        cmdId,
        first.shared(this.#shareName, () => subscriptionTail(this.#chosen(first))),
      );
    }
    const lists = this.#takeLists();
    const news = compared ? this.#newer(lists) : lists;
    if (news.size === 0) return null;
    this.#remember(news);
    return subscriptionAnswer(cmdId, subscriptionTail(news));
  }

  #hear(message: LiveMessage): void {
    if (this.#closed || !this.#concerns(message)) return;
    this.#messages.push(message);
    const { channel } = this.#context;
    if (this.#opening) {
      if (this.#messages.length > MAX_HELD) this.#merge();
      return;
    }
    if (channel.blocked) this.#merge();
    channel.offer(this);
  }

  #concerns(message: LiveMessage): boolean {
    if (this.#keys === null) return true;
    for (const key of this.#keys) if (message.entries.has(key)) return true;
    return false;
  }

  /** Puts the latest of each key in the place of the messages. */
  #merge(): void {
    this.#merged ??= new Map();
    for (const message of this.#messages) {
      for (const [key, entries] of this.#chosen(message)) {
        for (const entry of entries) {
          const kept = this.#merged.get(key);
          if (kept === undefined || entry.ts >= kept.ts || entry.ts === 0) this.#merged.set(key, entry);
        }
      }
    }
    this.#messages = [];
  }

  /** Everything not yet sent, by key. */
  #takeLists(): EntryLists {
    if (this.#merged !== null) {
      this.#merge();
      const merged = this.#merged;
      this.#merged = null;
      return new Map(Array.from(merged, ([key, entry]) => [key, [entry]]));
    }
    const lists = new Map<string, LiveEntry[]>();
    for (const message of this.#messages) {
      for (const [key, entries] of this.#chosen(message)) {
        const list = lists.get(key);
        if (list === undefined) lists.set(key, [...entries]);
        else list.push(...entries);
      }
    }
    this.#messages = [];
    return lists;
  }

  #chosen({ entries }: LiveMessage): EntryLists {
    if (this.#keys === null) return entries;
    const chosen = new Map<string, readonly LiveEntry[]>();
    for (const key of this.#keys) {
      const list = entries.get(key);
      if (list !== undefined) chosen.set(key, list);
    }
    return chosen;
  }

  async #read(): Promise<EntryLists | PlatformError> {
    const { platform, caller } = this.#context;
    const { entityId, keys } = this.#interest;
    if (this.#interest.type === 'TIMESERIES') {
      const { window } = this.#interest;
      const read =
        window === null
          ? await readLatest(platform.telemetry, caller, entityId, keys)
          : await readSeries(platform.telemetry, caller, entityId, keys, window);
      return read.ok ? entryLists(read.value) : read;
    }
    const { scope } = this.#interest;
    const read = await platform.telemetry.attributes(caller, entityId, scope, keys);
    if (!read.ok) return read;
    const points = new Map(
      read.value.map((one) => [one.key, [{ ts: one.lastUpdateTs, kind: one.kind, value: one.value }]]),
    );
    return entryLists(points);
  }

  #begin(first: EntryLists): void {
    this.#opening = false;
    const { channel } = this.#context;
    channel.send(subscriptionAnswer(this.#interest.cmdId, subscriptionTail(first)));
    this.#remember(first);
    const held = this.#takeLists();
    const news = new Map<string, LiveEntry[]>();
    for (const [key, entries] of held) {
      const sent = first.get(key) ?? [];
      const unsent = entries.filter(({ ts, text }) => !sent.some((one) => one.ts === ts && one.text === text));
      if (unsent.length > 0) news.set(key, unsent);
    }
    this.#sendNews(news);
  }

  async #secondLook(): Promise<void> {
    const { platform, caller, fault } = this.#context;
    try {
      const { entityId, keys } = this.#interest;
      const latest = await readLatest(platform.telemetry, caller, entityId, keys);
      if (this.#closed || !latest.ok) return;
      this.#sendNews(this.#newer(entryLists(latest.value)));
    } catch (error) {
      fault(error);
    } finally {
      if (this.#interest.type !== 'TIMESERIES' || !this.#interest.newerOnly) this.#known = null;
    }
  }

  #sendNews(news: EntryLists): void {
    if (news.size === 0) return;
    this.#remember(news);
    this.#context.channel.send(subscriptionAnswer(this.#interest.cmdId, subscriptionTail(news)));
  }

  /** What is later than the last value sent of its key. */
  #newer(lists: EntryLists): EntryLists {
    const news = new Map<string, readonly LiveEntry[]>();
    for (const [key, entries] of lists) {
      const known = this.#known?.get(key);
      const newer = known === undefined ? entries : entries.filter(({ ts }) => ts > known.ts);
      if (newer.length > 0) news.set(key, newer);
    }
    return news;
  }

  #remember(sent: EntryLists): void {
    if (this.#known === null) return;
    for (const [key, entries] of sent) {
      for (const entry of entries) {
        const known = this.#known.get(key);
        if (known === undefined || entry.ts >= known.ts) this.#known.set(key, entry);
      }
    }
  }
}
