import { PacketType } from '@moorage/mqtt-codec';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';
import { LONG, report } from '../harness/report.ts';
import { createApplication } from '../harness/vendor-devices.ts';
import { WebhookReceiver } from '../harness/webhook-receiver.ts';

const ROUNDS = LONG ? 100 : 5;
const TOKEN = 'WEBHOOKTOKEN00000001';

let server: MoorageProcess | undefined;
let receiver: WebhookReceiver | undefined;
afterEach(async () => {
  await server?.dispose();
  await receiver?.stop();
});

interface Push {
  readonly msgId: string;
  readonly data: { readonly n: number };
}

describe('kill -9 behind the acknowledgement of a device whose messages are pushed on', () => {
  it(`no acknowledged event is missing, and duplicates carry the same id (${ROUNDS} rounds)`, {
    timeout: LONG ? 3_600_000 : 120_000,
  }, async () => {
    const hook = new WebhookReceiver();
    receiver = hook;
    await hook.start();
    const running = new MoorageProcess({ env: { MOORAGE_WEBHOOKS__ALLOW_PRIVATE_ADDRESSES: 'true' } });
    server = running;
    await running.start();
    const api = new ApiClient(running);
    await api.login();
    await api.createDevice('thermometer', TOKEN);
    await createApplication(api, 'sensoro', 'backend', {}, { webhookUrl: hook.url });

    const acknowledged = new Set<number>();
    let next = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const device = await RawClient.open(running.mqttPort, 4);
      expect(await device.connect({ username: TOKEN, clientId: 'device' })).toBe(0);
      const open = new Map<number, number>();
      const target = acknowledged.size + 30 + ((round * 37) % 90);
      // A receiver that is slow every other round, so that much still waits when the server dies.
      hook.answer = () => (round % 2 === 0 ? 200 : new Promise((resolve) => setImmediate(() => resolve(200))));
      while (acknowledged.size < target) {
        while (open.size < 20) {
          const number = next++;
          const identifier = (number % 60_000) + 1;
          open.set(identifier, number);
          device.write(device.publishPacket('v1/devices/me/telemetry', `{"n":${number}}`, 1, identifier));
        }
        const puback = await device.next(PacketType.Puback);
        const number = open.get(puback?.packetIdentifier ?? 0);
        open.delete(puback?.packetIdentifier ?? 0);
        if (number !== undefined) acknowledged.add(number);
      }
      await running.kill();
      device.close();
      await running.start();
    }
    const seen = new Set<number>();
    let read = 0;
    await hook.until((received) => {
      for (; read < received.length; read++) seen.add((JSON.parse(received[read]?.body ?? '') as Push).data.n);
      return [...acknowledged].every((number) => seen.has(number));
    });
    const ids = new Map<number, Set<string>>();
    for (const { body } of hook.received) {
      const { msgId, data } = JSON.parse(body) as Push;
      ids.set(data.n, (ids.get(data.n) ?? new Set()).add(msgId));
    }
    const missing = [...acknowledged].filter((number) => !ids.has(number));
    const twice = hook.received.length - ids.size;
    report('webhooks', { rounds: ROUNDS, acknowledged: acknowledged.size, missing: missing.length, repeated: twice });
    expect(missing).toEqual([]);
    expect([...ids.values()].filter((one) => one.size > 1)).toEqual([]);
  });
});
