import type {
  Completion,
  ConnectCredential,
  DocumentCollection,
  EntityId,
  TenantContents,
  WebhookKind,
} from '@moorage/core';
import type { ThingscaleServer } from '../ports.ts';
import { Account } from './account.ts';
import type { AccountData, RefusedMessage, ThingscaleAccounts } from './account-data.ts';
import { documentsOf } from './account-records.ts';
import { THINGSCALE_CHANNELS, THINGSCALE_DEVICES, THINGSCALE_EVENTS } from './collections.ts';
import { PointWriter } from './point-writer.ts';
import { RefusedLists } from './refused-lists.ts';
import { thingscaleWebhooks } from './webhook-kind.ts';

type Outcome = Parameters<Completion['release']>[0];

const PAGE = 500;

/** The accounts of the whole server; each is read at its first use and stays in memory. */
export class Accounts implements ThingscaleAccounts, TenantContents {
  readonly #server: ThingscaleServer;
  readonly #writer: PointWriter;
  readonly #refusals = new RefusedLists();
  readonly #loaded = new Map<EntityId, Account>();
  readonly #loading = new Map<EntityId, Promise<Account>>();
  readonly #order = new WeakMap<object, Promise<unknown>>();

  constructor(server: ThingscaleServer) {
    this.#server = server;
    this.#writer = new PointWriter(server.telemetry, (error) => server.report(error));
  }

  of(application: ConnectCredential): Promise<AccountData> {
    const id = application.application?.id ?? '';
    const loaded = this.#loaded.get(id);
    if (loaded !== undefined) return Promise.resolve(loaded);
    const loading = this.#loading.get(id) ?? this.#load(id, application);
    this.#loading.set(id, loading);
    return loading;
  }

  async #load(id: EntityId, application: ConnectCredential): Promise<Account> {
    const options = {
      server: this.#server,
      writer: this.#writer,
      refusals: this.#refusals,
      displace: (entityId: EntityId) => this.#forgetDevice(entityId),
    };
    try {
      const account = await Account.load(application, options);
      this.#loaded.set(id, account);
      return account;
    } finally {
      this.#loading.delete(id);
    }
  }

  loaded(applicationId: EntityId): AccountData | undefined {
    return this.#loaded.get(applicationId);
  }

  /** Notes a message that was refused, also of an account that is not loaded. */
  refuse(applicationId: EntityId, message: RefusedMessage): void {
    this.#refusals.add(applicationId, message);
  }

  /** Whether work of this connection is under way or waits. */
  isBusy(key: object): boolean {
    return this.#order.has(key);
  }

  /** Work without anything before it begins at once. */
  inOrder(key: object, completion: Completion | null, work: () => Promise<Outcome>): void {
    completion?.hold();
    const before = this.#order.get(key);
    const attempt = async (): Promise<void> => {
      let outcome: Outcome = 'failed';
      try {
        outcome = await work();
      } catch (error) {
        this.#server.report(error);
      }
      completion?.release(outcome);
    };
    const turn = before === undefined ? attempt() : before.then(attempt);
    this.#order.set(key, turn);
    const done = (): void => {
      if (this.#order.get(key) === turn) this.#order.delete(key);
    };
    turn.then(done, (error: unknown) => {
      done();
      this.#server.report(error);
    });
  }

  /** A device is gone from the registry, of whatever dialect: what is kept of it here goes too. */
  forget(entityId: EntityId): Promise<void> {
    return this.#forgetDevice(entityId);
  }

  /** An application is gone: its devices' records, its channels with their points, and its rules go too. */
  async forgetApplication(id: EntityId): Promise<void> {
    await this.#loading.get(id)?.catch(() => undefined);
    const account = this.#loaded.get(id);
    this.#loaded.delete(id);
    this.#refusals.forget(id);
    await account?.close();
    const owner = { tenantId: null, accountId: id };
    const { repositories, outbox, telemetry } = this.#server;
    for (const rule of await documentsOf(repositories, THINGSCALE_EVENTS, owner)) {
      outbox.removeTarget(rule.id);
      await this.#delete(THINGSCALE_EVENTS, rule.id);
    }
    for (const channel of await documentsOf(repositories, THINGSCALE_CHANNELS, owner)) {
      await this.#writer.settled();
      // The record goes last, so that an interruption leaves nothing that nobody knows of.
      if ((await telemetry.removeOwner(channel.id)) === 'stored') await this.#delete(THINGSCALE_CHANNELS, channel.id);
    }
    for (const device of await documentsOf(repositories, THINGSCALE_DEVICES, owner)) {
      await this.#delete(THINGSCALE_DEVICES, device.id);
    }
  }

  /** What a tenant has here; it goes before the tenant's documents do. */
  removeOf(tenantId: EntityId): Promise<void> {
    return this.#forgetAll(tenantId, () => true);
  }

  /** Finishes removals of applications that an earlier run left behind. */
  finishRemovals(): Promise<void> {
    return this.#forgetAll(null, (id) => this.#server.credentials.application?.(id) === undefined);
  }

  /** How webhooks of event rules are sent. */
  readonly webhooks: WebhookKind = thingscaleWebhooks((ruleId) => this.#isDisabled(ruleId));

  /** Writes what waits. Nothing may be asked for any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#loading.values());
    for (const account of this.#loaded.values()) await account.close();
    await this.#writer.settled();
  }

  async #forgetAll(tenantId: EntityId | null, isToGo: (accountId: EntityId) => boolean): Promise<void> {
    const accounts = new Set<EntityId>();
    for (const collection of [THINGSCALE_CHANNELS, THINGSCALE_EVENTS, THINGSCALE_DEVICES]) {
      for (const accountId of await this.#accountsIn(collection, tenantId)) accounts.add(accountId);
    }
    for (const id of accounts) if (isToGo(id)) await this.forgetApplication(id);
  }

  async #accountsIn(collection: DocumentCollection, tenantId: EntityId | null): Promise<ReadonlySet<EntityId>> {
    const found = new Set<EntityId>();
    for (let offset = 0; ; offset += PAGE) {
      const { records } = await this.#server.repositories.documents(collection, {
        tenantId,
        conditions: [],
        textSearch: null,
        sort: 'id',
        descending: false,
        offset,
        limit: PAGE,
      });
      for (const { body } of records) if (typeof body.accountId === 'string') found.add(body.accountId);
      if (records.length < PAGE) return found;
    }
  }

  async #forgetDevice(entityId: EntityId): Promise<void> {
    const { repositories } = this.#server;
    const record = await repositories.document(THINGSCALE_DEVICES, entityId);
    if (record === null) return;
    const { accountId, deviceId } = record.body;
    const account = this.#loaded.get(String(accountId));
    if (account === undefined) await this.#delete(THINGSCALE_DEVICES, entityId);
    else await account.forget(entityId, String(deviceId));
  }

  async #delete(collection: DocumentCollection, id: EntityId): Promise<void> {
    const outcome = await this.#server.repositories.commit([
      { kind: 'deleteDocument', collection, id, expectedVersion: null },
    ]);
    if (outcome !== 'done') throw new RemovalFailed(collection.name, String(outcome));
  }

  /** A rule of an account that is not loaded is taken for enabled: its queue goes with it when it is deleted. */
  #isDisabled(ruleId: EntityId): boolean {
    for (const account of this.#loaded.values()) if (account.hasDisabledRule(ruleId)) return true;
    return false;
  }
}

/** A record of something that is gone could not be deleted; the next start tries again. */
class RemovalFailed extends Error {
  constructor(collection: string, outcome: string) {
    super(`A record of ${collection} could not be deleted: ${outcome}`);
    this.name = 'RemovalFailed';
  }
}
