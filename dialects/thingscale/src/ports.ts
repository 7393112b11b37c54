import type {
  Completion,
  CredentialLookup,
  DeviceRef,
  EntityId,
  PointList,
  Repositories,
  TelemetryStore,
  WebhookOutbox,
} from '@moorage/core';

/** A live connection of an account. */
export interface AccountSession {
  readonly clientId: string;
  readonly remoteAddress: string;
  readonly cleanStart: boolean;
  readonly level: 3 | 4 | 5;
  /** Seconds. */
  readonly keepAlive: number;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
}

/** What the dialect needs of the server it runs in. */
export interface ThingscaleServer {
  /** Epoch milliseconds. */
  now(): number;
  /** Never goes back. */
  monotonic(): number;
  after(delayMs: number, task: () => void): () => void;
  uuid(): string;
  /** Lower-case hex. */
  sha3_256(text: string): string;
  readonly credentials: CredentialLookup;
  /** Records of the dialect's own collections travel in commits of the registry. */
  readonly repositories: Pick<Repositories, 'document' | 'documents' | 'commit'>;
  /** Points of channels; an owner is made up by the dialect: a UUID. */
  readonly telemetry: Pick<
    TelemetryStore,
    'seriesOf' | 'intern' | 'append' | 'range' | 'latest' | 'erase' | 'removeOwner'
  >;
  /** Telemetry of a device as any other dialect's. Notes its activity. */
  submit(device: DeviceRef, points: PointList, completion: Completion | null): void;
  /** Makes a device with THINGSCALE credentials in the tenant of the account; its name is drawn from the id. */
  createDevice(
    applicationId: EntityId,
    tenantId: EntityId,
    deviceId: string,
  ): Promise<DeviceRef | 'taken' | 'full' | 'failed'>;
  removeDevice(tenantId: EntityId, id: EntityId): Promise<'done' | 'full' | 'failed'>;
  /** Publishes in the space of an account; counts connections and durable Sessions. */
  publish(
    tenantId: EntityId,
    account: string,
    message: { readonly topicName: string; readonly payload: Uint8Array; readonly qos: 0 | 1 },
  ): Promise<{ readonly receivers: number } | 'full' | 'failed'>;
  sessions(applicationId: EntityId): readonly AccountSession[];
  readonly outbox: WebhookOutbox;
  /** Members of an application's configuration are replaced; connections stay. */
  configure(
    applicationId: EntityId,
    changes: { readonly email?: string; readonly timezone?: string },
  ): Promise<'done' | 'full' | 'failed'>;
  /** An event rule fired whose notice is an e-mail, which nobody can send yet: counted and logged. */
  notSent?(applicationId: EntityId, eventId: number): void;
  /** A message was not taken because too much of its account, or of all, waits for the store: counted. */
  notTaken?(applicationId: EntityId): void;
  report(error: unknown): void;
}
