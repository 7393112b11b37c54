import { PacketType } from '@moorage/mqtt-codec';
import { afterEach, describe, expect, it } from 'vitest';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { RawClient } from '../harness/raw-client.ts';
import { report } from '../harness/report.ts';

const TAKE_OVERS = 1_000;
const OPTIONS = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

let server: MoorageProcess | undefined;
afterEach(() => server?.dispose());

/** Connects as the one identity of this test and acknowledges every message that comes, also late. */
class Holder {
  readonly client: RawClient;
  readonly #got: Set<number>;
  readonly done: Promise<void>;
  sessionPresent: boolean | undefined;
  disconnectReason: number | undefined;

  private constructor(client: RawClient, got: Set<number>, sessionPresent: boolean | undefined) {
    this.client = client;
    this.#got = got;
    this.sessionPresent = sessionPresent;
    this.done = this.#run();
  }

  static async connect(port: number, got: Set<number>): Promise<Holder> {
    const client = await RawClient.open(port, 5);
    client.write(
      client.connectPacket({ clientId: 'wanted', cleanStart: false, properties: { sessionExpiryInterval: 3_600 } }),
    );
    const connack = await client.next(PacketType.Connack);
    expect(connack?.reasonCode).toBe(0);
    return new Holder(client, got, connack?.sessionPresent);
  }

  async #run(): Promise<void> {
    for (;;) {
      const publish = await this.client.next(PacketType.Publish);
      if (publish === undefined) break;
      this.#got.add(Number(Buffer.from(publish.payload).toString()));
      this.client.write({
        type: PacketType.Puback,
        packetIdentifier: publish.packetIdentifier,
        reasonCode: 0,
        properties: {},
      });
    }
    this.disconnectReason = (await this.client.next(PacketType.Disconnect))?.reasonCode;
  }
}

describe('take-over', () => {
  it(`F8 ${TAKE_OVERS} times while messages flow: one is connected, the old one is told 0x8E, nothing is lost`, {
    timeout: 120_000,
  }, async () => {
    server = new MoorageProcess({ env: { MOORAGE_PLAIN__ANONYMOUS: 'true' } });
    await server.start();
    const got = new Set<number>();
    let holder = await Holder.connect(server.mqttPort, got);
    holder.client.write({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [{ topicFilter: 'flow/#', options: OPTIONS }],
      properties: {},
    });
    expect((await holder.client.next(PacketType.Suback))?.reasonCodes).toEqual([1]);

    const publisher = await RawClient.open(server.mqttPort, 4);
    expect(await publisher.connect({ clientId: 'source' })).toBe(0);
    let running = true;
    let acknowledged = 0;
    const flow = (async () => {
      while (running) {
        publisher.write(publisher.publishPacket('flow/x', String(acknowledged), 1, (acknowledged % 60_000) + 1));
        expect(await publisher.next(PacketType.Puback)).toBeDefined();
        acknowledged++;
      }
    })();

    const told: (number | undefined)[] = [];
    for (let count = 0; count < TAKE_OVERS; count++) {
      const next = await Holder.connect(server.mqttPort, got);
      expect(next.sessionPresent).toBe(true);
      await holder.done;
      told.push(holder.disconnectReason);
      holder = next;
    }
    running = false;
    await flow;
    const missing = () => Array.from({ length: acknowledged }, (_, index) => index).filter((index) => !got.has(index));
    // What was queued is read from the store by and by; a message that never comes is found by the limit of time.
    for (let waited = 0; waited < 200 && missing().length > 0; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    report('take-over', { takeOvers: TAKE_OVERS, acknowledged, lost: missing().length });
    expect(missing()).toEqual([]);
    expect(told.every((reason) => reason === 0x8e)).toBe(true);
    const metrics = await (await fetch(`${server.baseUrl}/metrics`)).text();
    expect(metrics).toMatch(/moorage_mqtt\{figure="connections"\} 2\n/);
    holder.client.close();
    publisher.close();
  });
});
