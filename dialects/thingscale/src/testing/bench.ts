import type {
  Completion,
  ConnectCredential,
  CredentialLookup,
  DeviceRef,
  EntityId,
  JsonObject,
  PointList,
  WebhookMessage,
} from '@moorage/core';
import type { DialectSession, Principal } from '@moorage/dialect-api';
import {
  connectCredential,
  connectPacket,
  connectVia,
  credentialLookup,
  deviceLink,
  deviceRef,
  dialectMessage,
  FakeCrypto,
  FakeTime,
  MemoryRepositories,
  MemoryTelemetryStore,
} from '@moorage/testkit';
import type { AccountData, IngestOutcome } from '../data/account-data.ts';
import { Accounts } from '../data/accounts.ts';
import { ThingscaleDialect } from '../mqtt/dialect.ts';
import type { AccountSession, ThingscaleServer } from '../ports.ts';
import { readPayload } from '../text/payload.ts';

export const TENANT = '5a8a8d3e-0000-4000-8000-000000000002';
export const ACCOUNT = '5a8a8d3e-0000-4000-8000-00000000000a';
export const TOKEN = '0123456789ABCDEF0123456789ABCDEF';
export const API_TOKEN = 'FEDCBA9876543210FEDCBA9876543210';
export const USER = 'U000123';

type Released = Parameters<Completion['release']>[0];

/** An account as the registry knows it. */
export function account(
  configuration: JsonObject = {},
  secrets: Readonly<Record<string, string>> = {},
  fields: { readonly id?: EntityId; readonly username?: string; readonly enabled?: boolean } = {},
): ConnectCredential {
  const { id = ACCOUNT, username = USER, enabled = true } = fields;
  const application = { id, tenantId: TENANT, name: `account ${username}`, enabled, configuration };
  const deviceToken = secrets.deviceToken ?? TOKEN;
  return connectCredential(
    { application, username, password: deviceToken },
    { userId: username, apiToken: API_TOKEN, ...secrets, deviceToken },
  );
}

/** The dialect in a server whose stores are in memory and whose time a test moves. */
export class Bench implements ThingscaleServer {
  readonly time = new FakeTime(Date.UTC(2026, 0, 5, 1, 0, 3));
  readonly repositories: MemoryRepositories;
  readonly telemetry: MemoryTelemetryStore;
  readonly accountList: ConnectCredential[];
  readonly devices: Record<EntityId, Record<string, DeviceRef>> = {};
  readonly credentials: CredentialLookup;
  readonly submitted: { readonly device: DeviceRef; readonly points: PointList }[] = [];
  readonly webhooks: WebhookMessage[] = [];
  readonly removedTargets: EntityId[] = [];
  readonly published: {
    readonly account: string;
    readonly topicName: string;
    readonly text: string;
    readonly qos: number;
  }[] = [];
  readonly reports: unknown[] = [];
  readonly unsent: number[] = [];
  /** What the next writes of device telemetry and webhooks answer. */
  readonly submitOutcomes: Released[] = [];
  readonly webhookOutcomes: Released[] = [];
  /** Names that devices were asked for; each creation waits for `creationGate`. */
  readonly creations: string[] = [];
  creationGate: Promise<unknown> = Promise.resolve();
  creationOutcome: 'taken' | 'full' | 'failed' | null = null;
  readonly accounts: Accounts;
  readonly dialect: ThingscaleDialect;
  readonly #crypto = new FakeCrypto();
  #devicesMade = 0;

  /** A second bench on the same stores is the server after a restart. */
  constructor(accounts: readonly ConnectCredential[] = [account()], former?: Bench) {
    this.repositories = former?.repositories ?? new MemoryRepositories();
    this.telemetry = former?.telemetry ?? new MemoryTelemetryStore();
    this.accountList = [...accounts];
    if (former !== undefined) {
      this.devices = former.devices;
      this.time.advance(former.time.now() - this.time.now());
      for (let skipped = 0; skipped < 50; skipped++) this.#crypto.uuid();
    }
    const lookup = () => {
      const usernames = this.accountList.map((one) => [
        one.username ?? '',
        { dialect: 'thingscale', credentials: [one] },
      ]);
      return credentialLookup(
        Object.fromEntries(usernames),
        {},
        {},
        {
          applications: { thingscale: this.accountList },
          devices: this.devices,
          credentials: this.#deviceCredentials(),
          now: () => this.time.now(),
        },
      );
    };
    this.credentials = {
      byUsername: (name) => lookup().byUsername(name),
      byClientId: () => undefined,
      byCertificate: () => undefined,
      hasCertificateProfile: () => false,
      deviceOfChain: async () => ({ outcome: 'failed' }),
      // One object for as long as it is not replaced, as the registry does it.
      application: (id) => this.accountList.find(({ application }) => application?.id === id),
      accountDevice: (accountId, name) => lookup().accountDevice?.(accountId, name),
      ofDevice: (id) => lookup().ofDevice?.(id),
    };
    this.accounts = new Accounts(this);
    const randomBytes = (length: number) => this.#crypto.randomBytes(length);
    this.dialect = new ThingscaleDialect({ server: this, accounts: this.accounts, randomBytes });
  }

  readonly outbox = {
    enqueue: (message: WebhookMessage, completion: Completion | null) => {
      completion?.hold();
      const outcome = this.webhookOutcomes.shift() ?? 'stored';
      if (outcome === 'stored') this.webhooks.push(message);
      completion?.release(outcome);
    },
    resume() {},
    removeTarget: (id: EntityId) => void this.removedTargets.push(id),
  };

  now(): number {
    return this.time.now();
  }

  monotonic(): number {
    return this.time.monotonic();
  }

  after(delayMs: number, task: () => void): () => void {
    return this.time.after(delayMs, task);
  }

  uuid(): string {
    return this.#crypto.uuid();
  }

  sha3_256(text: string): string {
    return this.#crypto.sha3_256(text);
  }

  submit(device: DeviceRef, points: PointList, completion: Completion | null): void {
    completion?.hold();
    this.submitted.push({ device, points });
    const outcome = this.submitOutcomes.shift() ?? 'stored';
    Promise.resolve().then(() => completion?.release(outcome));
  }

  async createDevice(applicationId: EntityId, tenantId: EntityId, deviceId: string) {
    this.creations.push(deviceId);
    await this.creationGate;
    if (this.creationOutcome !== null) return this.creationOutcome;
    return this.register(deviceId, applicationId, tenantId);
  }

  /** Puts a device into the registry, as a console does. */
  register(deviceId: string, applicationId: EntityId = ACCOUNT, tenantId: EntityId = TENANT): DeviceRef {
    const number = String(++this.#devicesMade + 1000 * Object.keys(this.devices).length).padStart(12, '0');
    const ref = deviceRef({ id: `5a8a8d3e-1111-4000-8000-${number}`, tenantId, name: deviceId });
    this.devices[applicationId] = { ...this.devices[applicationId], [deviceId]: ref };
    return ref;
  }

  async removeDevice(_tenantId: EntityId, id: EntityId): Promise<'done'> {
    for (const [accountId, devices] of Object.entries(this.devices)) {
      this.devices[accountId] = Object.fromEntries(Object.entries(devices).filter(([, ref]) => ref.id !== id));
    }
    return 'done';
  }

  async publish(
    _tenantId: EntityId,
    to: string,
    { topicName, payload, qos }: { readonly topicName: string; readonly payload: Uint8Array; readonly qos: 0 | 1 },
  ) {
    this.published.push({ account: to, topicName, text: new TextDecoder().decode(payload), qos });
    return { receivers: 1 };
  }

  sessions(): readonly AccountSession[] {
    return [];
  }

  async configure(): Promise<'done'> {
    return 'done';
  }

  notSent(_applicationId: EntityId, eventId: number): void {
    this.unsent.push(eventId);
  }

  report(error: unknown): void {
    this.reports.push(error);
  }

  /** Replaces an account, as a save does. */
  save(credential: ConnectCredential): void {
    const index = this.accountList.findIndex(({ application }) => application?.id === credential.application?.id);
    this.accountList.splice(index === -1 ? this.accountList.length : index, 1, credential);
  }

  /** The account's data. */
  data(id: EntityId = ACCOUNT): Promise<AccountData> {
    const credential = this.credentials.application?.(id);
    if (credential === undefined) throw new TypeError('no such account');
    return this.accounts.of(credential);
  }

  /** Data of a device, as by the HTTP connector. */
  async ingest(deviceId: string, payload: string, tag: string | null = null): Promise<IngestOutcome> {
    const data = await this.data();
    const bytes = new TextEncoder().encode(payload);
    const read = readPayload('json', bytes, payload);
    if (typeof read === 'string') return read;
    return data.ingest({ deviceId, tag, ...read, receivedAt: this.now() });
  }

  /** Stored values of a channel, the oldest first. */
  async values(channel: number, tag?: string | null): Promise<readonly string[]> {
    const data = await this.data();
    const all = { from: -8.64e15, to: 8.64e15, limit: 10_000, latest: false };
    return (await data.points({ channel, tag, ...all })).map(({ value }) => value);
  }

  /** A connection of the account. */
  connect(level: 3 | 4 | 5 = 4, username = USER, token = TOKEN): { session: DialectSession; principal: Principal } {
    const connect = connectPacket({ level, clientId: 'c', username, password: new TextEncoder().encode(token) });
    const answer = this.dialect.authenticate(connect, connectVia(), this.credentials);
    if (answer.outcome !== 'accepted') throw new TypeError(answer.reason);
    return { session: this.dialect.openSession(answer.principal, deviceLink(level, 'c')), principal: answer.principal };
  }

  /** Publishes as the host does; resolves with what the acknowledgement waits for. */
  send(
    { session, principal }: { readonly session: DialectSession; readonly principal: Principal },
    topicName: string,
    payload: string | Uint8Array,
  ): Promise<Released | 'refused'> {
    const disposition = session.publish(dialectMessage(topicName, payload, { receivedAt: this.now() }));
    if (disposition.refuse !== null) return Promise.resolve('refused');
    return new Promise((resolve) => {
      let held = 1;
      let worst: Released = 'stored';
      const completion: Completion = {
        hold: () => void held++,
        release(outcome) {
          if (outcome !== 'stored') worst = outcome;
          held--;
          if (held === 0) resolve(worst);
        },
      };
      for (const intent of disposition.intents) {
        if (intent.kind === 'dialectWork') this.dialect.work(principal, intent.work, completion);
      }
      completion.release('stored');
    });
  }

  #deviceCredentials(): readonly ConnectCredential[] {
    return Object.entries(this.devices).flatMap(([accountId, devices]) =>
      Object.entries(devices).map(([deviceId, device]) =>
        connectCredential({ credentialsType: 'THINGSCALE', device }, { accountId, deviceId }),
      ),
    );
  }
}
