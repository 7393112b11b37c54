import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/entities.ts';
import { DEFAULT_PROFILE_SETTINGS } from '../model/profile-settings.ts';
import { completeProfileData, deriveProfileSettings, profileDataProblem, sameSettings } from './profile-data.ts';

const settings = (transportType: string, profileData: JsonObject) =>
  deriveProfileSettings({ transportType, profileData });

describe('profile data', () => {
  it('TBS-38 fills in what a minimal body leaves out', () => {
    expect(completeProfileData(null, 'DEFAULT', 'DISABLED')).toEqual({
      configuration: { type: 'DEFAULT' },
      transportConfiguration: { type: 'DEFAULT' },
      provisionConfiguration: { type: 'DISABLED', provisionDeviceSecret: null },
      alarms: null,
    });
    const given = {
      configuration: { type: 'DEFAULT' },
      transportConfiguration: { type: 'MQTT', deviceTelemetryTopic: 't/+', deviceAttributesTopic: null },
      alarms: [],
      own: 1,
    };
    expect(completeProfileData(given, 'MQTT', 'DISABLED')).toMatchObject({
      own: 1,
      alarms: [],
      transportConfiguration: {
        deviceTelemetryTopic: 't/+',
        deviceAttributesTopic: 'v1/devices/me/attributes',
        deviceAttributesSubscribeTopic: 'v1/devices/me/attributes',
        transportPayloadTypeConfiguration: { transportPayloadType: 'JSON' },
        sendAckOnValidationException: false,
      },
    });
  });

  it('refuses unknown types and topics that are no topic filters', () => {
    const problem = (transport: string, provision: string, data: JsonObject) =>
      profileDataProblem(
        transport,
        provision,
        completeProfileData(data, transport, provision),
        (text) => text !== 'bad',
      );
    expect(problem('MQTT', 'DISABLED', {})).toBeNull();
    expect(problem('CARRIER_PIGEON', 'DISABLED', {})).toMatchObject({ code: 'badRequest' });
    expect(problem('DEFAULT', 'MAYBE', {})).toMatchObject({ code: 'badRequest' });
    const transport = { deviceTelemetryTopic: 'bad' };
    expect(problem('MQTT', 'DISABLED', { transportConfiguration: transport })).toMatchObject({ code: 'badRequest' });
    expect(problem('MQTT', 'DISABLED', { transportConfiguration: { deviceAttributesTopic: 5 } })).not.toBeNull();
    expect(problem('DEFAULT', 'DISABLED', { transportConfiguration: transport })).toBeNull();
  });

  it('means the default settings when nothing is said', () => {
    const data = completeProfileData(null, 'MQTT', 'DISABLED');
    expect(settings('DEFAULT', {})).toEqual(DEFAULT_PROFILE_SETTINGS);
    expect(settings('MQTT', data)).toEqual({ ...DEFAULT_PROFILE_SETTINGS, transportType: 'MQTT' });
  });

  it('takes topics and the acknowledgement of bad payloads from an MQTT transport only', () => {
    const transportConfiguration = {
      deviceTelemetryTopic: 'a',
      deviceAttributesTopic: 'b',
      deviceAttributesSubscribeTopic: 'c',
      sendAckOnValidationException: true,
    };
    expect(settings('MQTT', { transportConfiguration })).toEqual({
      castStrings: true,
      sendAckOnValidationException: true,
      telemetryTopic: 'a',
      attributesTopic: 'b',
      attributesSubscribeTopic: 'c',
      transportType: 'MQTT',
      protobuf: null,
    });
    expect(settings('DEFAULT', { transportConfiguration })).toEqual(DEFAULT_PROFILE_SETTINGS);
  });

  it('keeps strings as strings when `profileData.moorage.castStrings` is false', () => {
    expect(settings('DEFAULT', { moorage: { castStrings: false } }).castStrings).toBe(false);
    expect(settings('MQTT', { moorage: { castStrings: false } }).castStrings).toBe(false);
    expect(settings('DEFAULT', { moorage: { castStrings: 'false' } }).castStrings).toBe(true);
  });

  it('takes the schemas of PROTOBUF payloads; a blank one is the own schema of the platform', () => {
    const payload = {
      transportPayloadType: 'PROTOBUF',
      deviceTelemetryProtoSchema: 'syntax = "proto3";',
      deviceAttributesProtoSchema: ' ',
      enableCompatibilityWithJsonPayloadFormat: true,
    };
    const transportConfiguration = { transportPayloadTypeConfiguration: payload };
    const protobuf = {
      telemetrySchema: 'syntax = "proto3";',
      attributesSchema: null,
      rpcRequestSchema: null,
      rpcResponseSchema: null,
      acceptJson: true,
      jsonDownlinks: false,
    };
    const derived = settings('MQTT', { transportConfiguration });
    expect(derived.protobuf).toEqual(protobuf);
    expect(settings('DEFAULT', { transportConfiguration }).protobuf).toBeNull();
    expect(sameSettings(derived, { ...derived, protobuf: { ...protobuf } })).toBe(true);
    expect(sameSettings(derived, { ...derived, protobuf: null })).toBe(false);
    for (const [member, value] of Object.entries(protobuf)) {
      const other = { ...protobuf, [member]: typeof value === 'boolean' ? !value : 'other' };
      expect(sameSettings(derived, { ...derived, protobuf: other }), member).toBe(false);
    }
  });

  it('compares settings member by member', () => {
    expect(sameSettings(DEFAULT_PROFILE_SETTINGS, { ...DEFAULT_PROFILE_SETTINGS })).toBe(true);
    for (const other of [{ castStrings: false }, { telemetryTopic: 't' }, { transportType: 'MQTT' }]) {
      expect(sameSettings(DEFAULT_PROFILE_SETTINGS, { ...DEFAULT_PROFILE_SETTINGS, ...other })).toBe(false);
    }
  });
});
