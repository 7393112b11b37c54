import type { Properties, Will } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';

let test: TestBroker;
let watcher: RawClient;

beforeEach(async () => {
  test = await TestBroker.start();
  watcher = test.connect('watcher');
  watcher.subscribe('will/#', { qos: 2 });
  watcher.receive();
});

const encoder = new TextEncoder();

function will(text = 'gone', properties: Properties | null = null, more: Partial<Will> = {}): Will {
  return { topicName: 'will/c', payload: encoder.encode(text), qos: 0, retain: false, properties, ...more };
}

function connect(last: Will | null, sessionExpiryInterval = 0, cleanStart = false): RawClient {
  return test.connect('c', 5, { will: last, cleanStart, properties: { sessionExpiryInterval } });
}

describe('the Will', () => {
  it('is published when the connection is lost, with its properties [MQTT-3.1.2-8] [MQTT-3.1.3-10]', () => {
    connect(
      will('gone', {
        contentType: 'x',
        userProperties: [
          ['b', '1'],
          ['a', '2'],
          ['b', '1'],
        ],
      }),
    ).lose();
    expect(watcher.messages()).toMatchObject([
      {
        topicName: 'will/c',
        retain: false,
        properties: {
          contentType: 'x',
          userProperties: [
            ['b', '1'],
            ['a', '2'],
            ['b', '1'],
          ],
        },
      },
    ]);
  });

  it('is dropped by DISCONNECT 0x00 and by nothing else [MQTT-3.14.4-3] [MQTT-3.1.2-10] [K-7]', () => {
    connect(will()).disconnect(0);
    expect(watcher.texts()).toEqual([]);
    connect(will()).disconnect(4);
    expect(watcher.texts()).toEqual(['will/c=gone']);
  });

  it('of 3.1.1 is published on a protocol violation and dropped by DISCONNECT [v3.1.1 MQTT-3.1.2-8]', () => {
    const client = test.connect('c', 4, { will: will() });
    client.bytes(0, 0);
    expect(watcher.texts()).toEqual(['will/c=gone']);
    test.connect('c', 4, { will: will() }).disconnect();
    expect(watcher.texts()).toEqual([]);
  });

  it('is published once the Keep Alive has run out [MQTT-3.1.2-22]', () => {
    test.connect('c', 4, { will: will(), keepAlive: 10 });
    test.time.advance(14_900);
    expect(watcher.texts()).toEqual([]);
    test.time.advance(500);
    expect(watcher.texts()).toEqual(['will/c=gone']);
  });

  it('with RETAIN 1 goes out as a Retained Message [MQTT-3.1.2-15]', () => {
    connect(will('kept', null, { retain: true, qos: 1 })).lose();
    watcher.receive();
    const late = test.connect('late');
    late.subscribe('will/c', { qos: 1 });
    expect(late.messages()).toMatchObject([{ retain: true, qos: 1 }]);
  });

  it('waits for its delay and is sent once [K-4 second half] [MQTT-3.1.2-8]', () => {
    connect(will('late', { willDelayInterval: 10 }), 100).lose();
    test.time.advance(9_500);
    expect(watcher.texts()).toEqual([]);
    test.time.advance(1_000);
    expect(watcher.texts()).toEqual(['will/c=late']);
    test.time.advance(200_000);
    expect(watcher.texts()).toEqual([]);
  });

  it('with a delay longer than the Session is sent when that ends [K-1]', () => {
    connect(will('late', { willDelayInterval: 1_000 }), 10).lose();
    test.time.advance(9_500);
    expect(watcher.texts()).toEqual([]);
    test.time.advance(1_000);
    expect(watcher.texts()).toEqual(['will/c=late']);
    connect(will('now', { willDelayInterval: 1_000 }), 0).lose();
    expect(watcher.texts()).toEqual(['will/c=now']);
  });

  it('is stopped by a resumption within the delay, three times in a row; then sent exactly once [MQTT-3.1.3-9] [K-4]', () => {
    for (let times = 0; times < 3; times++) {
      connect(will('late', { willDelayInterval: 10 }), 100).lose();
      test.time.advance(9_000);
    }
    expect(watcher.texts()).toEqual([]);
    test.time.advance(2_000);
    expect(watcher.texts()).toEqual(['will/c=late']);
    test.time.advance(200_000);
    expect(watcher.texts()).toEqual([]);
  });

  it('is sent at once when a Clean Start ends its Session [MQTT-3.1.2-8]', () => {
    connect(will('late', { willDelayInterval: 10 }), 100).lose();
    connect(null, 100, true);
    expect(watcher.texts()).toEqual(['will/c=late']);
  });

  it('of the older connection is sent on take-over without delay [K-3] [U-18]', () => {
    connect(will('old'), 100);
    connect(will('new'), 100);
    expect(watcher.texts()).toEqual(['will/c=old']);
  });

  it('with a delay is not sent on a take-over that resumes, and is with Session Expiry 0 or Clean Start [K-2] [U-18]', () => {
    connect(will('old', { willDelayInterval: 10 }), 100);
    connect(will('second', { willDelayInterval: 10 }), 0);
    expect(watcher.texts()).toEqual([]);
    connect(will('third', { willDelayInterval: 10 }), 100);
    expect(watcher.texts()).toEqual(['will/c=second']);
    connect(null, 100, true);
    expect(watcher.texts()).toEqual(['will/c=third']);
  });

  it('of an earlier connection is not sent for a later one without [K-6]', () => {
    connect(will(), 100).disconnect();
    connect(null, 100).lose();
    expect(watcher.texts()).toEqual([]);
  });

  it('with a delay does not keep its client from its messages [K-5]', () => {
    const client = connect(will('late', { willDelayInterval: 60 }), 100);
    client.subscribe('t', { qos: 1 });
    client.lose();
    const again = connect(will('late', { willDelayInterval: 60 }), 100);
    watcher.publish('t', { qos: 1 });
    expect(again.messages()).toHaveLength(1);
  });

  it('is not sent without the right to it at that moment [K-8] [O-22]', () => {
    const client = connect(will());
    test.handler.publishesWill = () => false;
    client.lose();
    expect(watcher.texts()).toEqual([]);
    expect(test.observer.of('will.notAllowed')).toBe(1);
  });

  it('is never sent to a name that begins with $ [O-28]', () => {
    connect(will('x', null, { topicName: '$will' })).lose();
    expect(test.observer.of('will.topicRefused')).toBe(1);
  });

  it('is ignored where the policy says so', () => {
    test.authenticator.policy = { ...test.authenticator.policy, will: 'ignored' };
    connect(will()).lose();
    expect(watcher.texts()).toEqual([]);
  });

  it('expires counted from its publication [K-10]', () => {
    connect(will('x', { messageExpiryInterval: 30, willDelayInterval: 20 }, { retain: true }), 100).lose();
    test.time.advance(25_000);
    expect(watcher.messages()[0]?.properties?.messageExpiryInterval).toBe(30);
    const late = test.connect('late');
    late.subscribe('will/c');
    expect(late.messages()[0]?.properties?.messageExpiryInterval).toBe(25);
  });

  it('is dropped when the host says so', () => {
    connect(will());
    test.handler.connection?.disconnect(0x98, 'test', { dropWill: true });
    test.time.endTurn();
    expect(watcher.texts()).toEqual([]);
    connect(will());
    test.handler.connection?.disconnect(0x98, 'test');
    test.time.endTurn();
    expect(watcher.texts()).toEqual(['will/c=gone']);
  });
});
