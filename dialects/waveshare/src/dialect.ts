import { type CredentialLookup, type DeviceRef, type EntityId, ValueReader } from '@moorage/core';
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
  RoutedCommand,
} from '@moorage/dialect-api';
import { Accounts } from './accounts.ts';
import { connectionGuide } from './connection-guide.ts';
import { authenticate, clientIdOf, identityOf } from './credentials.ts';
import { DEFAULT_MAXIMUM_PACKET, downlinkPayload, packetSize, propertiesOf } from './downlinks.ts';
import { HeldDownlinks } from './held-downlinks.ts';
import { manifest } from './manifest.ts';
import { sampleRoutes } from './sample-resource.ts';
import { type SessionTools, WaveshareSession } from './session.ts';
import { isClientId } from './topics.ts';

/** What the dialect is given; it has no clock and no store of its own. */
export interface WaveshareDialectOptions {
  /** Devices and accounts, also those of other connections. */
  readonly credentials: CredentialLookup;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Whether `/api/sample-test` is there; anybody may write it. Section 4.7 */
  readonly sampleResource: boolean;
}

/** Section 4.6 */
const SPACING_MS = 50;

/** Devices of Waveshare Cloud: plain publish and subscribe, by a Client Identifier alone. */
export class WaveshareDialect implements Dialect {
  readonly manifest = manifest;
  readonly httpRoutes: readonly DeviceHttpRoute[];
  readonly #tools: SessionTools;
  readonly #decoder = new TextDecoder();

  constructor({ credentials, now, sampleResource }: WaveshareDialectOptions) {
    this.httpRoutes = sampleRoutes(sampleResource);
    this.#tools = { reader: new ValueReader(), accounts: new Accounts(credentials), held: new HeldDownlinks(), now };
  }

  recognise(connect: ConnectPacket): 'maybe' | 'no' {
    return isClientId(connect.clientId) ? 'maybe' : 'no';
  }

  authenticate(connect: ConnectPacket, via: ConnectVia, registry: CredentialLookup): Authentication {
    return authenticate(connect, via, registry);
  }

  openSession(principal: Principal, link: DeviceLink): DialectSession {
    const { device } = principal;
    if (device === null) throw new TypeError('a principal of this dialect is a device');
    const { accounts } = this.#tools;
    const named = accounts.byClientId(clientIdOf(principal) ?? link.clientId);
    const own = named?.device.id === device.id ? named : accounts.ofDevice(device);
    return new WaveshareSession(this.#tools, device, own, link);
  }

  /** The account whose space the messages of a device are in; null: it has no topics of this dialect. */
  spaceAccount(device: DeviceRef, registry: CredentialLookup): EntityId | null {
    return new Accounts(registry).ofDevice(device)?.account ?? null;
  }

  oneSession(device: DeviceRef, registry: CredentialLookup): string | null {
    const triple = new Accounts(registry).ofDevice(device);
    return triple === undefined ? null : identityOf(triple);
  }

  /** Section 4.6 */
  routedCommand(
    device: DeviceRef,
    command: DeviceCommand,
    registry: CredentialLookup,
  ): RoutedCommand | 'notSupported' | 'tooLarge' {
    const triple = new Accounts(registry).ofDevice(device);
    if (triple === undefined) return 'notSupported';
    const settings = device.settings.waveshare;
    const decoding = { text: (bytes: Uint8Array): string => this.#decoder.decode(bytes) };
    const properties = propertiesOf(command, settings, this.#tools.reader, decoding);
    if (typeof properties === 'string') return properties;
    const { account, subTopic: topicName } = triple;
    const messages = properties.map((property) => ({ topicName, payload: downlinkPayload(property), qos: 1 as const }));
    const largest = settings?.downlinkMaxPacket ?? DEFAULT_MAXIMUM_PACKET;
    if (messages.some(({ payload }) => packetSize(topicName, payload) > largest)) return 'tooLarge';
    if (settings?.holdLast === true) {
      const now = this.#tools.now();
      for (const [index, { identifier }] of properties.entries()) {
        const payload = messages[index]?.payload;
        if (payload !== undefined) this.#tools.held.remember(device.id, identifier, payload, now);
      }
    }
    return { account, messages, spacingMs: SPACING_MS };
  }

  readonly connectionGuide = connectionGuide;
}
