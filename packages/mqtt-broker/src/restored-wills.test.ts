import type { Will } from '@moorage/mqtt-codec';
import { DelayedSessionStore, FakeTime, type RawClient, readText, TestBroker, TestObserver } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { Broker } from './broker.ts';
import { MemorySessionStore } from './memory-session-store.ts';
import type { RestoredWill } from './ports.ts';

function will(willDelayInterval = 0): Will {
  const properties = willDelayInterval === 0 ? null : { willDelayInterval };
  return { topicName: 'w', payload: Uint8Array.from([0x78]), qos: 1, retain: true, properties };
}

function connect(test: TestBroker, last: Will | null, sessionExpiryInterval = 100): RawClient {
  return test.connect('c', 5, { will: last, cleanStart: false, properties: { sessionExpiryInterval } });
}

/** A server that begins where another one was killed, with a Session that waits for `w`. */
async function restart(test: TestBroker, allow: (restored: RestoredWill) => boolean = () => true, pauseMs = 0) {
  const again = await TestBroker.start({
    sessions: test.sessions,
    retained: test.retained,
    time: new FakeTime(test.time.now() + pauseMs),
    restoredWills: allow,
  });
  return again;
}

/** Wills that were published: retained ones, with the counter. */
function published(test: TestBroker): number {
  expect(test.broker.statistics().retainedMessages).toBe(test.observer.of('will.published') > 0 ? 1 : 0);
  return test.observer.of('will.published');
}

describe('a Will whose server was killed', () => {
  it('without a delay is published at the next start, before a listener opens, to Sessions that waited [O-21]', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('watcher', 5, { cleanStart: false, properties: { sessionExpiryInterval: 100 } });
    watcher.subscribe('w', { qos: 1 });
    connect(test, will());
    const asked: RestoredWill[] = [];
    const second = await restart(test, (restored) => asked.push(restored) > 0);
    expect(asked).toEqual([{ sessionKey: 'c', space: 'space', clientId: 'c', topicName: 'w' }]);
    expect(published(second)).toBe(1);
    const back = second.open(5);
    back.send(
      back.connectPacket({ clientId: 'watcher', cleanStart: false, properties: { sessionExpiryInterval: 100 } }),
    );
    for (let round = 0; round < 4; round++) await Promise.resolve();
    second.time.endTurn();
    expect(back.messages()).toMatchObject([{ topicName: 'w', qos: 1, payload: Uint8Array.from([0x78]) }]);
  });

  it('is published once, however often the server is started [O-21]', async () => {
    const test = await TestBroker.start();
    connect(test, will());
    const second = await restart(test);
    expect(published(second)).toBe(1);
    const third = await restart(second);
    expect(third.observer.of('will.published')).toBe(0);
    third.time.advance(200_000);
    expect(third.observer.of('will.published')).toBe(0);
  });

  it('with a delay that is over by then is published at the start; else when it is over [O-21]', async () => {
    for (const [pauseMs, atStart] of [
      [20_000, 1],
      [0, 0],
    ] as const) {
      const test = await TestBroker.start();
      connect(test, will(10)).lose();
      const second = await restart(test, () => true, pauseMs);
      expect(published(second)).toBe(atStart);
      second.time.advance(9_500);
      expect(published(second)).toBe(atStart);
      second.time.advance(1_000);
      expect(published(second)).toBe(1);
      second.time.advance(200_000);
      expect(published(second)).toBe(1);
    }
  });

  it('counts its delay from the start if the connection had stood till the end, and is stopped by a resumption [O-21] [MQTT-3.1.3-9]', async () => {
    const test = await TestBroker.start();
    connect(test, will(10));
    const second = await restart(test, () => true, 60_000);
    expect(published(second)).toBe(0);
    second.time.advance(9_000);
    const again = second.open(5);
    again.send(again.connectPacket({ clientId: 'c', cleanStart: false, properties: { sessionExpiryInterval: 100 } }));
    for (let round = 0; round < 4; round++) await Promise.resolve();
    second.time.endTurn();
    second.time.advance(60_000);
    expect(published(second)).toBe(0);
    expect((await restart(second)).observer.of('will.published')).toBe(0);
  });

  it('of a Session that would have ended with its connection is published too, and nothing of the Session is left [O-21]', async () => {
    const test = await TestBroker.start();
    connect(test, will(50), 0).subscribe('t', { qos: 1 });
    const second = await restart(test);
    expect(published(second)).toBe(1);
    expect(second.broker.statistics()).toMatchObject({ sessions: 0, subscriptions: 0 });
    expect(second.sessions.statistics().sessions).toBe(0);
  });

  it('was not left behind by a client that had disconnected, or whose Will was published before', async () => {
    for (const leave of [(client: RawClient) => client.disconnect(), (client: RawClient) => client.lose()]) {
      for (const expiry of [0, 100]) {
        const test = await TestBroker.start();
        leave(connect(test, will(), expiry));
        expect((await restart(test)).observer.of('will.published')).toBe(0);
      }
    }
  });

  it('is dropped and counted without the right to it [O-22]', async () => {
    const test = await TestBroker.start();
    connect(test, will());
    const second = await restart(test, () => false);
    expect([published(second), second.observer.of('will.notAllowed')]).toEqual([0, 1]);
    expect((await restart(second)).observer.of('will.published')).toBe(0);
  });

  it('is dropped where the host has no answer', async () => {
    const test = await TestBroker.start();
    connect(test, will());
    const time = new FakeTime(test.time.now());
    const observer = new TestObserver();
    const refusal = { accepted: false, returnCode: 5, reasonCode: 0x87, reasonString: null, delayMs: 0 } as const;
    const { sessions, retained } = test;
    const authenticator = { authenticate: () => refusal };
    await new Broker({ authenticator, sessions, retained, clock: time, scheduler: time, readText, observer }).start();
    expect([observer.of('will.published'), observer.of('will.notAllowed')]).toEqual([0, 1]);
  });

  it('is stored before CONNACK tells its client that it is kept [MQTT-3.1.2-7]', async () => {
    const time = new FakeTime();
    const store = new DelayedSessionStore(new MemorySessionStore(() => time.now()));
    const test = await TestBroker.start({ time, sessions: store });
    const client = test.open(5);
    client.send(client.connectPacket({ will: will() }));
    expect(client.receive()).toEqual([]);
    store.commit();
    time.endTurn();
    expect(client.receive()).toHaveLength(1);
    store.outcome = 'failed';
    const refused = test.open(5);
    refused.send(refused.connectPacket({ clientId: 'other', will: will() }));
    store.commit();
    time.endTurn();
    expect(refused.receive()).toMatchObject([{ reasonCode: 0x88 }]);
    expect(test.observer.of('will.published')).toBe(0);
  });
});
