import {
  type CredentialsType,
  DEFAULT_PROFILE_SETTINGS,
  type DeviceCredentials,
  type DeviceRef,
  type ProtobufSettings,
} from '@moorage/core';
import { connectPacket, credentialLookup, credentialsRecord, describeDialect, deviceRecord } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { ThingsboardDialect } from './dialect.ts';
import { ACCEPTED_FILTERS } from './subscriptions.ts';

const deviceRef = {
  id: '5a8a8d3e-0000-4000-8000-000000000001',
  tenantId: '5a8a8d3e-0000-4000-8000-000000000002',
  name: 'boiler',
  profileId: '5a8a8d3e-0000-4000-8000-000000000003',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

const device = deviceRecord(deviceRef, 'thingsboard');

const credentials = (type: CredentialsType, id: string, value: object | null) =>
  credentialsRecord(device, type, id, value);

const token = credentials('ACCESS_TOKEN', 'A1B2C3D4E5F6G7H8I9J0', null);
const certificate = credentials('X509_CERTIFICATE', 'a'.repeat(64), null);
const basic = credentials('MQTT_BASIC', 'x', { clientId: 'client 1', userName: "o'hara", password: 'p"w' });
const connect = connectPacket({ clientId: 'client', username: 'user', password: new TextEncoder().encode('right') });

const TOPIC_NAMES = [
  'v1/devices/me/telemetry',
  'v2/t',
  'v2/t/p',
  'v1/devices/me/attributes',
  'v2/a/j',
  'v2/a/p',
  'v1/devices/me/attributes/request/1',
  'v2/a/req/p/2',
  'v1/devices/me/rpc/request/1',
  'v2/r/req/p/1',
  'v1/devices/me/rpc/response/1',
  'v2/r/res/p/1',
  'v1/devices/me/claim',
  'v2/fw/request/1/chunk/0',
  'v2/sw/request/1/chunk/0',
  'v1/gateway/connect',
  'v1/gateway/disconnect',
  'v1/gateway/telemetry',
  'v1/gateway/attributes',
  'v1/gateway/attributes/request',
  'v1/gateway/rpc',
  'v1/gateway/claim',
  '/provision/request',
];

const subject = {
  dialect: new ThingsboardDialect({ now: () => 0 }),
  topicNames: TOPIC_NAMES,
  topicFilters: [...ACCEPTED_FILTERS, '/provision/response'],
  device,
  credentials: [token, basic],
};

const PROTOBUF: ProtobufSettings = {
  telemetrySchema: 'syntax = "proto3"; message T { int64 ts = 1; map<string, double> values = 2; }',
  attributesSchema: 'syntax = "proto3"; message A { repeated string list = 1; }',
  rpcRequestSchema: null,
  rpcResponseSchema: 'broken',
  acceptJson: true,
  jsonDownlinks: false,
};

const KINDS: Readonly<Record<string, DeviceRef>> = {
  thingsboard: deviceRef,
  'thingsboard, a gateway': { ...deviceRef, gateway: true },
  'thingsboard, Protocol Buffers': { ...deviceRef, settings: { ...DEFAULT_PROFILE_SETTINGS, protobuf: PROTOBUF } },
};

for (const [name, device] of Object.entries(KINDS)) {
  describeDialect(name, () => ({
    ...subject,
    maximumIntents: device.gateway ? 1_000 : 1,
    registry: credentialLookup({
      user: {
        dialect: 'thingsboard',
        credentials: [
          {
            credentialsType: 'MQTT_BASIC',
            device,
            application: null,
            username: 'user',
            clientId: null,
            password: 'right',
          },
        ],
      },
    }),
    own: { connect, wrongSecret: { ...connect, password: new TextEncoder().encode('wrong') } },
  }));
}

describeDialect(
  'thingsboard, provisioning',
  () => ({
    ...subject,
    registry: credentialLookup({}),
    own: { connect: connectPacket({ username: 'provision' }), wrongSecret: null },
  }),
  { 'an unknown name is notMine, and what another dialect holds too': 'the user name provision needs no registry' },
);

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

  it('a device with a certificate is told how to show it, where the server has TLS', () => {
    expect(guide(certificate).snippets).toEqual([]);
    const tls = { ...endpoint, mqttsPort: 8883 };
    const { snippets } = new ThingsboardDialect().connectionGuide(device, certificate, tls);
    expect(snippets.map(({ text }) => text)).toEqual([
      'mosquitto_pub -d -q 1 -h iot.example.com -p 8883 --tls-use-os-certs --cert device.crt --key device.key -t v1/devices/me/telemetry -m \'{"temperature":21.5}\'',
    ]);
  });

  it('a device with a token is told of HTTP, CoAP and WebSocket as well', () => {
    const all = { ...endpoint, httpPort: 8080, wsPort: 8083, coapPort: 5683 };
    const { endpoints, snippets } = new ThingsboardDialect().connectionGuide(device, token, all);
    expect(endpoints.map(({ protocol, port }) => `${protocol} ${port}`)).toEqual([
      'mqtt 1884',
      'ws 8083',
      'http 8080',
      'coap 5683',
    ]);
    const url = 'iot.example.com:8080/api/v1/A1B2C3D4E5F6G7H8I9J0/telemetry';
    expect(snippets.at(-2)?.text).toBe(`curl -d '{"temperature":21.5}' http://${url}`);
    expect(snippets.at(-1)?.text).toMatch(/^coap-client -m post .* coap:\/\/iot\.example\.com:5683\/api\/v1\//);
    const basic = new ThingsboardDialect().connectionGuide(device, certificate, all);
    expect(basic.endpoints.map(({ protocol }) => protocol)).toEqual(['mqtt', 'ws']);
  });

  it('gives a command that can be pasted into a shell, whatever the credentials have', () => {
    expect(snippet(token, 'mosquitto_pub')).toBe(
      'mosquitto_pub -d -q 1 -h iot.example.com -p 1884 -u A1B2C3D4E5F6G7H8I9J0 -t v1/devices/me/telemetry -m \'{"temperature":21.5}\'',
    );
    expect(snippet(basic, 'mosquitto_pub')).toContain(`-i 'client 1' -u 'o'\\''hara' -P 'p"w'`);
    expect(snippet(basic, 'Python (paho-mqtt)')).toContain('"password": "p\\"w"');
  });
});
