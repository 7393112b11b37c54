import {
  type ClientCertificate,
  type ConnectCredential,
  type CredentialLookup,
  DEFAULT_PROFILE_SETTINGS,
  type DeviceRef,
  type DialectId,
  type EntityId,
  type NameHolder,
  type ProfileSettings,
} from '@moorage/core';
import type {
  ConnectVia,
  DeviceLink,
  DialectMessage,
  Disposition,
  OutboundMessage,
  PayloadSource,
} from '@moorage/dialect-api';
import { type ConnectPacket, PacketType, type ProtocolLevel } from '@moorage/mqtt-codec';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A CONNECT with nothing in it but what is given. */
export function connectPacket(fields: Partial<Omit<ConnectPacket, 'type'>>): ConnectPacket {
  return {
    type: PacketType.Connect,
    level: 4,
    clientId: '',
    cleanStart: true,
    keepAlive: 60,
    will: null,
    username: null,
    password: null,
    properties: null,
    ...fields,
  };
}

/** A plain TCP listener without a pin. */
export function connectVia(fields: Partial<ConnectVia> = {}): ConnectVia {
  return {
    listener: 'test',
    transport: 'tcp',
    pinnedDialect: null,
    serverName: null,
    clientCertificates: null,
    ...fields,
  };
}

/** The connection as a dialect sees it. */
export function deviceLink(level: ProtocolLevel, clientId = 'client'): DeviceLink {
  return {
    level,
    clientId,
    text(payload) {
      try {
        return decoder.decode(payload);
      } catch {
        return undefined;
      }
    },
  };
}

/** A PUBLISH of a device at QoS 1, with text or bytes as payload. */
export function dialectMessage(
  topicName: string,
  payload: string | Uint8Array,
  fields: Partial<DialectMessage> = {},
): DialectMessage {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return {
    topicName,
    payload: bytes,
    qos: 1,
    retain: false,
    properties: null,
    receivedAt: 1_700_000_000_000,
    ...fields,
  };
}

/** A client certificate with this hash that is valid for ever. */
export function clientCertificate(hash: string, fields: Partial<ClientCertificate> = {}): ClientCertificate {
  return { text: `text of ${hash}`, hash, commonName: null, validFrom: 0, validTo: Number.MAX_SAFE_INTEGER, ...fields };
}

/** What a registry knows of certificates, by their hashes; a chain is nobody's unless `deviceOfChain` says otherwise. */
export interface KnownCertificates {
  readonly credentials?: Readonly<Record<string, ConnectCredential>>;
  readonly profiles?: readonly string[];
  readonly deviceOfChain?: CredentialLookup['deviceOfChain'];
}

/** What a registry knows of accounts; read anew at every look-up, so a test may change it in between. */
export interface KnownAccounts {
  readonly applications?: Readonly<Record<DialectId, readonly ConnectCredential[]>>;
  /** By the account, then by the name that the device has in it. */
  readonly devices?: Readonly<Record<EntityId, Readonly<Record<string, DeviceRef>>>>;
  /** Credentials of devices, beside those that are found by their names. */
  readonly credentials?: readonly ConnectCredential[];
  /** Epoch milliseconds, for secrets that are valid for a time only. Default: 0. */
  readonly now?: () => number;
}

/** A credential as a registry gives it: of nobody and without a name unless given, `secrets` in place of a sealed value. */
export function connectCredential(
  fields: Partial<Omit<ConnectCredential, 'secret'>>,
  secrets: Readonly<Record<string, string>> = {},
): ConnectCredential {
  return {
    credentialsType: 'APPLICATION',
    device: null,
    application: null,
    username: null,
    clientId: null,
    password: null,
    ...fields,
    secret: (member) => (Object.hasOwn(secrets, member) ? (secrets[member] ?? null) : null),
  };
}

function hasSecret(credential: ConnectCredential, member: string, value: string, now: number): boolean {
  const previous = `previous${member.charAt(0).toUpperCase()}${member.slice(1)}`;
  const isSame = (name: string) => credential.secret?.(name)?.toUpperCase() === value.toUpperCase();
  return isSame(member) || (isSame(previous) && now < Number(credential.secret?.(`${previous}ValidUntil`) ?? 0));
}

/** A registry in memory: names and their holders, certificates and theirs, accounts and what is in them. */
export function credentialLookup(
  usernames: Readonly<Record<string, NameHolder>>,
  clientIds: Readonly<Record<string, NameHolder>> = {},
  certificates: KnownCertificates = {},
  accounts: KnownAccounts = {},
): CredentialLookup {
  const named = [...Object.values(usernames), ...Object.values(clientIds)];
  const applicationsOf = (dialect: DialectId) => accounts.applications?.[dialect] ?? [];
  const byUsername = new Map(Object.entries(usernames));
  const byClientId = new Map(Object.entries(clientIds));
  const byCertificate = new Map(Object.entries(certificates.credentials ?? {}));
  return {
    byUsername: (username) => byUsername.get(username),
    byClientId: (clientId) => byClientId.get(clientId),
    applications: (dialect, tenantId) =>
      applicationsOf(dialect).filter(({ application }) => tenantId === undefined || application?.tenantId === tenantId),
    application: (id) =>
      Object.values(accounts.applications ?? {})
        .flat()
        .find(({ application }) => application?.id === id),
    applicationBySecret: (dialect, member, value) =>
      applicationsOf(dialect).find((known) => hasSecret(known, member, value, accounts.now?.() ?? 0)),
    accountDevice: (accountId, name) => {
      const devices = accounts.devices?.[accountId] ?? {};
      return Object.hasOwn(devices, name) ? devices[name] : undefined;
    },
    ofDevice: (deviceId) =>
      [...(accounts.credentials ?? []), ...named.flatMap(({ credentials }) => credentials)].find(
        ({ device }) => device?.id === deviceId,
      ),
    byCertificate: (hash) => byCertificate.get(hash),
    hasCertificateProfile: (hash) => certificates.profiles?.includes(hash) ?? false,
    deviceOfChain:
      certificates.deviceOfChain ?? (async () => ({ outcome: 'refused', reason: 'no profile trusts this chain' })),
  };
}

/** The text of a payload that is sent at once. */
export function payloadText(payload: PayloadSource): string {
  if (!(payload instanceof Uint8Array)) throw new TypeError('The payload is read piece by piece.');
  return decoder.decode(payload);
}

/** A device as a connection knows it, with the default profile unless some of its settings are given. */
export function deviceRef(
  fields: Partial<Omit<DeviceRef, 'settings'>> = {},
  settings: Partial<ProfileSettings> = {},
): DeviceRef {
  return {
    id: 'device-id',
    tenantId: 'tenant-id',
    name: 'device',
    profileId: 'profile-id',
    gateway: false,
    ...fields,
    settings: { ...DEFAULT_PROFILE_SETTINGS, ...settings },
  };
}

/** What became of a message in a word or two: `closed 0x99`, `refused 0x90`, `acknowledged`, or the kinds of its intents. */
export function fateOf({ intents, refuse, close }: Disposition): string {
  if (close !== null) return `closed 0x${close.reasonCode.toString(16)}`;
  if (refuse !== null) return `refused 0x${refuse.reasonCode.toString(16)}`;
  return intents.length === 0 ? 'acknowledged' : intents.map(({ kind }) => kind).join(' ');
}

/** Messages as `[topicName, text, qos]`, or why there are none. */
export function sentTexts<T extends string>(
  messages: readonly OutboundMessage[] | T,
): T | (readonly [topicName: string, text: string, qos: number])[] {
  if (typeof messages === 'string') return messages;
  return messages.map(({ topicName, payload, qos }) => [topicName, payloadText(payload), qos] as const);
}
