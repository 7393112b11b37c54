import type { Platform, User } from '@moorage/core';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { createHttpServer } from '../create-http-server.ts';
import type { HealthReport, HttpServer, HttpServerOptions } from '../options.ts';
import { fakeAccounts } from './fake-accounts.ts';
import { fakeApiKeys, fakeAudit, fakeStorage, fakeTenants, fakeWebhooks } from './fake-administration.ts';
import { fakeAlarms } from './fake-alarms.ts';
import { fakeApplications } from './fake-applications.ts';
import { fakeAssets, fakeBulkImport, fakeDashboards, fakeRelations } from './fake-assets.ts';
import { fakeBroker } from './fake-broker.ts';
import { fakeClaims, fakeCustomers, fakeUsers } from './fake-customers.ts';
import { fakeDevices } from './fake-devices.ts';
import { fakeLinks } from './fake-links.ts';
import { fakeEntities, fakeLive } from './fake-live.ts';
import { fakeOta } from './fake-ota.ts';
import { fakeProfiles } from './fake-profiles.ts';
import { fakeRpc } from './fake-rpc.ts';
import { ADMIN_EMAIL, ADMIN_PASSWORD, addUser, type FakeState, newState } from './fake-state.ts';
import { fakeTelemetry } from './fake-telemetry.ts';

export function fakePlatform(state: FakeState): Platform {
  return {
    accounts: fakeAccounts(state),
    devices: fakeDevices(state),
    profiles: fakeProfiles(state),
    applications: fakeApplications(state),
    customers: fakeCustomers(),
    users: fakeUsers(),
    claims: fakeClaims(),
    telemetry: fakeTelemetry(state),
    assetTelemetry: fakeTelemetry({ ...state, devices: new Map() }),
    live: fakeLive(state),
    entities: fakeEntities(state),
    rpc: fakeRpc(),
    ota: fakeOta(),
    alarms: fakeAlarms(),
    apiKeys: fakeApiKeys(),
    audit: fakeAudit(state.audited),
    tenants: fakeTenants(),
    storage: fakeStorage(),
    webhooks: fakeWebhooks(),
    links: fakeLinks(),
    assets: fakeAssets(),
    dashboards: fakeDashboards(),
    relations: fakeRelations(),
    bulkImport: fakeBulkImport(),
    credentials: {
      byUsername: () => undefined,
      byClientId: () => undefined,
      byCertificate: () => undefined,
      hasCertificateProfile: () => false,
      deviceOfChain: async () => ({ outcome: 'refused', reason: 'the certificate is not known' }),
    },
    deviceRef: () => undefined,
    deviceRefByName: () => undefined,
  };
}

type Body = string | object;

/** A server on the fake platform, and an administrator who is logged in. */
export interface TestServer {
  readonly server: HttpServer;
  readonly state: FakeState;
  readonly platform: Platform;
  readonly token: string;
  readonly refreshToken: string;
  /** A call with the administrator's token. */
  call(method: 'GET' | 'POST' | 'DELETE' | 'PUT', url: string, body?: Body): Promise<LightMyRequestResponse>;
  send(request: InjectOptions): Promise<LightMyRequestResponse>;
  login(email: string, password: string): Promise<LightMyRequestResponse>;
  /** Adds a user and gives a token. */
  tokenOf(authority: User['authority']): Promise<string>;
  /** Creates a device and gives its id. */
  device(name?: string): Promise<string>;
}

export async function openTestServer(options: Partial<HttpServerOptions> = {}): Promise<TestServer> {
  const state = newState();
  const platform = fakePlatform(state);
  const health: HealthReport = { ready: true, checks: [{ name: 'store', ok: true, reason: null }] };
  const server = await createHttpServer({
    platform,
    clock: { now: () => state.now, monotonic: () => state.now },
    signingKey: new Uint8Array(64).fill(7),
    issuer: 'test.example.org',
    version: '0.1.0',
    logger: false,
    health: () => health,
    connectionGuide: (device, credentials, host) => ({
      dialect: device.dialect,
      endpoints: [{ protocol: 'mqtt', host, port: 1883 }],
      fields: [{ name: 'User name', value: credentials.credentialsId, secret: true }],
      snippets: [],
    }),
    connections: {
      logOf: (deviceId) => state.connectionLog.filter((entry) => entry.deviceId === deviceId),
      recent: () => state.connectionLog,
      disconnect: (deviceId) => void state.disconnected.push(deviceId),
    },
    broker: fakeBroker().desk,
    ...options,
  });
  const login = (email: string, password: string) =>
    server.inject({ method: 'POST', url: '/api/auth/login', payload: { username: email, password } });
  const { token, refreshToken } = (await login(ADMIN_EMAIL, ADMIN_PASSWORD)).json();
  const call: TestServer['call'] = (method, url, body) =>
    server.inject({
      method,
      url,
      headers: {
        'x-authorization': `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: body }),
    });
  return {
    server,
    state,
    platform,
    token,
    refreshToken,
    call,
    login,
    send: (request) => server.inject(request),
    async tokenOf(authority) {
      const email = `${authority.toLowerCase()}@example.org`;
      addUser(state, email, 'password', authority);
      return (await login(email, 'password')).json().token;
    },
    async device(name = 'T1') {
      return (await call('POST', '/api/device', { name })).json().id.id;
    },
  };
}
