import { createHmac } from 'node:crypto';
import type { DeviceCredentials } from '@moorage/core';
import { connectPacket, credentialLookup, credentialsRecord, describeDialect, deviceRecord } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { AlibabaDialect } from './dialect.ts';
import type { Hmac } from './signature.ts';
import { DEVICE_NAME, holderOf, LAMP, noStore, PRODUCT_KEY, SECRET, SYSTEM, USERNAME } from './testing/lamp.ts';
import { settled } from './testing/settled.ts';

const hmac: Hmac = (algorithm, key, text) => createHmac(algorithm, key).update(text).digest('hex');
const dialect = () => new AlibabaDialect({ hmac, now: () => 1_700_000_000_000, store: noStore });

const device = deviceRecord(LAMP, 'alibaba');

const credentials = (deviceSecret: string | null): DeviceCredentials =>
  credentialsRecord(device, 'ALIBABA', USERNAME, { productKey: PRODUCT_KEY, deviceName: DEVICE_NAME, deviceSecret });

const connect = connectPacket({
  clientId: `${PRODUCT_KEY}.${DEVICE_NAME}|timestamp=2524608000000,_ss=1,securemode=3,signmethod=hmacsha256,ext=3|`,
  username: USERNAME,
  password: new TextEncoder().encode('05128197c288c48e89be1ad2799aa658e43ec16b05b1683b667e1906d0e5b128'),
});

const skips = {
  'an unknown name is notMine, and what another dialect holds too':
    'a client ID in Link form is final, recognition.md, R4',
};

for (const listening of ['with _ss', 'without _ss']) {
  const clientId = listening === 'with _ss' ? connect.clientId : connect.clientId.replace('_ss=1,', '');
  describeDialect(
    `alibaba, ${listening}`,
    () => ({
      dialect: dialect(),
      registry: credentialLookup({ [USERNAME]: holderOf(SECRET) }),
      own: {
        connect: { ...connect, clientId },
        wrongSecret: { ...connect, clientId, password: new TextEncoder().encode('00'.repeat(32)) },
      },
      topicNames: [
        `${SYSTEM}thing/event/property/post`,
        `${SYSTEM}thing/event/property/batch/post`,
        `${SYSTEM}thing/event/alarm/post`,
        `${SYSTEM}thing/property/desired/get`,
        `${SYSTEM}thing/property/desired/delete`,
        `${SYSTEM}thing/deviceinfo/update`,
        `${SYSTEM}thing/deviceinfo/get`,
        `${SYSTEM}thing/log/post`,
        `${SYSTEM}thing/config/get`,
        `${SYSTEM}thing/config/log/get`,
        `${SYSTEM}thing/dsltemplate/get`,
        `${SYSTEM}thing/service/property/set_reply`,
        `${SYSTEM}thing/model/up_raw`,
        `${SYSTEM}thing/model/down_raw_reply`,
        `${SYSTEM}rrpc/response/1`,
        `/ext/ntp/${PRODUCT_KEY}/${DEVICE_NAME}/request`,
        `/ext/rrpc/1/${PRODUCT_KEY}/${DEVICE_NAME}/user/get`,
        `/${PRODUCT_KEY}/${DEVICE_NAME}/user/update`,
        `/${PRODUCT_KEY}/${DEVICE_NAME}/user/get`,
      ],
      topicFilters: [
        `${SYSTEM}thing/service/#`,
        '/sys/+/+/rrpc/request/+',
        '/ext/rrpc/#',
        `/${PRODUCT_KEY}/${DEVICE_NAME}/user/get`,
        `/broadcast/${PRODUCT_KEY}/#`,
        '#',
      ],
      device,
      credentials: [credentials(SECRET)],
    }),
    skips,
  );
}

describe('connection guide', () => {
  it('gives a command with a signature that the server accepts, and can be pasted into a shell', async () => {
    const endpoint = { host: 'iot.example.com', mqttPort: 1883, mqttsPort: 8883, httpPort: null };
    const { fields, snippets } = dialect().connectionGuide(device, credentials(SECRET), endpoint);
    const field = (name: string) => fields.find((one) => one.name === name)?.value ?? '';
    const own = connectPacket({
      clientId: field('clientId'),
      username: field('username'),
      password: new TextEncoder().encode(field('password')),
    });
    const via = {
      listener: 't',
      transport: 'tcp',
      pinnedDialect: null,
      serverName: null,
      clientCertificates: null,
    } as const;
    const registry = credentialLookup({ [USERNAME]: holderOf(SECRET) });
    expect(settled(dialect().authenticate(own, via, registry)).outcome).toBe('accepted');
    const text = snippets.find(({ title }) => title === 'mosquitto_pub')?.text ?? '';
    expect(text).toContain(`-i '${field('clientId')}' -u '${USERNAME}'`);
  });

  it('a device that waits for its registration has names and no secret to show', () => {
    const endpoint = { host: 'h', mqttPort: 1883, mqttsPort: null, httpPort: null };
    const guide = dialect().connectionGuide(device, credentials(null), endpoint);
    expect(guide.fields.map(({ name }) => name)).toEqual(['device', 'productKey', 'deviceName']);
    expect(guide.snippets).toEqual([]);
  });
});
