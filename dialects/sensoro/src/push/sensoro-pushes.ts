import type { ConnectCredential, EntityId, Value } from '@moorage/core';
import { type ApplicationPush, type DeviceUpload, type DialectPushes, encodeText } from '@moorage/dialect-api';
import { type Applications, includesAttributes, type SensoroApplication } from '../applications.ts';
import { DEVICE_ATTRIBUTES, deviceFields, serialOf } from '../device-fields.ts';
import { DIALECT_ID } from '../manifest.ts';
import type { Aes256Cbc } from '../ports.ts';
import type { MessageIds } from './message-id.ts';
import { type Reading, readingsOf } from './readings.ts';
import { encryptData } from './safe-mode.ts';

/** Bytes. sensoro.md, 6 */
const MAXIMUM_PUSH = 65_536;
const RANDOM_BYTES = 16;
const CONTENT_TYPE = 'application/json; charset=utf-8';

export interface PushTools {
  readonly applications: Applications;
  readonly ids: MessageIds;
  readonly cipher: Aes256Cbc;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Hears of what is not pushed: `sensoro_push_too_large`, `sensoro_push_without_key`. */
  readonly count: (event: string, amount: number) => void;
  /** The device, or an attribute of it that applications see, may have changed. */
  readonly deviceTouched: (deviceId: EntityId) => void;
}

/** Envelope of a push; its members in this order. sensoro.md, 4.5 */
interface Envelope {
  readonly appId: string;
  readonly sn: string;
  readonly type: 'text';
  readonly deviceType: string;
  readonly createdTime: number;
  readonly msgId: string;
}

/**
 * What devices of any dialect send, in the vendor's words. MQTT payload and webhook body are the same bytes, and equal to
 * `JSON.stringify(JSON.parse(bytes))`: receivers sign what they serialised again.
 */
export class SensoroPushes implements DialectPushes {
  readonly deviceAttributes = DEVICE_ATTRIBUTES;
  readonly #tools: PushTools;

  constructor(tools: PushTools) {
    this.#tools = tools;
  }

  includes(credential: ConnectCredential, deviceId: EntityId, attributes: ReadonlyMap<string, Value>): boolean {
    const application = this.#tools.applications.of(credential);
    return application !== undefined && includesAttributes(application, deviceId, attributes);
  }

  encode(credential: ConnectCredential, { device, attributes, points }: DeviceUpload): readonly ApplicationPush[] {
    const { applications, ids, count } = this.#tools;
    const application = applications.of(credential);
    if (application === undefined) return [];
    const fields = deviceFields(attributes);
    const sn = serialOf(device.id, fields);
    const pushes: ApplicationPush[] = [];
    for (const [createdTime, data] of readingsOf(points, fields.names)) {
      const { appId, topicNames, mqttQos } = application;
      const { deviceType } = fields;
      const msgId = ids.next();
      const envelope: Envelope = { appId, sn, type: 'text', deviceType, createdTime, msgId };
      const text = this.#textOf(application, envelope, data);
      if (text === null) continue;
      const payload = encodeText(text);
      if (payload.length > MAXIMUM_PUSH) {
        count('sensoro_push_too_large', 1);
        continue;
      }
      pushes.push({ topicNames, payload, qos: mqttQos, webhook: webhookOf(application, envelope, payload) });
    }
    return pushes;
  }

  deviceTouched(deviceId: EntityId): void {
    this.#tools.deviceTouched(deviceId);
  }

  /** null: safe mode without a key that can be used. */
  #textOf(application: SensoroApplication, envelope: Envelope, data: Reading): string | null {
    if (!application.safeMode) return JSON.stringify({ ...envelope, data });
    const { cipher, randomBytes, count } = this.#tools;
    const { key, appId } = application;
    if (key === null) {
      count('sensoro_push_without_key', 1);
      return null;
    }
    const encrypted = encryptData(cipher, key, appId, JSON.stringify(data), randomBytes(RANDOM_BYTES));
    return JSON.stringify({ ...envelope, encryptData: encrypted });
  }
}

function webhookOf(
  { webhookUrl, id, tenantId }: SensoroApplication,
  { msgId, sn }: Envelope,
  body: Uint8Array,
): ApplicationPush['webhook'] {
  if (webhookUrl === null) return null;
  return {
    kind: DIALECT_ID,
    targetId: id,
    tenantId,
    eventId: msgId,
    orderKey: sn,
    url: webhookUrl,
    contentType: CONTENT_TYPE,
    body,
  };
}
