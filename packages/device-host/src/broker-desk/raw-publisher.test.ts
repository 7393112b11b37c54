import type { Broker } from '@moorage/mqtt-broker';
import { FakeTime, MemoryStream, RawClient, readText, TEST_LISTENER, WHOLE_STANDARD } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import type { DeskLimits } from './desk-options.ts';
import type { RawMessage } from './raw-publisher.ts';
import { Scene } from './test-scene.ts';

const PUBACK = 4;
const bytes = (text: string) => new TextEncoder().encode(text);

const scenes: Scene<RawClient>[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) expect(await scene.end()).toEqual({ traced: [], timers: 0 });
});

async function open(limits: Partial<DeskLimits> = {}) {
  const time = new FakeTime();
  const connect = (broker: Broker, clientId: string, remoteAddress: string) => {
    const stream = new MemoryStream();
    broker.accept(stream, { ...TEST_LISTENER, remoteAddress });
    const client = new RawClient(stream, 5, () => time.endTurn());
    client.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 600 } });
    return client;
  };
  const scene = new Scene<RawClient>({ time, readText, policy: WHOLE_STANDARD, connect }, limits);
  scenes.push(scene);
  await scene.broker.start();
  return { scene, time };
}

describe('a raw message', () => {
  const message = { topicName: 'v1/devices/me/x', payload: bytes('{}'), qos: 1, retain: false } as const;

  it('is pushed as it stands where topics are not routed, and told when the device has it', async () => {
    const { scene, time } = await open();
    const device = scene.device('d2', 'pushed');
    const client = scene.pushed(device);
    const sent = scene.desk.publish(device, { ...message, qos: 2 });
    time.endTurn();
    const [push] = client.messages();
    expect(push).toMatchObject({ topicName: 'v1/devices/me/x', payload: bytes('{}'), qos: 1, retain: false });
    client.acknowledge(PUBACK, push?.packetIdentifier ?? 0);
    expect(await sent).toEqual({ kind: 'pushed', qos: 1, result: 'acknowledged' });
    expect(await scene.run(scene.desk.publish(device, { ...message, qos: 0 }))).toEqual({
      kind: 'pushed',
      qos: 0,
      result: 'written',
    });
  });

  it('that is not acknowledged in ten seconds waits, and is lost with the connection', async () => {
    const { scene, time } = await open();
    const device = scene.device('d2', 'pushed');
    const client = scene.pushed(device);
    const first = scene.desk.publish(device, message);
    time.advance(10_000);
    expect(await first).toEqual({ kind: 'pushed', qos: 1, result: 'waiting' });
    const second = scene.desk.publish(device, message);
    client.lose();
    expect(await second).toMatchObject({ kind: 'refused', reason: 'notConnected' });
  });

  it('needs the connection of a device whose topics are not routed, and is not retained', async () => {
    const { scene } = await open();
    const device = scene.device('d2', 'pushed');
    expect(await scene.run(scene.desk.publish(device, message))).toEqual({
      kind: 'refused',
      reason: 'notConnected',
      message: 'The device has no MQTT connection of its own, and no Session of the dialect pushed waits for it.',
    });
    scene.pushed(device);
    expect(await scene.desk.publish(device, { ...message, retain: true })).toMatchObject({ reason: 'badMessage' });
  });

  it('is published in the space of a routed device, connected or not, and may be retained', async () => {
    const { scene } = await open();
    const device = scene.device('d2');
    const other = scene.application('a1', 'app');
    other.subscribe('x/#', { qos: 1 });
    const send = (retain: boolean) =>
      scene.run(scene.desk.publish(device, { topicName: 'x/y', payload: bytes('1'), qos: 1, retain }));
    expect(await send(false)).toEqual({ kind: 'published', qos: 1, sessions: 1 });
    const client = scene.plain(device, 'one');
    client.subscribe('x/y');
    client.lose();
    expect(await send(true)).toEqual({ kind: 'published', qos: 1, sessions: 2 });
    expect(other.texts()).toEqual(['x/y=1', 'x/y=1']);
    const back = scene.plain(scene.device('d3'), 'new');
    back.subscribe('x/#');
    expect(back.texts()).toEqual(['x/y=1']);
    expect(await send(false)).toMatchObject({ sessions: 3 });
  });

  it('is published in the space that the dialect knows of a device that is away, for as many Sessions as there are', async () => {
    const { scene } = await open();
    const absent = scene.device('d2', 'accounts');
    const send = (device = absent, fields: Partial<RawMessage> = {}) =>
      scene.run(scene.desk.publish(device, { ...message, topicName: 'Sub/d2', payload: bytes('1'), ...fields }));
    expect(await send()).toEqual({ kind: 'published', qos: 1, sessions: 0 });
    const other = scene.member(scene.device('d3', 'accounts'));
    other.subscribe('Sub/#', { qos: 1 });
    expect(await send()).toEqual({ kind: 'published', qos: 1, sessions: 1 });
    expect(other.texts()).toEqual(['Sub/d2=1']);
    expect(await send(absent, { topicName: 'own/x' })).toMatchObject({ reason: 'badMessage' });
    expect(await send(absent, { retain: true })).toMatchObject({
      reason: 'badMessage',
      message: 'Nothing is retained for a device of this kind while it is not connected.',
    });
    // A device that the dialect knows no space of is as one of any other dialect.
    const lone = scene.device('lone', 'accounts');
    expect(await send(lone)).toMatchObject({ reason: 'notConnected' });
    scene.member(lone).lose();
    expect(await send(lone)).toMatchObject({ kind: 'published', sessions: 1 });
  });

  it('reaches only names that the device may receive, and never those of the server', async () => {
    const { scene } = await open();
    const device = scene.device('d2');
    const send = (topicName: string) =>
      scene.run(scene.desk.publish(device, { topicName, payload: bytes(''), qos: 0, retain: false }));
    for (const connected of [false, true]) {
      if (connected) scene.plain(device, 'one');
      for (const topicName of ['own/x', '$SYS/broker/uptime', 'a/#', '+', '', 'x'.repeat(5_000)]) {
        expect(await send(topicName), topicName).toMatchObject({ kind: 'refused', reason: 'badMessage' });
      }
      expect(await send('free')).toMatchObject({ kind: 'published' });
    }
  });

  it('is bounded in size', async () => {
    const { scene } = await open({ payloadBytes: 10 });
    const device = scene.device('d2');
    const send = (length: number) =>
      scene.run(scene.desk.publish(device, { topicName: 't', payload: new Uint8Array(length), qos: 0, retain: false }));
    expect(await send(10)).toMatchObject({ kind: 'published' });
    expect(await send(11)).toMatchObject({ kind: 'refused', reason: 'badMessage' });
  });

  it.each(['full', 'failed'] as const)('is refused where the store is %s', async (outcome) => {
    const { scene } = await open();
    const device = scene.device('d2');
    scene.broker.publish = (_space, _message, token) => {
      token?.hold();
      token?.release(outcome);
      return 0;
    };
    const answer = await scene.run(scene.desk.publish(device, { ...message, topicName: 't' }));
    expect(answer).toMatchObject({ kind: 'refused', reason: outcome });
  });
});
