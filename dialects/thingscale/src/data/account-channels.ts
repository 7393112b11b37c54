import type { EntityId } from '@moorage/core';
import { isTag } from '../text/names.ts';
import { type AccountContext, CHANNELS, doneOr, type Refused } from './account-context.ts';
import type { AccountData, StreamPoint, ThingscaleChannel } from './account-data.ts';
import { ChannelStream } from './channel-stream.ts';
import type { FreshPoint } from './event-firing.ts';
import type { PointWriter } from './point-writer.ts';
import type { Kept, Prepared } from './record-table.ts';
import type { ChannelRecord } from './stored-forms.ts';

/** Tags of one channel; its record holds them all. */
const MAXIMUM_TAGS = 1_000;
/** Channels whose newest points are looked for at the same time. */
const LOADED_AT_ONCE = 64;

type WrittenPoint = Parameters<AccountData['write']>[1][number];

/** The channels of an account with their points. */
export class AccountChannels {
  readonly #context: AccountContext;
  readonly #writer: PointWriter;
  readonly #streams = new Map<EntityId, ChannelStream>();

  constructor(context: AccountContext, writer: PointWriter) {
    this.#context = context;
    this.#writer = writer;
  }

  async load(): Promise<void> {
    const { channels } = this.#context.records;
    const all = [...channels.all()];
    for (let start = 0; start < all.length; start += LOADED_AT_ONCE) {
      const some = all.slice(start, start + LOADED_AT_ONCE);
      await Promise.all(some.map((kept) => this.streamOf(kept).load(kept.value.tags)));
    }
    // A removal that was interrupted.
    for (const kept of channels.withoutKey()) await this.#erase(kept);
  }

  get(number: number): Kept<ChannelRecord> | undefined {
    return this.#context.records.channels.get(number);
  }

  streamOf({ id }: Kept<ChannelRecord>): ChannelStream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const made = new ChannelStream(id, this.#context.server.telemetry, this.#writer);
    this.#streams.set(id, made);
    return made;
  }

  list(): readonly ThingscaleChannel[] {
    const all = [...this.#context.records.channels.all()].map((kept) => this.#shown(kept));
    return all.sort((a, b) => a.number - b.number);
  }

  shown(number: number): ThingscaleChannel | undefined {
    const kept = this.get(number);
    return kept === undefined ? undefined : this.#shown(kept);
  }

  #shown(kept: Kept<ChannelRecord>): ThingscaleChannel {
    const { number, name, tags } = kept.value;
    return { number: number ?? 0, name, tags, lastUpdate: this.streamOf(kept).lastUpdate };
  }

  /** The lowest free number with a channel of this name; null: all are taken. thingscale.md, 4.4 */
  prepareLowest(name: string): { readonly number: number; readonly prepared: Prepared } | null {
    const { channels } = this.#context.records;
    for (let number = 0; number < CHANNELS; number++) {
      if (!channels.has(number)) return { number, prepared: this.#prepare(number, name, []) };
    }
    return null;
  }

  #prepare(number: number, name: string, tags: readonly string[]): Prepared {
    const { server, records } = this.#context;
    return records.channels.adding(server.uuid(), server.now(), { number, name, tags });
  }

  async create(number: number, tag: string | null): Promise<'done' | 'CHANNEL_INUSE' | 'NO_CHANNEL' | Refused> {
    if (!Number.isInteger(number) || number < 0 || number >= CHANNELS) return 'NO_CHANNEL';
    const tags = tag === null ? [] : [tag];
    if (!tags.every(isTag)) return 'NO_CHANNEL';
    const outcome = await this.#context.records.change(() => {
      const kept = this.get(number);
      if (kept === undefined) return [this.#prepare(number, `channel_${number}`, tags)];
      return tag === null ? 'CHANNEL_INUSE' : this.#withTag(kept, tag, 'CHANNEL_INUSE');
    });
    return outcome === 'TOO_MANY_TAGS' ? 'full' : outcome;
  }

  /** A tag that data came with. */
  addTag(number: number, tag: string): Promise<'done' | 'NO_CHANNEL' | 'TOO_MANY_TAGS' | Refused> {
    return this.#context.records.change(() => {
      const kept = this.get(number);
      return kept === undefined ? 'NO_CHANNEL' : this.#withTag(kept, tag, []);
    });
  }

  #withTag<T>(kept: Kept<ChannelRecord>, tag: string, known: T): Prepared[] | 'TOO_MANY_TAGS' | T {
    const { value } = kept;
    if (value.tags.includes(tag)) return known;
    if (value.tags.length >= MAXIMUM_TAGS) return 'TOO_MANY_TAGS';
    return [this.#context.records.channels.replacing(kept, { ...value, tags: [...value.tags, tag] })];
  }

  rename(number: number, name: string): Promise<'done' | 'NO_CHANNEL' | Refused> {
    const { channels } = this.#context.records;
    return this.#context.records.change(() => {
      const kept = channels.get(number);
      return kept === undefined ? 'NO_CHANNEL' : [channels.replacing(kept, { ...kept.value, name })];
    });
  }

  async remove(number: number, tag: string | null): Promise<'done' | 'NO_CHANNEL' | Refused> {
    return tag === null ? this.#removeWhole(number) : this.#removeTag(number, tag);
  }

  /** The number is free and no device is mapped to it any more, before its points are erased. */
  async #removeWhole(number: number): Promise<'done' | 'NO_CHANNEL' | Refused> {
    const { channels, devices } = this.#context.records;
    let removed: Kept<ChannelRecord> | undefined;
    const outcome = await this.#context.records.change(() => {
      removed = channels.get(number);
      if (removed === undefined) return 'NO_CHANNEL';
      const unmapped = [...devices.all()].filter(({ value }) => value.mappedChannel === number);
      return [
        channels.replacing(removed, { ...removed.value, number: null }),
        ...unmapped.map((kept) => devices.replacing(kept, { ...kept.value, mappedChannel: null })),
      ];
    });
    if (outcome !== 'done' || removed === undefined) return outcome;
    return this.#erase({ ...removed, version: removed.version + 1, value: { ...removed.value, number: null } });
  }

  async #erase(kept: Kept<ChannelRecord>): Promise<'done' | Refused> {
    const erased = await this.streamOf(kept).remove();
    this.#streams.delete(kept.id);
    if (erased !== 'stored') return erased;
    return this.#context.records.change<never>(() => {
      const { channels } = this.#context.records;
      const current = channels.withoutKey().find(({ id }) => id === kept.id);
      return current === undefined ? [] : [channels.removing(current)];
    });
  }

  async #removeTag(number: number, tag: string): Promise<'done' | 'NO_CHANNEL' | Refused> {
    const { channels } = this.#context.records;
    const kept = channels.get(number);
    if (kept === undefined || !kept.value.tags.includes(tag)) return 'NO_CHANNEL';
    // The record goes last: an interruption leaves the tag, which can be deleted again.
    const erased = doneOr(await this.streamOf(kept).eraseTag(tag));
    if (erased !== 'done') return erased;
    return this.#context.records.change(() => {
      const current = channels.get(number);
      if (current === undefined) return 'NO_CHANNEL';
      return [channels.replacing(current, { ...current.value, tags: current.value.tags.filter((one) => one !== tag) })];
    });
  }

  async points({ channel, tag, ...range }: Parameters<AccountData['points']>[0]): Promise<readonly StreamPoint[]> {
    const kept = this.get(channel);
    return kept === undefined ? [] : this.streamOf(kept).points(tag, range);
  }

  /** Writes points of no device, those of one tag in their order; `told` hears of each when all are durable. */
  async write(
    number: number,
    points: readonly WrittenPoint[],
    told: (point: FreshPoint) => Promise<unknown> | null,
  ): Promise<'done' | 'NO_CHANNEL' | Refused> {
    for (const tag of new Set(points.map(({ tag }) => tag))) {
      if (tag !== null && !isTag(tag)) return 'failed';
      const outcome = tag === null ? 'done' : await this.addTag(number, tag);
      if (outcome === 'TOO_MANY_TAGS') return 'full';
      if (outcome !== 'done') return outcome;
    }
    const kept = this.get(number);
    if (kept === undefined) return 'NO_CHANNEL';
    const stream = this.streamOf(kept);
    for (const [tag, some] of Map.groupBy(points, ({ tag }) => tag)) {
      const batch = some.map(({ at, value }) => ({ at, text: value }));
      const outcome = await stream.write({ tag, deviceId: null }, batch);
      if (outcome === 'tooMany') return 'full';
      if (outcome !== 'stored') return outcome;
    }
    for (const { tag, value, at } of points) {
      await told({ channel: number, channelName: kept.value.name, tag, deviceId: null, text: value, at });
    }
    return 'done';
  }
}
