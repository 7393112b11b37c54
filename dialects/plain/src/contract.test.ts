import { DEFAULT_PROFILE_SETTINGS, type DeviceCredentials } from '@moorage/core';
import { connectPacket, credentialLookup, credentialsRecord, describeDialect, deviceRecord } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { PlainDialect } from './dialect.ts';

const deviceRef = {
  id: '5a8a8d3e-0000-4000-8000-000000000001',
  tenantId: '5a8a8d3e-0000-4000-8000-000000000002',
  name: 'boiler',
  profileId: '5a8a8d3e-0000-4000-8000-000000000003',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

const device = deviceRecord(deviceRef, 'plain');

const credentials = (clientId: string | null): DeviceCredentials =>
  credentialsRecord(device, 'PLAIN', 'boiler', { username: 'boiler', password: 'it\'s 1 "secret"', clientId });

const connect = connectPacket({ clientId: 'client', username: 'boiler', password: new TextEncoder().encode('right') });
const dialect = (anonymous: boolean) =>
  new PlainDialect({
    anonymous,
    anonymousTenantId: 't',
    denySubscribe: [],
    randomBytes: (length) => new Uint8Array(length),
  });

for (const anonymous of [false, true]) {
  describeDialect(anonymous ? 'plain, anonymous access on' : 'plain', () => ({
    dialect: dialect(anonymous),
    registry: credentialLookup({
      boiler: {
        dialect: 'plain',
        credentials: [
          {
            credentialsType: 'PLAIN',
            device: deviceRef,
            application: null,
            username: 'boiler',
            clientId: null,
            password: 'right',
          },
        ],
      },
    }),
    own: { connect, wrongSecret: { ...connect, password: new TextEncoder().encode('wrong') } },
    topicNames: [
      'a/b',
      'moorage/me/telemetry',
      'moorage/me/attributes',
      'moorage/me/rpc/response/1',
      'moorage/devices/boiler/rpc/request/1',
      'moorage/devices/boiler/telemetry',
    ],
    topicFilters: ['#', 'a/+', 'moorage/me/rpc/request/+', 'moorage/devices/#', '$SYS/#'],
    device,
    credentials: [credentials(null), credentials('client 1')],
  }));
}

describe('connection guide', () => {
  it('PL-40 gives a command that can be pasted into a shell, whatever the password has', () => {
    const endpoint = { host: 'iot.example.com', mqttPort: 1883, mqttsPort: 8883, httpPort: null };
    const { snippets } = dialect(false).connectionGuide(device, credentials(null), endpoint);
    expect(snippets.find(({ title }) => title === 'mosquitto_pub')?.text).toBe(
      `mosquitto_pub -d -q 1 -h iot.example.com -p 1883 -u boiler -P 'it'\\''s 1 "secret"' -t moorage/me/telemetry -m '{"temperature":21.5}'`,
    );
  });
});
