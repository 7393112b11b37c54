import type { JsonObject } from './entities.ts';

/** Payloads in Protocol Buffers, by schemas of the profile's owner. thingsboard-device.md, 2.1 */
export interface ProtobufSettings {
  /** Texts in proto3; null: the platform's own schema. */
  readonly telemetrySchema: string | null;
  readonly attributesSchema: string | null;
  readonly rpcRequestSchema: string | null;
  readonly rpcResponseSchema: string | null;
  /** JSON is accepted as well. */
  readonly acceptJson: boolean;
  /** What the server sends on `v1/...` topics stays JSON. */
  readonly jsonDownlinks: boolean;
}

export type LinkTopicPermission = 'PUB' | 'SUB' | 'ALL';

/** A topic below `/{productKey}/{deviceName}/`, and what a device may do with it. alibaba-link.md, 2.1 */
export interface LinkTopicClass {
  readonly topic: string;
  readonly permission: LinkTopicPermission;
}

/** A profile that is a product of Alibaba's. api-additions.md, 1 */
export interface AlibabaSettings {
  /** Unique on the server. */
  readonly productKey: string;
  readonly productSecret: string | null;
  readonly dynamicRegistration: boolean;
  /** Devices that know the product's secret are made when they ask; absent: they are not. alibaba-link.md, 1.7 */
  readonly registrationFree?: boolean;
  readonly topicClasses: readonly LinkTopicClass[];
  /** As the vendor exports it. */
  readonly thingModel: JsonObject | null;
}

export type WaveshareAttributeType = 'int' | 'float' | 'bool' | 'string' | 'enum' | 'json';

/** An attribute of a Waveshare product. waveshare.md, 4.2 */
export interface WaveshareAttribute {
  readonly identifier: string;
  readonly name: string | null;
  readonly type: WaveshareAttributeType;
  readonly unit: string | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly step: number | null;
  /** Of type `enum`. */
  readonly values: readonly (string | number)[] | null;
  readonly access: 'r' | 'rw';
}

/** A profile that is a product of Waveshare Cloud. api-additions.md, 1 */
export interface WaveshareSettings {
  /** The product number, a digit string. */
  readonly n2: string;
  readonly attributes: readonly WaveshareAttribute[];
  /** Bytes of a whole PUBLISH packet that the firmware can take; 256 unless the profile says more. waveshare.md, 4.6 */
  readonly downlinkMaxPacket: number;
  /** Keep the last downlink of each identifier for 24 h and send it when the device subscribes. */
  readonly holdLast: boolean;
}

/** What a device profile means for a live connection; derived once from its `profileData`. */
export interface ProfileSettings {
  /** Strings that read as numbers are stored as numbers. thingsboard-device.md, 2.3 */
  readonly castStrings: boolean;
  /** Acknowledge a malformed payload of a 3.x device instead of closing it. thingsboard-device.md, 1.9 */
  readonly sendAckOnValidationException: boolean;
  /** Topics of the ThingsBoard dialect; null: the default. */
  readonly telemetryTopic: string | null;
  readonly attributesTopic: string | null;
  readonly attributesSubscribeTopic: string | null;
  readonly transportType: string;
  /** null: JSON. */
  readonly protobuf: ProtobufSettings | null;
  /** Absent: not a product of that vendor. */
  readonly alibaba?: AlibabaSettings;
  readonly waveshare?: WaveshareSettings;
}

export const DEFAULT_PROFILE_SETTINGS: ProfileSettings = {
  castStrings: true,
  sendAckOnValidationException: false,
  telemetryTopic: null,
  attributesTopic: null,
  attributesSubscribeTopic: null,
  transportType: 'DEFAULT',
  protobuf: null,
};
