import type { ConnectCredential, JsonObject } from '@moorage/core';
import type {
  AccountData,
  AccountSettings,
  IngestOutcome,
  Reading,
  RefusedMessage,
  StreamPoint,
  ThingscaleChannel,
  ThingscaleDevice,
  ThingscaleEvent,
} from '../../data/account-data.ts';

type Store = 'done' | 'full' | 'failed';

/** An account in memory that keeps the rules of the interface and fails when a test says so. */
export class FakeAccount implements AccountData {
  readonly application: ConnectCredential;
  readonly now: () => number;
  settings: AccountSettings = { timezone: 'Asia/Tokyo', autoMap: true, maxDevices: 10, email: 'a@example.com' };
  /** How the next changes end. */
  store: Store = 'done';
  readonly readings: Reading[] = [];
  readonly streams = new Map<number, StreamPoint[]>();
  /** Largest number of points that was asked for at once. */
  largestPage = 0;
  readonly #devices = new Map<string, ThingscaleDevice>();
  readonly #channels = new Map<number, ThingscaleChannel>();
  readonly #events = new Map<number, ThingscaleEvent>();
  #count = 0;

  constructor(application: ConnectCredential, now: () => number) {
    this.application = application;
    this.now = now;
  }

  addPoint(channel: number, at: number, value: object | string, tag: string | null = null): void {
    const id = (++this.#count).toString(16).padStart(24, '0');
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const points = [...(this.streams.get(channel) ?? []), { id, tag, deviceId: null, value: text, at }];
    this.streams.set(
      channel,
      points.toSorted((a, b) => a.at - b.at),
    );
    const known = this.#channels.get(channel);
    if (known === undefined) return;
    const tags = tag === null || known.tags.includes(tag) ? known.tags : [...known.tags, tag];
    this.#channels.set(channel, { ...known, tags, lastUpdate: Math.max(at, known.lastUpdate ?? 0) });
  }

  async ingest(reading: Reading): Promise<IngestOutcome> {
    this.readings.push(reading);
    if (this.store !== 'done') return this.store;
    const isNew = !this.#devices.has(reading.deviceId);
    if (isNew && (await this.createDevice(reading.deviceId)) !== 'done') return 'MAX_DEVICE_REACH';
    const device = this.#devices.get(reading.deviceId);
    if (device?.enabled === false) return 'DEVICE_DISABLED';
    if (device?.mappedChannel == null) return isNew ? 'createdNotMapped' : 'NO_MAPPED_CH';
    this.addPoint(device.mappedChannel, reading.receivedAt, reading.text, reading.tag);
    return isNew ? 'created' : 'stored';
  }

  async state(): Promise<IngestOutcome> {
    return 'stored';
  }

  devices(): readonly ThingscaleDevice[] {
    return [...this.#devices.values()];
  }

  device(deviceId: string): ThingscaleDevice | undefined {
    return this.#devices.get(deviceId);
  }

  setState(deviceId: string, state: JsonObject): void {
    const device = this.#devices.get(deviceId);
    if (device !== undefined) this.#devices.set(deviceId, { ...device, state });
  }

  async createDevice(deviceId: string): Promise<Store | 'DEVICE_INUSE' | 'MAX_DEVICE_REACH'> {
    if (this.#devices.has(deviceId)) return 'DEVICE_INUSE';
    if (this.#devices.size >= this.settings.maxDevices) return 'MAX_DEVICE_REACH';
    if (this.store !== 'done') return this.store;
    let free = 0;
    while (this.#channels.has(free)) free++;
    if (this.settings.autoMap) await this.createChannel(free, null, deviceId);
    this.#devices.set(deviceId, {
      deviceId,
      entityId: `00000000-0000-4000-8000-${String(this.#devices.size).padStart(12, '0')}`,
      description: deviceId,
      enabled: true,
      mappedChannel: this.settings.autoMap ? free : null,
      deviceType: '',
      location: '',
      manufacturer: '',
      activateAt: this.now(),
      state: null,
      decodeMsgpack: false,
    });
    return 'done';
  }

  async updateDevice(
    deviceId: string,
    changes: Partial<ThingscaleDevice>,
  ): Promise<Store | 'NO_DEVICE' | 'NO_CHANNEL'> {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return 'NO_DEVICE';
    if (changes.mappedChannel != null && !this.#channels.has(changes.mappedChannel)) return 'NO_CHANNEL';
    if (this.store === 'done') this.#devices.set(deviceId, { ...device, ...changes });
    return this.store;
  }

  async deleteDevice(deviceId: string): Promise<Store | 'NO_DEVICE'> {
    if (!this.#devices.has(deviceId)) return 'NO_DEVICE';
    if (this.store === 'done') this.#devices.delete(deviceId);
    return this.store;
  }

  channels(): readonly ThingscaleChannel[] {
    return [...this.#channels.values()];
  }

  channel(number: number): ThingscaleChannel | undefined {
    return this.#channels.get(number);
  }

  async createChannel(
    number: number,
    tag: string | null,
    name = `channel ${number}`,
  ): Promise<Store | 'CHANNEL_INUSE' | 'NO_CHANNEL'> {
    const known = this.#channels.get(number);
    if (known !== undefined && (tag === null || known.tags.includes(tag))) return 'CHANNEL_INUSE';
    const tags = [...(known?.tags ?? []), ...(tag === null ? [] : [tag])];
    const channel = known ?? { number, name, lastUpdate: null };
    if (this.store === 'done') this.#channels.set(number, { ...channel, tags });
    return this.store;
  }

  async renameChannel(number: number, name: string): Promise<Store | 'NO_CHANNEL'> {
    const known = this.#channels.get(number);
    if (known === undefined) return 'NO_CHANNEL';
    if (this.store === 'done') this.#channels.set(number, { ...known, name });
    return this.store;
  }

  async deleteChannel(number: number, tag: string | null): Promise<Store | 'NO_CHANNEL'> {
    const known = this.#channels.get(number);
    if (known === undefined || (tag !== null && !known.tags.includes(tag))) return 'NO_CHANNEL';
    if (this.store !== 'done') return this.store;
    if (tag === null) this.#channels.delete(number);
    else this.#channels.set(number, { ...known, tags: known.tags.filter((one) => one !== tag) });
    const kept = (this.streams.get(number) ?? []).filter((point) => tag !== null && point.tag !== tag);
    this.streams.set(number, kept);
    return 'done';
  }

  async points(query: Parameters<AccountData['points']>[0]): Promise<readonly StreamPoint[]> {
    const { channel, tag, from, to, limit, latest } = query;
    this.largestPage = Math.max(this.largestPage, limit);
    const found = (this.streams.get(channel) ?? []).filter(
      (point) => from <= point.at && point.at <= to && (tag === undefined || point.tag === tag),
    );
    return latest ? found.slice(-limit) : found.slice(0, limit);
  }

  async write(number: number, points: Parameters<AccountData['write']>[1]): Promise<Store | 'NO_CHANNEL'> {
    if (!this.#channels.has(number)) return 'NO_CHANNEL';
    if (this.store === 'done') for (const { value, at, tag } of points) this.addPoint(number, at, value, tag);
    return this.store;
  }

  events(): readonly ThingscaleEvent[] {
    return [...this.#events.values()];
  }

  event(eventId: number): ThingscaleEvent | undefined {
    return this.#events.get(eventId);
  }

  async createEvent(event: Omit<ThingscaleEvent, 'eventId'>): Promise<number | 'NO_CHANNEL' | 'full' | 'failed'> {
    if (event.mappedChannel !== null && !this.#channels.has(event.mappedChannel)) return 'NO_CHANNEL';
    if (this.store !== 'done') return this.store;
    const eventId = this.#events.size + 1;
    this.#events.set(eventId, { ...event, eventId });
    return eventId;
  }

  async updateEvent(eventId: number, changes: Partial<ThingscaleEvent>): Promise<Store | 'NO_EVENT'> {
    const event = this.#events.get(eventId);
    if (event === undefined) return 'NO_EVENT';
    if (this.store === 'done') this.#events.set(eventId, { ...event, ...changes });
    return this.store;
  }

  async deleteEvent(eventId: number): Promise<Store | 'NO_EVENT'> {
    if (!this.#events.has(eventId)) return 'NO_EVENT';
    if (this.store === 'done') this.#events.delete(eventId);
    return this.store;
  }

  refused(): readonly RefusedMessage[] {
    return [];
  }

  refuse(): void {}

  async changeAccount(changes: { readonly email?: string; readonly timezone?: string }): Promise<Store> {
    if (this.store === 'done') this.settings = { ...this.settings, ...changes };
    return this.store;
  }
}
