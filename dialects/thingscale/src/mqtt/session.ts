import type { Intent } from '@moorage/core';
import {
  type DeviceLink,
  type DialectMessage,
  type DialectSession,
  type Disposition,
  ReasonCode,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import type { DropCode, RefusedMessage } from '../data/account-data.ts';
import { readPayload } from '../text/payload.ts';
import type { AccountTokens } from './account-tokens.ts';
import type { AccountWork } from './account-work.ts';
import { TOKEN_MISMATCH } from './codes.ts';
import { TokenFilters } from './subscriptions.ts';
import { maskedTopic, type PublishTopic, parseFilter, parsePublishTopic, splitToken, TOKEN_LEVEL } from './topics.ts';

const NOT_AUTHORIZED: SubscriptionDecision = { reasonCode: ReasonCode.NotAuthorized, enter: [] };
const NOTHING_TO_DO: readonly Intent[] = [];

/** One connection of an account: everything below its token is routed in the account's space, and data are stored. */
export class ThingscaleSession implements DialectSession {
  /** A Will on a data topic is data. */
  readonly willIsMessage = true;
  readonly #tokens: AccountTokens;
  readonly #link: DeviceLink;
  readonly #refuse: (message: RefusedMessage) => void;
  readonly #filters = new TokenFilters();

  constructor(tokens: AccountTokens, link: DeviceLink, refuse: (message: RefusedMessage) => void) {
    this.#tokens = tokens;
    this.#link = link;
    this.#refuse = refuse;
  }

  subscribe(topicFilter: string, options: SubscriptionOptions): SubscriptionDecision {
    const filter = parseFilter(topicFilter);
    if (filter === undefined || !this.#tokens.isValid(filter.token)) return NOT_AUTHORIZED;
    this.#filters.add(topicFilter, filter);
    return { reasonCode: options.qos, enter: [filter.entered] };
  }

  unsubscribe(topicFilter: string): number | null {
    this.#filters.delete(topicFilter);
    return null;
  }

  publish(message: DialectMessage): Disposition {
    const { token, rest } = splitToken(message.topicName);
    if (!this.#tokens.isValid(token)) {
      this.#drop(message, 'TOKEN_MISMATCH');
      return TOKEN_MISMATCH;
    }
    const intents = this.#intents(parsePublishTopic(rest), message);
    return { route: true, routeAs: TOKEN_LEVEL + rest, intents, refuse: null, close: null };
  }

  #intents(topic: PublishTopic, message: DialectMessage): readonly Intent[] {
    if (topic.kind === 'command') return NOTHING_TO_DO;
    if (topic.kind === 'other') return this.#drop(message, topic.code);
    const { payload, receivedAt } = message;
    const mode = topic.kind === 'state' ? 'state' : topic.mode;
    const read = readPayload(mode, payload, this.#link.text(payload));
    if (typeof read === 'string') return this.#drop(message, read);
    const topicName = maskedTopic(message.topicName);
    const origin = { clientId: this.#link.clientId, topicName, payloadBytes: payload.length };
    const { deviceId } = topic;
    const work: AccountWork =
      topic.kind === 'state'
        ? { work: 'state', deviceId, state: Object.fromEntries(read.value), receivedAt, ...origin }
        : {
            work: 'reading',
            reading: {
              deviceId,
              tag: topic.tag,
              ...read,
              receivedAt,
              // The payload is valid during the call only.
              ...(mode === 'binary' ? { bytes: payload.slice() } : {}),
            },
            ...origin,
          };
    return [{ kind: 'dialectWork', work }];
  }

  #drop({ topicName, receivedAt }: DialectMessage, code: DropCode): readonly Intent[] {
    this.#refuse({ at: receivedAt, clientId: this.#link.clientId, topicName: maskedTopic(topicName), code });
    return NOTHING_TO_DO;
  }

  /** Commands are routed in the space of the account. */
  command(): 'notSupported' {
    return 'notSupported';
  }

  mayReceive(topicName: string): boolean {
    return splitToken(topicName).token === TOKEN_LEVEL;
  }

  deliveredAs(topicName: string): string {
    const token = this.#filters.tokenFor(topicName) ?? this.#tokens.current ?? '';
    return token + splitToken(topicName).rest;
  }

  /** Its token is asked about when it is due, as that of any message: a wrong one is no reason not to connect. */
  mayPublishWill(topicName: string): boolean {
    return !topicName.startsWith('$');
  }
}
