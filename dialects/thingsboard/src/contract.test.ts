import { type CredentialsType, DEFAULT_PROFILE_SETTINGS, type Device, type DeviceCredentials } from '@moorage/core';
import { connectPacket, credentialLookup, describeDialect } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { ThingsboardDialect } from './dialect.ts';
import { ACCEPTED_FILTERS } from './topics.ts';

const deviceRef = {
  id: '5a8a8d3e-0000-4000-8000-000000000001',
  tenantId: '5a8a8d3e-0000-4000-8000-000000000002',
  name: 'boiler',
  profileId: '5a8a8d3e-0000-4000-8000-000000000003',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

const device: Device = {
  id: deviceRef.id,
  createdTime: 0,
  tenantId: deviceRef.tenantId,
  customerId: deviceRef.tenantId,
  name: deviceRef.name,
  label: null,
  deviceProfileId: deviceRef.profileId,
  type: 'default',
  dialect: 'thingsboard',
  deviceData: {},
  additionalInfo: null,
  version: 1,
};

function credentials(credentialsType: CredentialsType, credentialsId: string, value: object | null): DeviceCredentials {
  const credentialsValue = value === null ? null : JSON.stringify(value);
  return { id: 'c', createdTime: 0, deviceId: device.id, credentialsType, credentialsId, credentialsValue, version: 1 };
}

const token = credentials('ACCESS_TOKEN', 'A1B2C3D4E5F6G7H8I9J0', null);
const basic = credentials('MQTT_BASIC', 'x', { clientId: 'client 1', userName: "o'hara", password: 'p"w' });
const connect = connectPacket({ clientId: 'client', username: 'user', password: new TextEncoder().encode('right') });

describeDialect('thingsboard', () => ({
  dialect: new ThingsboardDialect(),
  registry: credentialLookup({
    user: {
      dialect: 'thingsboard',
      credentials: [
        {
          credentialsType: 'MQTT_BASIC',
          device: deviceRef,
          application: null,
          username: 'user',
          clientId: null,
          password: 'right',
        },
      ],
    },
  }),
  own: { connect, wrongSecret: { ...connect, password: new TextEncoder().encode('wrong') } },
  topicNames: [
    'v1/devices/me/telemetry',
    'v2/t',
    'v1/devices/me/attributes',
    'v2/a/j',
    'v1/devices/me/rpc/response/1',
    'v1/gateway/telemetry',
    'v1/devices/me/claim',
  ],
  topicFilters: ACCEPTED_FILTERS,
  device,
  credentials: [token, basic],
}));

describe('connection guide', () => {
  const endpoint = { host: 'iot.example.com', mqttPort: 1884, mqttsPort: null, httpPort: null };
  const guide = (one: DeviceCredentials) => new ThingsboardDialect().connectionGuide(device, one, endpoint);
  const snippet = (one: DeviceCredentials, title: string) =>
    guide(one).snippets.find((found) => found.title === title)?.text;

  it('gives host, port, token and topics', () => {
    expect(guide(token).endpoints).toEqual([{ protocol: 'mqtt', host: 'iot.example.com', port: 1884 }]);
    expect(guide(token).fields).toContainEqual({ name: 'accessToken', value: 'A1B2C3D4E5F6G7H8I9J0', secret: true });
    expect(guide(token).fields).toContainEqual({
      name: 'telemetryTopic',
      value: 'v1/devices/me/telemetry',
      secret: false,
    });
  });

  it('gives a command that can be pasted into a shell, whatever the credentials have', () => {
    expect(snippet(token, 'mosquitto_pub')).toBe(
      'mosquitto_pub -d -q 1 -h iot.example.com -p 1884 -u A1B2C3D4E5F6G7H8I9J0 -t v1/devices/me/telemetry -m \'{"temperature":21.5}\'',
    );
    expect(snippet(basic, 'mosquitto_pub')).toContain(`-i 'client 1' -u 'o'\\''hara' -P 'p"w'`);
    expect(snippet(basic, 'Python (paho-mqtt)')).toContain('"password": "p\\"w"');
  });
});
