import type { AttributesIntent, DeviceRef, Intent, PointList, TelemetryIntent, ValueReader } from '@moorage/core';
import {
  type DeviceLink,
  type DialectMessage,
  type DialectSession,
  type Disposition,
  type OutboundMessage,
  type QoS,
  ReasonCode,
  ROUTE,
  type SubscriptionDecision,
  type SubscriptionOptions,
  topicMatches,
} from '@moorage/dialect-api';
import type { AccountSpace, Accounts, DeviceTriple } from './accounts.ts';
import { publishNotAllowed } from './codes.ts';
import { definitionsOf, outOfDefinition } from './definitions.ts';
import { DEFAULT_MAXIMUM_PACKET, packetSize } from './downlinks.ts';
import type { HeldDownlinks } from './held-downlinks.ts';
import { decodeUplink } from './payloads.ts';
import { isDollarTopic, isFreeTopic, plainFilter, subTopicOwner } from './topics.ts';
import { UplinkMarks } from './uplink-marks.ts';

/** What all sessions of the dialect share. */
export interface SessionTools {
  readonly reader: ValueReader;
  readonly accounts: Accounts;
  readonly held: HeldDownlinks;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const NOT_AUTHORIZED: SubscriptionDecision = { reasonCode: ReasonCode.NotAuthorized, enter: [] };
const NO_MESSAGES: readonly OutboundMessage[] = [];

/** Where a message may go: into the own space, into that of another account, or nowhere. */
type Way = 'own' | AccountSpace | null;

/** One connection of one device: everything is routed in the space of its account. Section 4.4 */
export class WaveshareSession implements DialectSession {
  /** A Will on the Pub topic is as good as any other message there. */
  readonly willIsMessage = true;
  readonly #tools: SessionTools;
  readonly #link: DeviceLink;
  /** undefined: the registry knows no topics of this device, so it has free ones alone. */
  readonly #own: DeviceTriple | undefined;
  #device: DeviceRef;
  #marks: UplinkMarks | null = null;
  /** QoS of a subscription to the own Sub topic that has just been made. */
  #listening: QoS | null = null;

  constructor(tools: SessionTools, device: DeviceRef, own: DeviceTriple | undefined, link: DeviceLink) {
    this.#tools = tools;
    this.#device = device;
    this.#own = own;
    this.#link = link;
  }

  deviceChanged(device: DeviceRef): void {
    this.#device = device;
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision {
    const filter = plainFilter(topicFilter);
    if (filter === null) return NOT_AUTHORIZED;
    if (!filter.shared && this.#own !== undefined && topicMatches(topicFilter, this.#own.subTopic)) {
      this.#listening = options.qos;
    }
    return { reasonCode: options.qos, enter: [topicFilter] };
  }

  unsubscribe(): null {
    return null;
  }

  /** What the product asks to hold for the device. Section 4.6 */
  afterSubscribe(): readonly OutboundMessage[] {
    const granted = this.#listening;
    this.#listening = null;
    const { settings, id } = this.#device;
    if (granted === null || this.#own === undefined || settings.waveshare?.holdLast !== true) return NO_MESSAGES;
    const { subTopic: topicName } = this.#own;
    const qos = granted === 0 ? 0 : 1;
    return this.#tools.held.of(id, this.#tools.now()).map((payload) => ({ topicName, payload, qos }));
  }

  publish(message: DialectMessage): Disposition {
    const { topicName } = message;
    const own = this.#own;
    if (own !== undefined && topicName === own.pubTopic) return this.#uplink(message, own);
    if (isFreeTopic(topicName)) return ROUTE;
    const target = this.#targetOf(topicName);
    const way = target === null ? null : this.#wayTo(target);
    if (target === null || way === null) return publishNotAllowed(topicName);
    const intents = [this.#downlinkOf(target)];
    if (way === 'own') return { ...ROUTE, intents };
    const { payload, qos, retain } = message;
    const copies = [{ ...way, topicName, payload, qos, retain }];
    return { route: false, copies, intents, refuse: null, close: null };
  }

  /** Section 4.6: an event of the device whose Sub topic it is, with who sent it. */
  #downlinkOf({ device }: DeviceTriple): Intent {
    const detail = `A message from ${this.#own?.clientId ?? this.#link.clientId}.`;
    return { kind: 'deviceEvent', deviceId: device.id, type: 'downlink', detail };
  }

  /** Section 4.5: to the subscribers as it is, and to the platform by its meaning. */
  #uplink({ topicName, payload, qos, receivedAt }: DialectMessage, own: DeviceTriple): Disposition {
    const points = decodeUplink(this.#tools.reader, payload, this.#link, receivedAt);
    const intents = this.#intents(points, payload, receivedAt);
    const disposition = { route: true, intents, refuse: null, close: null };
    const readers = this.#tools.accounts.readersOf(own);
    if (readers.length === 0) return disposition;
    // Never retained there: a share shows what is sent while it holds.
    const copies = readers.map((space) => ({ ...space, topicName, payload, qos, retain: false }));
    return { ...disposition, copies };
  }

  #intents(
    points: PointList,
    payload: Uint8Array,
    receivedAt: number,
  ): readonly (TelemetryIntent | AttributesIntent)[] {
    const intents: (TelemetryIntent | AttributesIntent)[] = [];
    const contradicting = outOfDefinition(definitionsOf(this.#device.settings.waveshare), points);
    this.#marks ??= new UplinkMarks();
    const marks = this.#marks.mark(payload, this.#link, contradicting, receivedAt);
    if (points.length > 0) intents.push({ kind: 'telemetry', points });
    if (marks !== null) intents.push(marks);
    return intents;
  }

  #wayOf(topicName: string): Way {
    if (isFreeTopic(topicName)) return 'own';
    const target = this.#targetOf(topicName);
    return target === null ? null : this.#wayTo(target);
  }

  /** The device whose Sub topic this is; null: numbers that do not match are nobody's topic. Section 4.4 */
  #targetOf(topicName: string): DeviceTriple | null {
    const clientId = subTopicOwner(topicName);
    const target = clientId === null ? undefined : this.#tools.accounts.byClientId(clientId);
    return target?.subTopic === topicName ? target : null;
  }

  #wayTo(target: DeviceTriple): Way {
    const own = this.#own;
    if (own === undefined) return null;
    const { tenantId } = target.device;
    if (tenantId === own.device.tenantId && target.account === own.account) return 'own';
    return this.#tools.accounts.mayWrite(target, own.account) ? { tenantId, account: target.account } : null;
  }

  /** Commands are routed, so a connection is never asked. */
  command(): 'notSupported' {
    return 'notSupported';
  }

  mayReceive(topicName: string): boolean {
    return !isDollarTopic(topicName);
  }

  /** Section 4.4: Sub topics of the own account, never a Pub topic; and what the firmware can take. Section 4.6 */
  maySend(topicName: string, payload: Uint8Array): 'yes' | 'no' | 'tooLarge' {
    const own = this.#own;
    if (own === undefined || topicName === own.pubTopic || this.#wayOf(topicName) !== 'own') return 'no';
    const largest = this.#device.settings.waveshare?.downlinkMaxPacket ?? DEFAULT_MAXIMUM_PACKET;
    return topicName === own.subTopic && packetSize(topicName, payload) > largest ? 'tooLarge' : 'yes';
  }

  mayPublishWill(topicName: string): boolean {
    return topicName === this.#own?.pubTopic || this.#wayOf(topicName) !== null;
  }
}
