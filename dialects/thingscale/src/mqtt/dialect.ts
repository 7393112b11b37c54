import type {
  Completion,
  ConnectCredential,
  CredentialLookup,
  DeviceRef,
  DialectWork,
  EntityId,
  WriteOutcome,
} from '@moorage/core';
import type {
  Authentication,
  ConnectPacket,
  ConnectVia,
  DeviceCommand,
  DeviceHttpRoute,
  DeviceLink,
  Dialect,
  DialectSession,
  Principal,
} from '@moorage/dialect-api';
import type { AccountData } from '../data/account-data.ts';
import type { Accounts } from '../data/accounts.ts';
import { thingscaleHttpRoutes } from '../http/routes.ts';
import type { AccountSession, ThingscaleServer } from '../ports.ts';
import { AccountTokens } from './account-tokens.ts';
import { type AccountWork, carryOut, isAccountWork } from './account-work.ts';
import { badCredentials } from './codes.ts';
import { accountOf, commandSender, routedCommand } from './commands.ts';
import { connectionGuide } from './connection-guide.ts';
import { generateClientId, isThingscaleId, refusalOf } from './credentials.ts';
import { DIALECT_ID, manifest } from './manifest.ts';
import { POLICY } from './policy.ts';
import { ThingscaleSession } from './session.ts';
import { pretendToCheck } from './tokens.ts';
import { WaitingWork } from './waiting-work.ts';

export interface ThingscaleDialectOptions {
  readonly server: ThingscaleServer;
  readonly accounts: Accounts;
  /** Random bytes for Client Identifiers made by the server. */
  readonly randomBytes: (length: number) => Uint8Array;
}

export type ConnectionSettings = Pick<AccountSession, 'cleanStart' | 'keepAlive'>;

/** Devices and programs written for ThingScale: an account connects and speaks for its devices. */
export class ThingscaleDialect implements Dialect {
  readonly manifest = manifest;
  readonly httpRoutes: readonly DeviceHttpRoute[];
  readonly #server: ThingscaleServer;
  readonly #accounts: Accounts;
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #settings = new WeakMap<Principal, ConnectionSettings>();
  readonly #waiting = new WaitingWork();

  constructor({ server, accounts, randomBytes }: ThingscaleDialectOptions) {
    this.#server = server;
    this.#accounts = accounts;
    this.#randomBytes = randomBytes;
    this.httpRoutes = thingscaleHttpRoutes(accounts, server, commandSender(server));
  }

  recognise(connect: ConnectPacket): 'maybe' | 'no' {
    return isThingscaleId(connect.username) ? 'maybe' : 'no';
  }

  authenticate(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Authentication {
    const holder = connect.username ? registry.byUsername(connect.username) : undefined;
    const credential = holder?.dialect === DIALECT_ID ? holder.credentials[0] : undefined;
    const application = credential?.application;
    if (credential === undefined || !application) {
      pretendToCheck(connect.password);
      const reason = 'No ThingScale account has this user name.';
      // A pinned listener asks nobody else. recognition.md, R1
      return via.pinnedDialect === DIALECT_ID ? badCredentials(reason) : { outcome: 'notMine', reason };
    }
    const refusal = refusalOf(connect, credential, this.#server.now());
    if (refusal !== null) return refusal;
    const assignedClientId = connect.clientId === '' ? generateClientId(this.#randomBytes) : null;
    const principal: Principal = {
      dialect: DIALECT_ID,
      tenantId: application.tenantId,
      device: null,
      application,
      identity: `${application.id}/${assignedClientId ?? connect.clientId}`,
      assignedClientId,
      account: application.id,
      policy: POLICY,
    };
    const { cleanStart, keepAlive } = connect;
    this.#settings.set(principal, { cleanStart, keepAlive });
    return { outcome: 'accepted', principal };
  }

  openSession(principal: Principal, link: DeviceLink): DialectSession {
    const accountId: EntityId = principal.account ?? '';
    const tokens = new AccountTokens(this.#server.credentials, accountId, () => this.#server.now());
    return new ThingscaleSession(tokens, link, (message) => this.#accounts.refuse(accountId, message));
  }

  work(principal: Principal, work: DialectWork, completion: Completion): void {
    completion.hold();
    const applicationId = principal.application?.id ?? '';
    const credential = this.#server.credentials.application?.(applicationId);
    if (credential === undefined || !isAccountWork(work)) {
      // The account was deleted while the message was on its way.
      completion.release('failed');
      return;
    }
    const done = this.#waiting.take(applicationId, work.payloadBytes);
    if (done === null) {
      this.#server.notTaken?.(applicationId);
      completion.release('failed');
      return;
    }
    const release = (outcome: WriteOutcome): void => {
      done();
      completion.release(outcome);
    };
    const data = this.#accounts.loaded(applicationId);
    if (data !== undefined && !this.#accounts.isBusy(principal)) this.#begin(data, work, release);
    // Only beginning is done in order: what follows waits for its own device, not for durability.
    else this.#accounts.inOrder(principal, null, () => this.#beginWhenLoaded(credential, work, release));
  }

  async #beginWhenLoaded(
    credential: ConnectCredential,
    work: AccountWork,
    release: (outcome: WriteOutcome) => void,
  ): Promise<'stored' | 'failed'> {
    try {
      this.#begin(await this.#accounts.of(credential), work, release);
    } catch (error) {
      this.#failed(error, release);
      return 'failed';
    }
    return 'stored';
  }

  #begin(data: AccountData, work: AccountWork, release: (outcome: WriteOutcome) => void): void {
    carryOut(data, work, this.#server.now()).then(release, (error: unknown) => this.#failed(error, release));
  }

  #failed(error: unknown, release: (outcome: WriteOutcome) => void): void {
    this.#server.report(error);
    release('failed');
  }

  routedCommand(device: DeviceRef, command: DeviceCommand, registry: CredentialLookup) {
    return routedCommand(device, command, registry);
  }

  spaceAccount(device: DeviceRef, registry: CredentialLookup): string | null {
    return accountOf(device, registry);
  }

  /** What the CONNECT of a live connection asked for, for the vendor's list of sessions. thingscale.md, 2.4 */
  settingsOf(principal: Principal): ConnectionSettings {
    return this.#settings.get(principal) ?? { cleanStart: true, keepAlive: 0 };
  }

  readonly connectionGuide = (...[device, credentials, endpoint]: Parameters<Dialect['connectionGuide']>) =>
    connectionGuide(this.#server.credentials, device, credentials, endpoint);
}
