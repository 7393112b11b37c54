import {
  type DeviceRef,
  VALUE_FAULT_TEXTS,
  type ValueFault,
  type ValueReader,
  type ValueReadOptions,
} from '@moorage/core';
import type { DeviceLink, DialectMessage, Disposition } from '@moorage/dialect-api';
import { badPayload, droppedPayload } from './codes.ts';
import { readOptions } from './payloads.ts';

/** A payload that cannot be read, in plain English for the connection log. */
export interface Problem {
  readonly problem: string;
}

/** Tells a problem from what was read. */
export function isProblem<T>(read: T | Problem): read is Problem {
  return typeof read === 'object' && read !== null && Object.hasOwn(read, 'problem');
}

/** What reading the payloads of a connection needs; made anew when its device changes. */
export interface PayloadContext {
  readonly reader: ValueReader;
  readonly link: DeviceLink;
  readonly device: DeviceRef;
  readonly options: ValueReadOptions;
}

export function payloadContext(reader: ValueReader, link: DeviceLink, device: DeviceRef): PayloadContext {
  return { reader, link, device, options: readOptions(device.settings.castStrings) };
}

/** The answer to a payload that cannot be read. Section 1.9 */
export function unreadable(context: PayloadContext, message: DialectMessage, reason: string): Disposition {
  return badPayload(context.link.level, message.qos, context.device.settings.sendAckOnValidationException, reason);
}

/** The same for values; a bad key is dropped instead. Section 2.2 */
export function faulty(context: PayloadContext, message: DialectMessage, fault: ValueFault): Disposition {
  const reason = VALUE_FAULT_TEXTS[fault];
  return fault === 'invalidKey' ? droppedPayload(reason) : unreadable(context, message, reason);
}
