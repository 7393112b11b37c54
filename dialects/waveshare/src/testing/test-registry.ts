import type { ApplicationRef, ConnectCredential, CredentialLookup, DeviceRef, NameHolder } from '@moorage/core';
import { credentialLookup, deviceRef } from '@moorage/testkit';

/** A device of the tests. */
export interface TestDevice {
  readonly device: DeviceRef;
  readonly clientId: string;
  /** `<n1>/<n2>`. */
  readonly numbers: string;
  readonly password?: string;
  readonly accountId?: string;
  readonly enabled?: string;
}

export const TENANT = '5a8a8d3e-0000-4000-8000-0000000000aa';
export const OTHER_TENANT = '5a8a8d3e-0000-4000-8000-0000000000bb';

/** The devices of the worked examples, section 5. */
export const ESP32: TestDevice = {
  device: deviceRef({ id: '5a8a8d3e-0000-4000-8000-000000000001', tenantId: TENANT, name: 'esp32' }),
  clientId: '19ba7e8b',
  numbers: '1/37',
};
export const MODEM: TestDevice = {
  device: deviceRef({ id: '5a8a8d3e-0000-4000-8000-000000000002', tenantId: TENANT, name: 'modem' }),
  clientId: '82b52f8b',
  numbers: '1/37',
};
/** A device of another owner. */
export const STRANGER: TestDevice = {
  device: deviceRef({ id: '5a8a8d3e-0000-4000-8000-000000000003', tenantId: OTHER_TENANT, name: 'stranger' }),
  clientId: '9c1b5749',
  numbers: '59/54',
};

export function pubTopic({ numbers, clientId }: TestDevice): string {
  return `Pub/${numbers}/${clientId}`;
}

export function subTopic({ numbers, clientId }: TestDevice): string {
  return `Sub/${numbers}/${clientId}`;
}

export function credentialOf(one: TestDevice): ConnectCredential {
  const members = new Map([
    ['pubTopic', pubTopic(one)],
    ['subTopic', subTopic(one)],
  ]);
  if (one.accountId !== undefined) members.set('accountId', one.accountId);
  if (one.enabled !== undefined) members.set('enabled', one.enabled);
  return {
    credentialsType: 'WAVESHARE',
    device: one.device,
    application: null,
    username: null,
    clientId: one.clientId,
    password: one.password ?? null,
    secret: (member) => members.get(member) ?? null,
  };
}

/** An account: an application of this dialect. */
export function accountOf(fields: Partial<ApplicationRef> & { readonly id: string }): ApplicationRef {
  return { tenantId: TENANT, name: 'account', enabled: true, configuration: {}, ...fields };
}

function applicationCredential(application: ApplicationRef): ConnectCredential {
  const names = { username: null, clientId: null, password: null };
  return { credentialsType: 'APPLICATION', device: null, application, ...names };
}

/** A registry of these devices and accounts; `usernames` are held by other dialects. */
export function testRegistry(
  devices: readonly TestDevice[],
  accounts: readonly ApplicationRef[] = [],
  usernames: Readonly<Record<string, NameHolder>> = {},
): CredentialLookup {
  const credentials = devices.map(credentialOf);
  const clientIds = credentials.map((one) => [one.clientId, { dialect: 'waveshare', credentials: [one] }] as const);
  const applications = accounts.map(applicationCredential);
  return {
    ...credentialLookup(usernames, Object.fromEntries(clientIds)),
    ofDevice: (id) => credentials.find(({ device }) => device?.id === id),
    application: (id) => applications.find(({ application }) => application?.id === id),
    applications: (dialect, tenantId) =>
      dialect === 'waveshare'
        ? applications.filter(({ application }) => tenantId === undefined || application?.tenantId === tenantId)
        : [],
  };
}
