import {
  type Completion,
  type DeviceRef,
  type EntityId,
  type PlatformError,
  platformCaller,
  type Registry,
  type WebhookKind,
  type WebhookOutbox,
  type WriteOutcome,
} from '@moorage/core';
import { spaceKey } from '@moorage/device-host';
import type { DeviceDesk, Principal } from '@moorage/dialect-api';
import { Accounts, ThingscaleDialect, type ThingscaleServer } from '@moorage/dialect-thingscale';
import type { Broker, ConnectionHandle } from '@moorage/mqtt-broker';
import type { Runtime } from '../running-server.ts';
import type { Stores } from './stores.ts';

const DIALECT = 'thingscale';
/** As for an acknowledgement over MQTT. architecture.md, section 2, step 5 */
const STORE_TIMEOUT_MS = 30_000;
/** Names of devices are unique in the tenant, ids in the account: so many names are tried. */
const MOST_NAMES = 3;

/** A live connection, as the host knows it. */
interface Connection {
  readonly principal: Principal;
  /** null: it is over. */
  readonly handle: ConnectionHandle | null;
  /** Monotonic seconds. */
  readonly openedAtSeconds: number;
}

/** What the rest of the server does for the dialect; asked for after the start, since it is made later. */
export interface ThingscaleParts {
  /** The way of telemetry, as for requests over HTTP: `host.desk('thingscale')`. */
  readonly desk: () => Pick<DeviceDesk, 'submit'>;
  readonly broker: () => Pick<Broker, 'publish'>;
  readonly connectionsOf: (applicationId: EntityId) => readonly Connection[];
  readonly outbox: () => WebhookOutbox;
  readonly count: (event: string, amount: number) => void;
  readonly report: (error: unknown) => void;
}

export interface ThingscaleOptions extends ThingscaleParts {
  readonly runtime: Runtime;
  readonly stores: Pick<Stores, 'repositories' | 'telemetry'>;
  readonly registry: Registry;
}

/** The dialect with the data of its accounts. */
export interface Thingscale {
  readonly dialect: ThingscaleDialect;
  readonly accounts: Accounts;
  readonly webhooks: WebhookKind;
  /** Finishes removals that an earlier run left behind. Never rejects. */
  start(): Promise<void>;
  /** Writes what waits, while the stores are open still. */
  close(): Promise<void>;
}

/** Builds the dialect and joins it with the registry. */
export function createThingscale(options: ThingscaleOptions): Thingscale {
  const { runtime, registry, report } = options;
  const dialectOf = (): ThingscaleDialect => dialect;
  const server = serverFor(options, dialectOf);
  const accounts = new Accounts(server);
  const dialect: ThingscaleDialect = new ThingscaleDialect({
    server,
    accounts,
    randomBytes: (length) => runtime.crypto.randomBytes(length),
  });
  /** Removals under way, for the end. */
  const running = new Set<Promise<void>>();
  const inBackground = (task: Promise<void>): void => {
    const watched = task.catch(report).finally(() => running.delete(watched));
    running.add(watched);
  };
  registry.addListener({
    revoked: (id, why) => {
      if (why === 'deleted') inBackground(accounts.forget(id));
    },
    deviceChanged() {},
    sharedAttributesChanged() {},
    applicationRemoved: (id) => inBackground(accounts.forgetApplication(id)),
  });
  registry.addTenantContents(accounts);
  return {
    dialect,
    accounts,
    webhooks: accounts.webhooks,
    start: () => accounts.finishRemovals().catch(report),
    close: async () => {
      await Promise.all(running);
      await accounts.close();
    },
  };
}

function serverFor(options: ThingscaleOptions, dialect: () => ThingscaleDialect): ThingscaleServer {
  const { runtime, stores, registry, desk, broker, connectionsOf, outbox, count, report } = options;
  const { clock, scheduler, crypto, log } = runtime;
  const { credentials } = registry;
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (delayMs, task) => scheduler.after(delayMs, task),
    uuid: () => crypto.uuid(),
    sha3_256: (text) => crypto.sha3_256(text),
    credentials,
    repositories: stores.repositories,
    telemetry: stores.telemetry,
    get outbox() {
      return outbox();
    },
    submit(device, points, completion) {
      completion?.hold();
      desk()
        .submit(device, [{ kind: 'telemetry', points }])
        // What a device sends beyond its rate is counted and logged there.
        .then((outcome) => completion?.release(outcome === 'throttled' ? 'stored' : outcome))
        .catch((error: unknown) => {
          report(error);
          completion?.release('failed');
        });
    },
    createDevice: (applicationId, tenantId, deviceId) => createDevice(options, applicationId, tenantId, deviceId),
    async removeDevice(tenantId, id) {
      const removed = await registry.devices.remove(platformCaller(tenantId), id);
      return removed.ok || removed.code === 'notFound' ? 'done' : refusalOf(removed);
    },
    async publish(tenantId, account, message) {
      let receivers = 0;
      const outcome = await stored(scheduler, (completion) => {
        const space = spaceKey(tenantId, DIALECT, account);
        receivers = broker().publish(space, { ...message, retain: false }, completion);
      });
      return outcome === 'stored' ? { receivers } : outcome;
    },
    sessions: (applicationId) =>
      connectionsOf(applicationId).flatMap(({ principal, handle, openedAtSeconds }) => {
        if (handle === null) return [];
        const { clientId, level, via } = handle;
        const connectedAt = Math.round(clock.now() - clock.monotonic() + openedAtSeconds * 1000);
        return [{ clientId, level, remoteAddress: via.remoteAddress, connectedAt, ...dialect().settingsOf(principal) }];
      }),
    async configure(applicationId, changes) {
      const application = credentials.application?.(applicationId)?.application;
      if (!application) return 'failed';
      const { id, tenantId, name, enabled } = application;
      const saved = await registry.applications.save(platformCaller(tenantId), {
        id,
        name,
        dialect: DIALECT,
        enabled,
        credentials: {},
        configuration: { ...changes },
        version: null,
      });
      return saved.ok ? 'done' : refusalOf(saved);
    },
    notSent(applicationId, eventId) {
      count('thingscale.emailNotSent', 1);
      log.warn({ applicationId, eventId }, 'an event rule asks for an e-mail, and this server sends none');
    },
    notTaken: () => count('thingscale.notTaken', 1),
    report,
  };
}

async function createDevice(
  { registry, runtime }: ThingscaleOptions,
  applicationId: EntityId,
  tenantId: EntityId,
  deviceId: string,
): Promise<DeviceRef | 'taken' | 'full' | 'failed'> {
  const { credentials, devices } = registry;
  const find = (): DeviceRef | undefined => credentials.accountDevice?.(applicationId, deviceId);
  const account = credentials.application?.(applicationId)?.username ?? '';
  const readable = deviceId.trim() === '' ? account : deviceId;
  const names = [readable, `${readable} ${account}`, `${readable} ${runtime.crypto.uuid()}`];
  for (let attempt = 0; attempt < MOST_NAMES; attempt++) {
    const name = names[attempt] ?? '';
    if (registry.deviceRefByName(tenantId, name) !== undefined) continue;
    const made = await devices.saveWithCredentials(
      platformCaller(tenantId),
      {
        id: null,
        name,
        label: null,
        type: null,
        deviceProfileId: null,
        deviceData: null,
        additionalInfo: null,
        version: null,
      },
      {
        id: null,
        credentialsType: 'THINGSCALE',
        credentialsId: deviceId,
        credentialsValue: JSON.stringify({ accountId: applicationId }),
        version: null,
      },
    );
    const found = find();
    if (made.ok) return found ?? 'failed';
    if (found !== undefined) return 'taken';
    // Somebody else took the name meanwhile: another one may be free.
    if (registry.deviceRefByName(tenantId, name) === undefined) return refusalOf(made);
  }
  return 'failed';
}

function refusalOf({ code }: PlatformError): 'full' | 'failed' {
  return code === 'storageFull' || code === 'limitExceeded' ? 'full' : 'failed';
}

/** What became of a write that holds its completion; `failed` after 30 s without an answer. */
function stored(scheduler: Runtime['scheduler'], write: (completion: Completion) => void): Promise<WriteOutcome> {
  return new Promise((resolve) => {
    let held = 1;
    let worst: WriteOutcome = 'stored';
    const cancel = scheduler.after(STORE_TIMEOUT_MS, () => resolve('failed'));
    const completion: Completion = {
      hold() {
        held++;
      },
      release(outcome) {
        if (outcome === 'failed' || worst === 'stored') worst = outcome;
        held--;
        if (held > 0) return;
        cancel();
        resolve(worst);
      },
    };
    write(completion);
    completion.release('stored');
  });
}
