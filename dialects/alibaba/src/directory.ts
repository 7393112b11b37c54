import { type CredentialLookup, type DeviceRef, type EntityId, jsonString } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import { credentialOf, parsePair, parseUsername } from './credentials.ts';
import { integerOf, type Members } from './json-text.ts';
import { connectContent, type Hmac, type LinkIdentity, signatureMatches, signMethod } from './signature.ts';

/** Who a sub-device is and what it signed. Section 6 */
export interface SignedIdentity extends LinkIdentity {
  /** Signed as it was sent, bars and all. */
  readonly clientId: string;
  readonly timestamp: string | undefined;
  readonly method: string | undefined;
  readonly sign: string;
}

/** undefined: no such object, or one that names nobody. */
export function readIdentity(members: Members | undefined): LinkIdentity | undefined {
  const productKey = jsonString(members?.get('productKey'));
  const deviceName = jsonString(members?.get('deviceName'));
  return productKey === undefined || deviceName === undefined ? undefined : parsePair(productKey, deviceName);
}

/** The method goes by two names, and the time is a number or a text. */
export function readSignedIdentity(members: Members | undefined): SignedIdentity | undefined {
  const identity = readIdentity(members);
  const clientId = jsonString(members?.get('clientId'));
  const sign = jsonString(members?.get('sign'));
  if (identity === undefined || clientId === undefined || sign === undefined) return undefined;
  const time = members?.get('timestamp');
  const timestamp = time === undefined ? undefined : (jsonString(time) ?? integerOf(time)?.toString());
  const method = jsonString(members?.get('signMethod') ?? members?.get('signmethod'));
  return { ...identity, clientId, timestamp, method, sign };
}

/** The devices of this dialect, by their names. */
export class LinkDirectory {
  readonly #hmac: Hmac;
  /** Of the host, as it came with the last CONNECT; nobody is known before the first one. */
  registry: CredentialLookup | null = null;

  constructor(hmac: Hmac) {
    this.#hmac = hmac;
  }

  device(identity: LinkIdentity): DeviceRef | null {
    return (this.registry && credentialOf(identity, this.registry)?.device) ?? null;
  }

  secretOf(identity: LinkIdentity): string | null {
    return (this.registry && credentialOf(identity, this.registry)?.password) ?? null;
  }

  /** False: its owner has the device refused. */
  isEnabled(identity: LinkIdentity): boolean {
    return (this.registry && credentialOf(identity, this.registry)?.enabled) !== false;
  }

  /** What a device calls itself; undefined: it is none of this dialect's. */
  identityOf(deviceId: EntityId): LinkIdentity | undefined {
    const credential = this.registry?.ofDevice?.(deviceId);
    return credential?.credentialsType === 'ALIBABA' ? parseUsername(credential.username) : undefined;
  }

  isSigned(signed: SignedIdentity): boolean {
    const algorithm = signMethod(signed.method);
    const secret = this.secretOf(signed);
    if (algorithm === undefined || secret === null) return false;
    const content = connectContent(signed, signed.clientId, signed.timestamp);
    return signatureMatches(encodeText(signed.sign), this.#hmac(algorithm, secret, content));
  }
}
