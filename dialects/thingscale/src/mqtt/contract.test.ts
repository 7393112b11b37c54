import {
  connectPacket,
  credentialLookup,
  credentialsRecord,
  describeDialect,
  deviceRecord,
  deviceRef,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, account, Bench, TENANT, TOKEN, USER } from '../testing/bench.ts';

const device = deviceRecord(
  deviceRef({
    id: '5a8a8d3e-1111-4000-8000-000000000001',
    tenantId: TENANT,
    name: 'dev01',
    profileId: '5a8a8d3e-0000-4000-8000-000000000003',
  }),
  'thingscale',
);

const credentials = credentialsRecord(device, 'THINGSCALE', 'dev01', { accountId: ACCOUNT });

const connect = connectPacket({ clientId: 'client', username: USER, password: new TextEncoder().encode(TOKEN) });

describeDialect('thingscale', () => ({
  dialect: new Bench().dialect,
  registry: credentialLookup({ [USER]: { dialect: 'thingscale', credentials: [account()] } }),
  own: { connect, wrongSecret: { ...connect, password: new TextEncoder().encode('wrong') } },
  topicNames: [
    'json/dev01',
    'json/dev01/node1',
    'binary/dev01',
    'bin/dev01',
    'state/dev01',
    'dev01/subscribe',
    'dev01',
  ].map((rest) => `${TOKEN}/${rest}`),
  topicFilters: [`${TOKEN}/#`, `${TOKEN}/+/subscribe`, `$share/g/${TOKEN}/json/+`, '#', '+/dev01/subscribe'],
  device,
  credentials: [credentials],
}));

describe('connection guide', () => {
  const endpoint = { host: 'iot.example.com', mqttPort: 1883, mqttsPort: 8883, httpPort: 8080 };

  it('gives the lines of the vendor with the tokens of the account', () => {
    const { fields, snippets } = new Bench().dialect.connectionGuide(device, credentials, endpoint);
    const text = (title: string) => snippets.find((one) => one.title === title)?.text;
    expect(text('mosquitto_pub')).toBe(
      `mosquitto_pub -d -q 1 -h iot.example.com -p 1883 -u U000123 -P ${TOKEN} -t ${TOKEN}/json/dev01 -m '{"temp":20, "humidity":50}'`,
    );
    expect(text('mosquitto_sub')).toBe(
      `mosquitto_sub -v -q 1 -h iot.example.com -p 1883 -u U000123 -P ${TOKEN} -t ${TOKEN}/dev01/subscribe`,
    );
    expect(text('curl')).toBe(
      `curl -X POST -H 'X-DEVICETOKEN: ${TOKEN}' -H 'X-DEVICEID: dev01' -H 'Content-Type: application/json' -d '{"temp":20, "humidity":50}' http://iot.example.com:8080/post_v2/`,
    );
    expect(fields.filter(({ value }) => value.includes(TOKEN)).every(({ secret }) => secret)).toBe(true);
  });

  it('has no secret to show where the account is gone', () => {
    const { fields, snippets } = new Bench([]).dialect.connectionGuide(device, credentials, endpoint);
    expect(fields.map(({ name }) => name)).toEqual(['device', 'deviceId']);
    expect(snippets).toEqual([]);
  });
});
