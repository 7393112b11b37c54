import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import type { ConnectCredential, CredentialLookup, DeviceRef, EntityId, Value } from '@moorage/core';
import { DEFAULT_PROFILE_SETTINGS, ValueKind } from '@moorage/core';
import { credentialLookup } from '@moorage/testkit';
import { SensoroDialect, type SensoroDialectOptions } from '../dialect.ts';
import examples from '../fixtures/examples.json' with { type: 'json' };
import type { SensoroPlatform } from '../ports.ts';
import { FakePlatform } from './fake-platform.ts';

export { examples };

export const TENANT = '5a8a8d3e-0000-4000-8000-0000000000aa';
export const APPLICATION = '5a8a8d3e-0000-4000-8000-0000000000bb';
/** 2026-01-01T00:00:00Z */
export const NEW_YEAR = 1_767_225_600_000;

export const hmacSha256Base64 = (key: string, text: string | Uint8Array): string =>
  createHmac('sha256', key).update(text).digest('base64');

export function aes256Cbc(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

export const normaliseUrl = (url: string): string | null => (URL.canParse(url) ? new URL(url).href : null);

/** What is stored of an application, as far as a test wants it otherwise than in the examples. */
export interface ApplicationFields {
  readonly id?: EntityId;
  readonly appId?: string;
  readonly enabled?: boolean;
  readonly configuration?: {
    readonly [key: string]: Value['value'] | null | readonly string[] | { readonly tag: string };
  };
  readonly secrets?: Readonly<Record<string, string>>;
}

export function application(fields: ApplicationFields = {}): ConnectCredential {
  const { id = APPLICATION, appId = examples.appId, enabled = true, configuration = {}, secrets = {} } = fields;
  const values: Readonly<Record<string, string>> = {
    appId,
    appKey: examples.appKey,
    appSecret: examples.appSecret,
    ...secrets,
  };
  return {
    credentialsType: 'APPLICATION',
    device: null,
    application: {
      id,
      tenantId: TENANT,
      name: `application ${appId}`,
      enabled,
      configuration: JSON.parse(JSON.stringify(configuration)),
    },
    username: appId,
    clientId: null,
    password: values.appSecret ?? null,
    secret: (member) => values[member] ?? null,
  };
}

/** Applications by AppID and id. */
export function lookupOf(...credentials: readonly ConnectCredential[]): CredentialLookup {
  const holders = credentials.map((one) => [one.username ?? '', { dialect: 'sensoro', credentials: [one] }] as const);
  return {
    ...credentialLookup(Object.fromEntries(holders)),
    application: (id) => credentials.find((one) => one.application?.id === id),
    applications: () => credentials,
  };
}

export function device(number: number, fields: Partial<DeviceRef> = {}): DeviceRef {
  return {
    id: `5a8a8d3e-0000-4000-8000-${number.toString(16).padStart(12, '0')}`,
    tenantId: TENANT,
    name: `device ${number}`,
    profileId: 'profile',
    gateway: false,
    settings: DEFAULT_PROFILE_SETTINGS,
    ...fields,
  };
}

/** Server attributes. */
export function texts(values: Readonly<Record<string, string>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(values).map(([key, value]) => [key, { kind: ValueKind.String, value }]));
}

export interface TestDialect {
  readonly dialect: SensoroDialect;
  readonly platform: FakePlatform;
  readonly counted: string[];
  readonly faults: unknown[];
  now: number;
}

/** A dialect whose clock stands still. */
export function openDialect(
  options: Partial<SensoroDialectOptions> = {},
  platform: FakePlatform = new FakePlatform(),
): TestDialect {
  const test = { platform, counted: [] as string[], faults: [] as unknown[], now: NEW_YEAR };
  const asPlatform: SensoroPlatform = platform;
  const dialect = new SensoroDialect({
    now: () => test.now,
    hmacSha256Base64,
    aes256Cbc,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    platform: asPlatform,
    normaliseUrl,
    publicNames: [],
    nonceWindowMs: 900_000,
    trustedProxy: () => false,
    connectionsOf: () => 0,
    count: (event, amount) => void test.counted.push(`${event} ${amount}`),
    fault: (error) => void test.faults.push(error),
    ...options,
  });
  return Object.assign(test, { dialect });
}
