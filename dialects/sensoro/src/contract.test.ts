import type { Device, DeviceCredentials } from '@moorage/core';
import { connectPacket, describeDialect } from '@moorage/testkit';
import { application, device, examples, lookupOf, openDialect } from './testing/tools.ts';

const { id, tenantId, name, profileId } = device(1);

const thermometer: Device = {
  id,
  createdTime: 0,
  tenantId,
  customerId: tenantId,
  name,
  label: null,
  deviceProfileId: profileId,
  type: 'default',
  dialect: 'thingsboard',
  deviceData: {},
  firmwareId: null,
  softwareId: null,
  additionalInfo: null,
  version: 1,
};

const credentials: DeviceCredentials = {
  id: 'c',
  createdTime: 0,
  deviceId: id,
  credentialsType: 'ACCESS_TOKEN',
  credentialsId: 'token',
  credentialsValue: null,
  version: 1,
};

const connect = connectPacket({
  clientId: 'foobar/abc',
  username: examples.appId,
  password: new TextEncoder().encode(examples.appSecret),
});

for (const allowUplink of [false, true]) {
  describeDialect(allowUplink ? 'sensoro, uplink allowed' : 'sensoro', () => ({
    dialect: openDialect().dialect,
    registry: lookupOf(application({ configuration: { allowUplink } })),
    own: { connect, wrongSecret: { ...connect, password: new TextEncoder().encode('wrong') } },
    topicNames: ['users/foobar/devices', '/users/foobar/devices', 'users/foobar/devices/10610117C5A9D9DF/up'],
    topicFilters: ['users/foobar/devices', '/users/foobar/devices', 'users/+/devices', '#'],
    device: thermometer,
    credentials: [credentials],
  }));
}
