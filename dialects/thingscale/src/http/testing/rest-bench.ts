import type { ConnectCredential } from '@moorage/core';
import type { DeviceHttpRoute } from '@moorage/dialect-api';
import { connectCredential, credentialLookup, deviceRef, FakeTime } from '@moorage/testkit';
import type { AccountSession } from '../../ports.ts';
import { thingscaleHttpRoutes } from '../routes.ts';
import { FakeAccount } from './fake-account.ts';
import { API_TOKEN, DEVICE_TOKEN, RestClient } from './rest-client.ts';

export { API_TOKEN, DEVICE_TOKEN };
/** 2026-01-05 10:00:03 in Tokyo. */
export const NOW = Date.UTC(2026, 0, 5, 1, 0, 3);

const TENANT = '00000000-0000-4000-8000-00000000000a';

function account(id: string, userId: string, enabled: boolean, deviceToken: string, apiToken: string) {
  const application = { id, tenantId: TENANT, name: userId, enabled, configuration: {} };
  return connectCredential({ application, username: userId }, { userId, deviceToken, apiToken });
}

/** The routes of two accounts, one of them disabled, on accounts in memory. */
export class RestBench extends RestClient {
  readonly time = new FakeTime(NOW);
  readonly account: FakeAccount;
  readonly sent: { readonly name: string; readonly payload: string; readonly qos: 0 | 1 }[] = [];
  sending: { readonly receivers: number } | 'full' | 'failed' = { receivers: 1 };
  sessions: readonly AccountSession[] = [];
  readonly routes: readonly DeviceHttpRoute[];
  readonly credentials;

  constructor() {
    super();
    const known = account('account-1', 'U000123', true, DEVICE_TOKEN, API_TOKEN);
    const disabled = account('account-2', 'U000124', false, 'A'.repeat(32), 'B'.repeat(32));
    this.account = new FakeAccount(known, () => this.time.now());
    const devices = { dev01: deviceRef({ name: 'dev01' }), dev02: deviceRef({ name: 'dev02' }) };
    const credentials = credentialLookup(
      {},
      {},
      {},
      { applications: { thingscale: [known, disabled] }, devices: { 'account-1': devices } },
    );
    this.credentials = credentials;
    this.routes = thingscaleHttpRoutes(
      { of: (credential) => this.#accountOf(credential) },
      {
        now: () => this.time.now(),
        monotonic: () => this.time.monotonic(),
        credentials,
        sessions: () => this.sessions,
      },
      async (_application, { name }, payload, qos) => {
        if (typeof this.sending === 'object') this.sent.push({ name, payload: Buffer.from(payload).toString(), qos });
        return this.sending;
      },
    );
  }

  async #accountOf(credential: ConnectCredential): Promise<FakeAccount> {
    if (credential !== this.account.application) throw new TypeError('another account');
    return this.account;
  }
}
