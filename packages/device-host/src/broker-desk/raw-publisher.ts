import type { DeliveryResult } from '@moorage/core';
import { type DialectSession, isTopicName, type Principal, type QoS, type SessionPolicy } from '@moorage/dialect-api';
import { Stake } from '../desk/stake.ts';
import type { DeviceConnection } from '../device-connection.ts';
import { behindDialect, spaceKey } from '../feed/live-feed.ts';
import type { BrokerDeskOptions, DeskDevice, DeskLimits } from './desk-options.ts';
import type { SessionTargets } from './session-targets.ts';

/** A message that an operator sends as it stands. */
export interface RawMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
}

/** What became of it. */
export type RawOutcome =
  /** Pushed; `waiting`: not acknowledged within ten seconds. */
  | { readonly kind: 'pushed'; readonly qos: QoS; readonly result: 'written' | 'acknowledged' | 'waiting' }
  /** Published in the space of the device, to so many Sessions. */
  | { readonly kind: 'published'; readonly qos: QoS; readonly sessions: number }
  | {
      readonly kind: 'refused';
      readonly reason: 'badMessage' | 'tooLarge' | 'notConnected' | 'full' | 'failed';
      readonly message: string;
    };

type Refused = Extract<RawOutcome, { readonly kind: 'refused' }>;

/** Where the device's messages are routed, and what it may be sent there. */
interface Place {
  readonly space: string;
  /** Why nothing is retained; null: it may be. */
  readonly notRetained: string | null;
  readonly session: Pick<DialectSession, 'mayReceive' | 'maySend'>;
}

const PUSH_MS = 10_000;
const TOPIC_BYTES = 4_096;
const PLAIN = 'plain';

/** Of a principal that is asked for its rights only. */
const NO_CONNECTION: SessionPolicy = {
  maximumGrantedQoS: 0,
  persistence: 'never',
  maximumSessionExpiryInterval: 0,
  will: 'honoured',
  retained: 'honoured',
  maximumPacketSize: 0,
  receiveMaximum: 0,
  topicAliasMaximum: 0,
  maximumSubscriptions: 0,
  queue: { messages: 0, bytes: 0, ageMs: 0 },
  serverKeepAlive: null,
};

/**
 * Sends a raw message to a device by the rules of its dialect: where topics are routed, into the device's space, under a
 * name that the device may receive; where they are not, to its connection, whether it subscribed or not.
 */
export class RawPublisher {
  readonly #options: BrokerDeskOptions;
  readonly #limits: DeskLimits;
  readonly #targets: SessionTargets;

  constructor(options: BrokerDeskOptions, limits: DeskLimits, targets: SessionTargets) {
    this.#options = options;
    this.#limits = limits;
    this.#targets = targets;
  }

  async publish(device: DeskDevice, message: RawMessage): Promise<RawOutcome> {
    const fault = this.#faultOf(message);
    if (fault !== null) return refused('badMessage', fault);
    // The newest connection, as for commands.
    const connection = this.#options.connectionsOf(device.id).at(-1) ?? null;
    if (connection !== null && connection.principal.account === null) return this.#push(connection, message);
    const place = connection === null ? await this.#placeOfAbsent(device) : placeOf(connection);
    if (place === null) return refused('notConnected', notConnected(device));
    return this.#route(place, message);
  }

  #faultOf({ topicName, payload }: RawMessage): string | null {
    if (!isTopicName(topicName) || topicName.length > TOPIC_BYTES) {
      return `The topic must be a Topic Name of at most ${TOPIC_BYTES} characters without wildcards.`;
    }
    if (topicName.startsWith('$')) return 'Topics that begin with $ belong to the server.';
    return payload.length > this.#limits.payloadBytes
      ? `The payload is larger than ${this.#limits.payloadBytes} bytes.`
      : null;
  }

  #push(connection: DeviceConnection, message: RawMessage): RawOutcome | Promise<RawOutcome> {
    const { topicName, payload, retain } = message;
    if (retain) return refused('badMessage', 'Nothing is retained for devices of this kind: messages are pushed.');
    const most = connection.principal.policy.maximumGrantedQoS;
    const qos = message.qos > most ? most : message.qos;
    return new Promise((resolve) => {
      const cancel = this.#options.scheduler.after(PUSH_MS, () => resolve({ kind: 'pushed', qos, result: 'waiting' }));
      connection.push([{ topicName, payload, qos }], (result: DeliveryResult) => {
        cancel();
        resolve(result === 'lost' ? refused('notConnected', LOST) : { kind: 'pushed', qos, result });
      });
    });
  }

  async #route({ space, notRetained, session }: Place, message: RawMessage): Promise<RawOutcome> {
    const { topicName, payload, retain, qos } = message;
    const may = session.maySend?.(topicName, payload) ?? (session.mayReceive(topicName) ? 'yes' : 'no');
    if (may === 'no') return refused('badMessage', `This device may not receive messages under ${topicName}.`);
    if (may === 'tooLarge') return refused('tooLarge', 'The packet would be larger than the device can take.');
    if (retain && notRetained !== null) return refused('badMessage', notRetained);
    const stake = new Stake(this.#options.scheduler);
    stake.hold();
    const sessions = this.#options.broker.publish(space, message, stake);
    stake.release('stored');
    const outcome = await stake.settled();
    if (outcome === 'full') return refused('full', 'The storage is full.');
    if (outcome === 'failed') return refused('failed', 'The storage did not answer.');
    return { kind: 'published', qos, sessions };
  }

  /** A plain device's space is the tenant's; that of others the dialect knows, or a Session that waits for the device. */
  async #placeOfAbsent(device: DeskDevice): Promise<Place | null> {
    const { dialects, deviceRef, credentials, text } = this.#options;
    const ref = deviceRef(device.id);
    const dialect = dialects.find(({ manifest }) => manifest.id === device.dialect);
    if (ref === undefined || dialect === undefined) return null;
    const plain = device.dialect === PLAIN;
    const account = plain ? '' : (dialect.spaceAccount?.(ref, credentials) ?? null);
    const [waiting] = account === null ? await this.#targets.sessionsOf(device.tenantId, { device }) : [];
    const space = account === null ? waiting?.space : spaceKey(device.tenantId, device.dialect, account);
    if (typeof space !== 'string') return null;
    const principal: Principal = {
      dialect: device.dialect,
      tenantId: device.tenantId,
      device: ref,
      application: null,
      identity: waiting === undefined ? null : behindDialect(waiting.sessionKey),
      assignedClientId: null,
      account: behindDialect(space),
      policy: NO_CONNECTION,
    };
    const session = dialect.openSession(principal, { level: 5, clientId: waiting?.clientId ?? '', text });
    const notRetained = plain ? null : 'Nothing is retained for a device of this kind while it is not connected.';
    return { space, notRetained, session };
  }
}

const LOST = 'The device went away before it had taken the message.';

function notConnected({ dialect }: DeskDevice): string {
  return `The device has no MQTT connection of its own, and no Session of the dialect ${dialect} waits for it.`;
}

function refused(reason: Refused['reason'], message: string): Refused {
  return { kind: 'refused', reason, message };
}

function placeOf({ principal, session }: DeviceConnection): Place | null {
  const { tenantId, dialect, account, policy } = principal;
  if (account === null) return null;
  return {
    space: spaceKey(tenantId, dialect, account),
    notRetained: policy.retained === 'honoured' ? null : 'Nothing is retained for devices of this kind.',
    session,
  };
}
