import type { ConnectCredential, DeviceRef, EntityId, Json, JsonObject, WriteOutcome } from '@moorage/core';
import type { ThingscaleServer } from '../ports.ts';
import { objectText } from '../text/json-parts.ts';
import { formatTime } from '../text/times.ts';
import { AccountChannels } from './account-channels.ts';
import type { AccountContext } from './account-context.ts';
import type {
  AccountData,
  AccountSettings,
  DropCode,
  IngestOutcome,
  Reading,
  RefusedMessage,
  StreamPoint,
  ThingscaleChannel,
  ThingscaleDevice,
  ThingscaleEvent,
} from './account-data.ts';
import { AccountDevices, type DeviceChanges, type Provisioned } from './account-devices.ts';
import { AccountEvents } from './account-events.ts';
import { AccountRecords } from './account-records.ts';
import { accountSettings } from './account-settings.ts';
import type { ChannelStream, OpenSeries } from './channel-stream.ts';
import { devicePoints } from './device-points.ts';
import { EventFiring } from './event-firing.ts';
import { messagePackMembers } from './message-pack.ts';
import type { PointWriter } from './point-writer.ts';
import type { Kept } from './record-table.ts';
import type { RefusedLists } from './refused-lists.ts';
import { settled } from './settled.ts';
import { StateWriter } from './state-writer.ts';
import type { ChannelRecord } from './stored-forms.ts';
import { Turns } from './turns.ts';

export interface AccountOptions {
  readonly server: ThingscaleServer;
  readonly writer: PointWriter;
  readonly refusals: RefusedLists;
  /** Removes what any account keeps of a device. */
  readonly displace: (entityId: EntityId) => Promise<void>;
}

/** Everything that a reading needs in memory to be stored at once. */
interface Ready {
  readonly device: ThingscaleDevice;
  readonly ref: DeviceRef;
  readonly channel: Kept<ChannelRecord>;
  readonly stream: ChannelStream;
  readonly series: OpenSeries;
}

/** What is still missing, or why nothing will be stored. */
type NotReady = 'device' | 'series' | { readonly drop: DropCode };

/** Steps of getting ready: a device, a tag, a series, and a few in case that something is removed meanwhile. */
const MOST_STEPS = 8;

/** One account in memory. */
export class Account implements AccountData {
  readonly #server: ThingscaleServer;
  readonly #refusals: RefusedLists;
  readonly #context: AccountContext;
  readonly #known: ConnectCredential;
  readonly #devices: AccountDevices;
  readonly #channels: AccountChannels;
  readonly #events: AccountEvents;
  readonly #firing: EventFiring;
  readonly #states: StateWriter;
  /** Work on one device follows one another. */
  readonly #turns = new Turns<string>();

  private constructor(
    application: ConnectCredential,
    owner: NonNullable<ConnectCredential['application']>,
    options: AccountOptions,
  ) {
    const { server, writer, refusals, displace } = options;
    const { id: accountId, tenantId } = owner;
    this.#server = server;
    this.#refusals = refusals;
    this.#known = application;
    const records = new AccountRecords({ tenantId, accountId }, server.repositories);
    this.#context = {
      server,
      records,
      tenantId,
      accountId,
      application: () => this.application,
      settings: () => this.settings,
    };
    this.#channels = new AccountChannels(this.#context, writer);
    this.#devices = new AccountDevices(this.#context, this.#channels, displace);
    const timezone = (): string => this.settings.timezone;
    this.#firing = new EventFiring({ server, records, tenantId, applicationId: accountId, timezone });
    this.#events = new AccountEvents(this.#context, this.#firing);
    const time = {
      monotonic: () => server.monotonic(),
      after: (delayMs: number, task: () => void) => server.after(delayMs, task),
    };
    this.#states = new StateWriter(time, (deviceId, state) => this.#writeState(deviceId, state));
  }

  /** Reads what the account has. Rejects when the stores cannot be read. */
  static async load(application: ConnectCredential, options: AccountOptions): Promise<Account> {
    const owner = application.application;
    if (owner === null) throw new TypeError('an account is an application');
    const account = new Account(application, owner, options);
    const { records } = account.#context;
    await records.load();
    // Their devices were deleted while nobody could be told.
    await records.change(() =>
      [...records.devices.all()]
        .filter(({ value }) => account.#devices.kept(value.deviceId) === undefined)
        .map((kept) => records.devices.removing(kept)),
    );
    await account.#channels.load();
    return account;
  }

  get application(): ConnectCredential {
    return this.#server.credentials.application?.(this.#context.accountId) ?? this.#known;
  }

  get settings(): AccountSettings {
    return accountSettings(this.application);
  }

  ingest(reading: Reading): Promise<IngestOutcome> {
    const { deviceId } = reading;
    if (!this.#turns.isBusy(deviceId)) {
      const ready = this.#ready(reading);
      if (isReady(ready)) return this.#store(ready, reading);
    }
    return this.#ingestInTurn(reading);
  }

  async #ingestInTurn(reading: Reading): Promise<IngestOutcome> {
    // The turn is over when the point is on its way: its successors do not wait until it is durable.
    const { isNew, outcome } = await this.#turns.run(reading.deviceId, () => this.#getReady(reading));
    const stored = await outcome;
    if (!isNew) return stored;
    if (stored === 'stored') return 'created';
    return stored === 'NO_MAPPED_CH' ? 'createdNotMapped' : stored;
  }

  /** The promise of a point on its way stands in an object, for a promise of a promise would be waited for. */
  async #getReady(
    reading: Reading,
  ): Promise<{ readonly isNew: boolean; readonly outcome: IngestOutcome | Promise<IngestOutcome> }> {
    let isNew = false;
    for (let step = 0; step < MOST_STEPS; step++) {
      const ready = this.#ready(reading);
      if (isReady(ready)) return { isNew, outcome: this.#store(ready, reading) };
      if (typeof ready !== 'string') return { isNew, outcome: ready.drop };
      const outcome = await this.#provide(ready, reading);
      if (outcome === 'created') isNew = true;
      else if (outcome !== 'done' && outcome !== 'adopted') return { isNew, outcome };
    }
    return { isNew, outcome: 'failed' };
  }

  #provide(missing: 'device' | 'series', reading: Reading): Promise<Provisioned | 'done' | DropCode> {
    return missing === 'device' ? this.#devices.provision(reading.deviceId) : this.#openSeries(reading);
  }

  async #openSeries({ deviceId, tag }: Reading): Promise<'done' | 'TOO_MANY_TAGS' | 'full' | 'failed'> {
    const number = this.#devices.kept(deviceId)?.value.mappedChannel ?? -1;
    if (tag !== null) {
      const outcome = await this.#channels.addTag(number, tag);
      // A channel that is gone is noticed at the next step.
      if (outcome !== 'done') return outcome === 'NO_CHANNEL' ? 'done' : outcome;
    }
    const channel = this.#channels.get(number);
    const series = await (channel && this.#channels.streamOf(channel).open({ tag, deviceId }));
    if (series === 'tooMany') return 'TOO_MANY_TAGS';
    return typeof series === 'string' ? series : 'done';
  }

  #ready({ deviceId, tag }: Reading): Ready | NotReady {
    const kept = this.#devices.kept(deviceId);
    const ref = kept && this.#devices.refOf(deviceId);
    if (kept === undefined || ref === undefined) return 'device';
    const device = kept.value;
    if (!device.enabled) return { drop: 'DEVICE_DISABLED' };
    const channel = device.mappedChannel === null ? undefined : this.#channels.get(device.mappedChannel);
    if (channel === undefined) return { drop: 'NO_MAPPED_CH' };
    const stream = this.#channels.streamOf(channel);
    const series = stream.find({ tag, deviceId });
    return series === undefined ? 'series' : { device, ref, channel, stream, series };
  }

  /** Puts the point on its way, in the order of the calls. */
  #store({ device, ref, channel, stream, series }: Ready, reading: Reading): Promise<IngestOutcome> {
    const { deviceId, tag, receivedAt } = reading;
    const { value, text } = withDecoded(reading, device.decodeMsgpack);
    const at = series.nextTime(receivedAt);
    const { number, name } = channel.value;
    const point = { channel: number ?? -1, channelName: name, tag, deviceId, text, at };
    const points = devicePoints(value, tag, receivedAt);
    const telemetry = settled((completion) => this.#server.submit(ref, points, completion));
    // Rules are asked in the order in which points become durable, which is that of the calls.
    const written = stream
      .append(series, at, text)
      .then((outcome) => (outcome === 'stored' ? (this.#firing.taken(point) ?? outcome) : outcome));
    return bothOf(written, telemetry);
  }

  async state(deviceId: string, state: JsonObject, receivedAt: number): Promise<IngestOutcome> {
    const device = this.#devices.kept(deviceId)?.value;
    if (device?.enabled === false) return 'DEVICE_DISABLED';
    // An unknown device is not mapped either. thingscale.md, 2.2
    if (device === undefined || device.mappedChannel === null) return 'NO_MAPPED_CH';
    return this.#states.put(deviceId, { ...state, last_update: formatTime(receivedAt, this.settings.timezone) });
  }

  async #writeState(deviceId: string, state: JsonObject): Promise<WriteOutcome> {
    const { devices } = this.#context.records;
    try {
      const outcome = await this.#context.records.change<never>(() => {
        const kept = devices.get(deviceId);
        return kept === undefined ? [] : [devices.replacing(kept, { ...kept.value, state })];
      });
      return outcome === 'done' ? 'stored' : outcome;
    } catch (error) {
      this.#server.report(error);
      return 'failed';
    }
  }

  devices(): readonly ThingscaleDevice[] {
    return this.#devices.list();
  }

  device(deviceId: string): ThingscaleDevice | undefined {
    return this.#devices.shown(deviceId);
  }

  createDevice(deviceId: string): ReturnType<AccountData['createDevice']> {
    return this.#turns.run(deviceId, () => this.#devices.create(deviceId));
  }

  updateDevice(deviceId: string, changes: DeviceChanges): ReturnType<AccountData['updateDevice']> {
    return this.#turns.run(deviceId, () => this.#devices.update(deviceId, changes));
  }

  deleteDevice(deviceId: string): ReturnType<AccountData['deleteDevice']> {
    return this.#turns.run(deviceId, () => this.#devices.remove(deviceId));
  }

  channels(): readonly ThingscaleChannel[] {
    return this.#channels.list();
  }

  channel(number: number): ThingscaleChannel | undefined {
    return this.#channels.shown(number);
  }

  createChannel(number: number, tag: string | null): ReturnType<AccountData['createChannel']> {
    return this.#channels.create(number, tag);
  }

  renameChannel(number: number, name: string): ReturnType<AccountData['renameChannel']> {
    return this.#channels.rename(number, name);
  }

  deleteChannel(number: number, tag: string | null): ReturnType<AccountData['deleteChannel']> {
    return this.#channels.remove(number, tag);
  }

  points(query: Parameters<AccountData['points']>[0]): Promise<readonly StreamPoint[]> {
    return this.#channels.points(query);
  }

  write(channel: number, points: Parameters<AccountData['write']>[1]): ReturnType<AccountData['write']> {
    return this.#channels.write(channel, points, (point) => this.#firing.taken(point));
  }

  events(): readonly ThingscaleEvent[] {
    return this.#events.list();
  }

  event(eventId: number): ThingscaleEvent | undefined {
    return this.#events.get(eventId);
  }

  createEvent(event: Omit<ThingscaleEvent, 'eventId'>): ReturnType<AccountData['createEvent']> {
    return this.#events.create(event);
  }

  updateEvent(
    eventId: number,
    changes: Partial<Omit<ThingscaleEvent, 'eventId'>>,
  ): ReturnType<AccountData['updateEvent']> {
    return this.#events.update(eventId, changes);
  }

  deleteEvent(eventId: number): ReturnType<AccountData['deleteEvent']> {
    return this.#events.remove(eventId);
  }

  refused(): readonly RefusedMessage[] {
    return this.#refusals.of(this.#context.accountId);
  }

  refuse(message: RefusedMessage): void {
    this.#refusals.add(this.#context.accountId, message);
  }

  changeAccount(changes: {
    readonly email?: string;
    readonly timezone?: string;
  }): ReturnType<AccountData['changeAccount']> {
    return this.#server.configure(this.#context.accountId, changes);
  }

  /** The registry has deleted a device of this account. */
  forget(entityId: EntityId, deviceId: string): Promise<'done' | 'full' | 'failed'> {
    return this.#devices.forget(entityId, deviceId);
  }

  hasDisabledRule(id: EntityId): boolean {
    for (const rule of this.#context.records.events.all()) if (rule.id === id) return !rule.value.enabled;
    return false;
  }

  /** Writes what waits. */
  close(): Promise<void> {
    return this.#states.close();
  }
}

function isReady(ready: Ready | NotReady): ready is Ready {
  return typeof ready === 'object' && 'series' in ready;
}

async function bothOf(written: Promise<WriteOutcome>, telemetry: Promise<WriteOutcome>): Promise<WriteOutcome> {
  const first = await written;
  const second = await telemetry;
  if (first === 'stored') return second;
  return second === 'failed' ? second : first;
}

/** The members of MessagePack stand behind the bytes; `value1` stays what the vendor says it is. thingscale.md, 4.5 */
function withDecoded(
  { value, text, bytes }: Reading,
  decodeMsgpack: boolean,
): { readonly value: ReadonlyMap<string, Json>; readonly text: string } {
  const decoded = decodeMsgpack && bytes !== undefined ? messagePackMembers(bytes) : undefined;
  if (decoded === undefined) return { value, text };
  const members = new Map(value);
  for (const [name, member] of decoded) if (!members.has(name)) members.set(name, member);
  const texts = new Map([...members].map(([name, member]) => [name, JSON.stringify(member)]));
  return { value: members, text: objectText(texts) };
}
