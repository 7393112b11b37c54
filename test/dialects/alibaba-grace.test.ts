import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import {
  createLinkDevice,
  createProduct,
  LinkClient,
  type LinkDevice,
  type LinkProduct,
} from '../harness/link-devices.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';

const server = new MoorageProcess({ env: { MOORAGE_ALIBABA__SESSION_GRACE_MINUTES: '10' } });
const api = new ApiClient(server);
const clients: LinkClient[] = [];
let product: LinkProduct;
let number = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
  product = await createProduct(api, 'lamps', { topicClasses: [{ topic: 'user/both', permission: 'ALL' }] });
});

afterAll(async () => {
  for (const client of clients) await client.end();
  await server.dispose();
});

async function connect(device: LinkDevice, more = ',_ss=1', clean = true): Promise<LinkClient> {
  const url = `mqtt://127.0.0.1:${server.mqttPort}`;
  const client = await LinkClient.connect(url, device, { more }, { clean });
  clients.push(client);
  return client;
}

/** A device that has subscribed to a custom topic of its own, and that topic. */
async function scene(more?: string) {
  number++;
  const device = await createLinkDevice(api, product, `lamp-${number}`);
  const topic = `/${device.productKey}/${device.deviceName}/user/both`;
  const client = await connect(device, more);
  expect(await client.subscribe(topic)).toEqual([1]);
  return { device, topic, client };
}

/** The network is gone, without a DISCONNECT. */
function lose({ client }: LinkClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', () => resolve());
    client.stream.destroy();
  });
}

/** The own messages on its custom topic that a device hears; one of the system comes in any case. */
async function hears(client: LinkClient, topic: string): Promise<readonly string[]> {
  await client.send(topic, 'heard');
  return client.quiet();
}

describe('a device with _ss=1 and clean session 1', () => {
  it('ALI-92 still receives its custom topics after its connection dropped, each message once', async () => {
    const { device, topic, client } = await scene();
    await lose(client);
    const again = await connect(device);
    expect(again.sessionPresent).toBe(false);
    expect(await hears(again, topic)).toEqual([topic]);
    // The server has not noticed yet that this connection is dead, if it is.
    const third = await connect(device);
    expect(third.sessionPresent).toBe(false);
    expect(await third.subscribe(topic)).toEqual([1]);
    expect(await hears(third, topic)).toEqual([topic]);
  });

  it('ALI-92 no longer after a DISCONNECT, and not without _ss=1', async () => {
    const { device, topic, client } = await scene();
    await client.client.endAsync();
    expect(await hears(await connect(device), topic)).toEqual([]);
    const other = await scene(',_ss=0');
    await lose(other.client);
    const back = await connect(other.device, ',_ss=0');
    await back.subscribe(`/ext/ntp/+/+/response`);
    expect(await hears(back, other.topic)).toEqual([]);
  });
});
