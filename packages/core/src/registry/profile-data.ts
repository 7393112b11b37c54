import { type PlatformError, refuse } from '../errors.ts';
import type { DeviceProfile, Json, JsonObject } from '../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS, type ProfileSettings, type ProtobufSettings } from '../model/profile-settings.ts';
import { ALIBABA_TRANSPORT, deriveAlibabaSettings, sameAlibabaSettings } from './alibaba-transport.ts';
import { deriveWaveshareSettings, sameWaveshareSettings, WAVESHARE_TRANSPORT } from './waveshare-transport.ts';

/** Checks that a text is a well-formed Topic Filter. MQTT 5.0, 4.7 */
export type IsTopicFilter = (text: string) => boolean;

const TRANSPORT_TYPES: readonly string[] = [
  'DEFAULT',
  'MQTT',
  'COAP',
  'LWM2M',
  'SNMP',
  ALIBABA_TRANSPORT,
  WAVESHARE_TRANSPORT,
];
const PROVISION_TYPES: readonly string[] = [
  'DISABLED',
  'ALLOW_CREATE_NEW_DEVICES',
  'CHECK_PRE_PROVISIONED_DEVICES',
  'X509_CERTIFICATE_CHAIN',
];

const TELEMETRY_TOPIC = 'v1/devices/me/telemetry';
const ATTRIBUTES_TOPIC = 'v1/devices/me/attributes';

/** Topics of the MQTT transport with their defaults. thingsboard-server.md, 2.4 */
const MQTT_DEFAULTS: JsonObject = {
  type: 'MQTT',
  deviceTelemetryTopic: TELEMETRY_TOPIC,
  deviceAttributesTopic: ATTRIBUTES_TOPIC,
  deviceAttributesSubscribeTopic: ATTRIBUTES_TOPIC,
  transportPayloadTypeConfiguration: { transportPayloadType: 'JSON' },
  sparkplug: false,
  sendAckOnValidationException: false,
};
const TOPIC_MEMBERS = ['deviceTelemetryTopic', 'deviceAttributesTopic', 'deviceAttributesSubscribeTopic'];

function objectMember(object: JsonObject, member: string): JsonObject | null {
  const value: Json | undefined = Object.hasOwn(object, member) ? object[member] : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** Members of `given` that are not null, over `defaults`. */
function withDefaults(defaults: JsonObject, given: JsonObject | null): JsonObject {
  const members = Object.entries(given ?? {}).filter(([, value]) => value !== null);
  return Object.fromEntries([...Object.entries(defaults), ...members]);
}

/** Fills in what a minimal profile body leaves out. thingsboard-server.md, 2.4 */
export function completeProfileData(
  given: JsonObject | null,
  transportType: string,
  provisionType: string,
): JsonObject {
  const data = given ?? {};
  const transport = objectMember(data, 'transportConfiguration');
  const transportDefaults = transportType === 'MQTT' ? MQTT_DEFAULTS : { type: transportType };
  return Object.fromEntries([
    ...Object.entries(data),
    ['configuration', objectMember(data, 'configuration') ?? { type: 'DEFAULT' }],
    ['transportConfiguration', withDefaults(transportDefaults, transport)],
    [
      'provisionConfiguration',
      objectMember(data, 'provisionConfiguration') ?? { type: provisionType, provisionDeviceSecret: null },
    ],
    ['alarms', data.alarms ?? null],
  ]);
}

/** Refuses types that do not exist and topics that are no Topic Filters; null: the profile is fine. */
export function profileDataProblem(
  transportType: string,
  provisionType: string,
  data: JsonObject,
  isTopicFilter: IsTopicFilter,
): PlatformError | null {
  if (!TRANSPORT_TYPES.includes(transportType)) {
    return refuse('badRequest', `Unknown transport type: ${transportType.slice(0, 64)}!`);
  }
  if (!PROVISION_TYPES.includes(provisionType)) {
    return refuse('badRequest', `Unknown provision type: ${provisionType.slice(0, 64)}!`);
  }
  if (transportType !== 'MQTT') return null;
  const transport = objectMember(data, 'transportConfiguration') ?? {};
  for (const member of TOPIC_MEMBERS) {
    const topic = transport[member];
    if (typeof topic === 'string' && isTopicFilter(topic)) continue;
    return refuse('badRequest', `Validation error: ${member} is not a topic filter`);
  }
  return null;
}

/**
 * What a profile means for live connections. Topics and `sendAckOnValidationException` come from
 * `profileData.transportConfiguration` of an MQTT profile; `profileData.moorage.castStrings`, a member of our own,
 * set to false keeps strings that read as numbers as strings.
 */
export function deriveProfileSettings(profile: Pick<DeviceProfile, 'transportType' | 'profileData'>): ProfileSettings {
  const own = objectMember(profile.profileData, 'moorage');
  const castStrings = own?.castStrings !== false;
  if (profile.transportType !== 'MQTT') {
    const alibaba = deriveAlibabaSettings(profile.profileData);
    const settings = { ...DEFAULT_PROFILE_SETTINGS, castStrings, transportType: profile.transportType };
    const waveshare = deriveWaveshareSettings(profile.profileData);
    return { ...settings, ...(alibaba === null ? {} : { alibaba }), ...(waveshare === null ? {} : { waveshare }) };
  }
  const transport = objectMember(profile.profileData, 'transportConfiguration') ?? {};
  const topic = (member: string, standard: string): string | null => {
    const value = transport[member];
    return typeof value === 'string' && value !== standard ? value : null;
  };
  return {
    castStrings,
    sendAckOnValidationException: transport.sendAckOnValidationException === true,
    telemetryTopic: topic('deviceTelemetryTopic', TELEMETRY_TOPIC),
    attributesTopic: topic('deviceAttributesTopic', ATTRIBUTES_TOPIC),
    attributesSubscribeTopic: topic('deviceAttributesSubscribeTopic', ATTRIBUTES_TOPIC),
    transportType: profile.transportType,
    protobuf: protobufSettings(objectMember(transport, 'transportPayloadTypeConfiguration') ?? {}),
  };
}

/** null: the payloads are JSON. Schemas that are left out or blank are the platform's own. */
function protobufSettings(payload: JsonObject): ProtobufSettings | null {
  if (payload.transportPayloadType !== 'PROTOBUF') return null;
  const schema = (member: string): string | null => {
    const text = payload[member];
    return typeof text === 'string' && text.trim() !== '' ? text : null;
  };
  return {
    telemetrySchema: schema('deviceTelemetryProtoSchema'),
    attributesSchema: schema('deviceAttributesProtoSchema'),
    rpcRequestSchema: schema('deviceRpcRequestProtoSchema'),
    rpcResponseSchema: schema('deviceRpcResponseProtoSchema'),
    acceptJson: payload.enableCompatibilityWithJsonPayloadFormat === true,
    jsonDownlinks: payload.useJsonPayloadFormatForDefaultDownlinkTopics === true,
  };
}

/** True if two profiles mean the same for a connection. */
export function sameSettings(a: ProfileSettings, b: ProfileSettings): boolean {
  return (
    a.castStrings === b.castStrings &&
    a.sendAckOnValidationException === b.sendAckOnValidationException &&
    a.telemetryTopic === b.telemetryTopic &&
    a.attributesTopic === b.attributesTopic &&
    a.attributesSubscribeTopic === b.attributesSubscribeTopic &&
    a.transportType === b.transportType &&
    sameProtobuf(a.protobuf, b.protobuf) &&
    sameAlibabaSettings(a.alibaba ?? null, b.alibaba ?? null) &&
    sameWaveshareSettings(a.waveshare ?? null, b.waveshare ?? null)
  );
}

function sameProtobuf(a: ProtobufSettings | null, b: ProtobufSettings | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.telemetrySchema === b.telemetrySchema &&
    a.attributesSchema === b.attributesSchema &&
    a.rpcRequestSchema === b.rpcRequestSchema &&
    a.rpcResponseSchema === b.rpcResponseSchema &&
    a.acceptJson === b.acceptJson &&
    a.jsonDownlinks === b.jsonDownlinks
  );
}
