import type { PayloadSource } from '@moorage/dialect-api';

/** A message for the device before its QoS is known. */
export interface Answer {
  readonly topicName: string;
  readonly payload: PayloadSource;
}
