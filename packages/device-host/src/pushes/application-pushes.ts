import type {
  AttributeScope,
  AttributeStore,
  Clock,
  Completion,
  CredentialLookup,
  DeviceRef,
  EntityId,
  PointList,
  RegistryListener,
  StoredValuesObserver,
  TelemetryTap,
  WebhookOutbox,
} from '@moorage/core';
import type { ApplicationPush, Dialect } from '@moorage/dialect-api';
import { spaceKey } from '../feed/live-feed.ts';
import { AttributeMemory, type KnownAttributes, type TakenUpload } from './attribute-memory.ts';
import { type PushedApplication, PushedApplications } from './pushed-applications.ts';

/** What pushes need of the broker. */
export interface PushBroker {
  hasSubscribers(space: string, topicName: string): boolean;
  /** `token` is held for every store that has to keep the message. */
  publish(
    space: string,
    message: {
      readonly topicName: string;
      readonly payload: Uint8Array;
      readonly qos: 0 | 1 | 2;
      readonly retain: boolean;
    },
    token: Completion | null,
  ): number;
}

export interface ApplicationPushesOptions {
  readonly dialects: readonly Dialect[];
  readonly credentials: CredentialLookup;
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly attributes: Pick<AttributeStore, 'read'>;
  readonly broker: PushBroker;
  readonly outbox: Pick<WebhookOutbox, 'enqueue'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly observer: {
    count(event: string, amount: number): void;
    fault(error: unknown): void;
  };
}

/**
 * Tells applications what devices of their tenant send, each in its dialect's words: to whoever subscribed in the
 * application's space, and to its URL. Whatever has to be kept for that is durable before the device is acknowledged.
 *
 * Pushes for one device keep the order of its messages. A fault in one application's pushes keeps no other application,
 * and not the ingest either, from its own.
 */
export class ApplicationPushes implements TelemetryTap, StoredValuesObserver, RegistryListener {
  readonly #options: ApplicationPushesOptions;
  readonly #applications: PushedApplications;
  readonly #memory: AttributeMemory;
  readonly #deviceAttributes: ReadonlySet<string>;

  constructor(options: ApplicationPushesOptions) {
    const { dialects, credentials, attributes, observer } = options;
    this.#options = options;
    this.#applications = new PushedApplications(dialects, credentials);
    const keys = this.#applications.deviceAttributes;
    this.#deviceAttributes = new Set(keys);
    this.#memory = new AttributeMemory({
      attributes,
      keys,
      goOn: (upload, known) => this.#tellAll(upload, known),
      count: (event, amount) => observer.count(event, amount),
      fault: (error) => observer.fault(error),
    });
  }

  wants(owner: EntityId): boolean {
    const device = this.#options.deviceRef(owner);
    return device !== undefined && this.#applications.of(device.tenantId).length > 0;
  }

  taken(owner: EntityId, points: PointList, completion: Completion | null): void {
    const device = this.#options.deviceRef(owner);
    if (device === undefined) return;
    this.#memory.take({ device, points, completion, receivedAt: this.#options.clock.now() });
  }

  telemetryStored(): void {}

  attributesStored(owner: EntityId, scope: AttributeScope, values: PointList): void {
    if (scope === 'SERVER') this.#attributesTouched(owner, values.keys);
  }

  attributesRemoved(owner: EntityId, scope: AttributeScope, keys: readonly string[]): void {
    if (scope === 'SERVER') this.#attributesTouched(owner, keys);
  }

  revoked(principalId: EntityId, reason: 'credentialsChanged' | 'deleted' | 'disabled'): void {
    if (this.#applications.isApplication(principalId)) this.#applications.forget();
    else if (reason === 'deleted') {
      this.#memory.forget(principalId);
      this.#applications.touched(principalId);
    }
  }

  /** An application was created or saved. */
  applicationChanged(): void {
    this.#applications.forget();
  }

  applicationRemoved(): void {
    this.#applications.forget();
  }

  deviceChanged({ id }: DeviceRef): void {
    this.#applications.touched(id);
  }

  deviceCreated({ id }: DeviceRef): void {
    this.#applications.touched(id);
  }

  sharedAttributesChanged(): void {}

  #attributesTouched(owner: EntityId, keys: readonly string[]): void {
    if (!keys.some((key) => this.#deviceAttributes.has(key))) return;
    this.#memory.forget(owner);
    this.#applications.touched(owner);
  }

  #tellAll(upload: TakenUpload, attributes: KnownAttributes): void {
    for (const application of this.#applications.of(upload.device.tenantId)) {
      try {
        this.#tell(application, upload, attributes);
      } catch (error) {
        this.#options.observer.fault(error);
      }
    }
  }

  #tell(application: PushedApplication, upload: TakenUpload, attributes: KnownAttributes): void {
    const { pushes, credential, dialectId, id } = application;
    const { device, points, receivedAt, completion } = upload;
    if (!pushes.includes(credential, device.id, attributes)) return;
    const space = spaceKey(device.tenantId, dialectId, id);
    for (const push of pushes.encode(credential, { device, attributes, points, receivedAt })) {
      this.#publish(space, push, completion);
      if (push.webhook !== null) this.#options.outbox.enqueue(push.webhook, completion);
    }
  }

  #publish(space: string, { topicNames, payload, qos }: ApplicationPush, completion: Completion | null): void {
    const { broker } = this.#options;
    for (const topicName of topicNames) {
      if (!broker.hasSubscribers(space, topicName)) continue;
      broker.publish(space, { topicName, payload, qos, retain: false }, completion);
    }
  }
}
