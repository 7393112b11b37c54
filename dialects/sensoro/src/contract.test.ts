import { connectPacket, credentialsRecord, describeDialect, deviceRecord } from '@moorage/testkit';
import { application, device, examples, lookupOf, openDialect } from './testing/tools.ts';

const thermometer = deviceRecord(device(1), 'thingsboard');

const credentials = credentialsRecord(thermometer, 'ACCESS_TOKEN', 'token', null);

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
