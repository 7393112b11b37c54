import type { ApplicationRef } from '@moorage/core';
import {
  type DeviceLink,
  type DialectMessage,
  type DialectSession,
  type Disposition,
  NOTHING,
  perform,
  ReasonCode,
  type SubscriptionDecision,
  type SubscriptionOptions,
} from '@moorage/dialect-api';
import { badUplink, publishNotAllowed } from './codes.ts';
import { isPushFilter, topicNames, uplinkSerial } from './topics.ts';
import { type UplinkReader, UplinkWork } from './uplink.ts';

const NOT_AUTHORIZED: SubscriptionDecision = { reasonCode: ReasonCode.NotAuthorized, enter: [] };

/** One connection of an application: it hears pushes, and may bring readings in where its owner allows it. */
export class SensoroSession implements DialectSession {
  readonly #appId: string;
  readonly #topicNames: readonly string[];
  readonly #mayUplink: boolean;
  readonly #link: DeviceLink;
  readonly #reader: UplinkReader;

  constructor(appId: string, application: ApplicationRef, link: DeviceLink, reader: UplinkReader) {
    this.#appId = appId;
    this.#topicNames = topicNames(appId);
    const { configuration } = application;
    this.#mayUplink = Object.hasOwn(configuration, 'allowUplink') && configuration.allowUplink === true;
    this.#link = link;
    this.#reader = reader;
  }

  subscribe(topicFilter: string, { qos }: SubscriptionOptions): SubscriptionDecision {
    if (!isPushFilter(topicFilter, this.#appId)) return NOT_AUTHORIZED;
    return { reasonCode: qos === 2 ? 1 : qos, enter: [topicFilter] };
  }

  unsubscribe(): null {
    return null;
  }

  publish(message: DialectMessage): Disposition {
    const serial = this.#mayUplink ? uplinkSerial(message.topicName, this.#appId) : null;
    if (serial === null) return publishNotAllowed(message.topicName);
    const points = this.#reader.read(message, this.#link);
    if (typeof points === 'string') return badUplink(points);
    if (points.length === 0) return NOTHING;
    return perform([{ kind: 'dialectWork', work: new UplinkWork(serial, points) }]);
  }

  command(): 'notSupported' {
    return 'notSupported';
  }

  mayReceive(topicName: string): boolean {
    return this.#topicNames.includes(topicName);
  }

  mayPublishWill(): boolean {
    return false;
  }
}
