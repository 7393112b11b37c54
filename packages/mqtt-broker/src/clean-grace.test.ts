import { PacketType } from '@moorage/mqtt-codec';
import { DelayedSessionStore, FakeTime, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { MemorySessionStore } from './memory-session-store.ts';

const GRACE = { cleanGraceSeconds: 600 };
const WILL = {
  topicName: 'gone',
  payload: new Uint8Array(0),
  qos: 0,
  retain: false,
  properties: null,
} as const;

async function withDevice(level: 3 | 4 | 5 = 4) {
  const test = await TestBroker.start({ policy: GRACE });
  const device = test.connect('c', level);
  device.subscribe(['t', 'u/+'], { qos: 1 });
  const publisher = test.connect('p');
  return { test, device, publisher };
}

describe('the subscriptions of a clean Session whose connection was lost', () => {
  it.each([3, 4, 5] as const)(
    'hold for a new clean Session in time, with Session Present 0, level %i',
    async (level) => {
      const { test, device, publisher } = await withDevice(level);
      device.lose();
      test.time.advance(599_000);
      const again = test.open(level);
      expect(again.connect({ clientId: 'c' }).sessionPresent).toBe(false);
      expect(test.handler.resumedWith).toMatchObject([
        { topicFilter: 't', grantedQoS: 1, enter: ['t'] },
        { topicFilter: 'u/+', grantedQoS: 1, enter: ['u/+'] },
      ]);
      publisher.publish('u/1', { payload: 'x', qos: 1 });
      expect(again.texts()).toEqual(['u/1=x']);
      expect(test.broker.statistics()).toMatchObject({ sessions: 2, subscriptions: 2 });
      // Once more: what was inherited is kept as well.
      again.lose();
      const third = test.connect('c', level);
      publisher.publish('t', { payload: 'y' });
      expect(third.texts()).toEqual(['t=y']);
    },
  );

  it('end when the time is over', async () => {
    const { test, device, publisher } = await withDevice();
    device.lose();
    expect(test.broker.statistics()).toMatchObject({ sessions: 2, sessionsConnected: 1, subscriptions: 2 });
    test.time.advance(601_000);
    expect(test.broker.statistics()).toMatchObject({ sessions: 1, subscriptions: 0, spaces: 0 });
    const again = test.connect('c', 4);
    publisher.publish('t');
    expect(again.texts()).toEqual([]);
    expect(test.handler.resumedWith).toBeNull();
  });

  it('hold if the server has not noticed that the older connection is dead', async () => {
    const { test, device, publisher } = await withDevice();
    const again = test.connect('c', 4);
    expect(device.stream.closed).toBe(true);
    publisher.publish('t', { payload: 'x' });
    expect(again.texts()).toEqual(['t=x']);
    expect(test.broker.statistics()).toMatchObject({ sessions: 2, subscriptions: 2 });
  });

  it('hold after the Keep Alive has run out', async () => {
    const test = await TestBroker.start({ policy: GRACE });
    test.connect('c', 4, { keepAlive: 10 }).subscribe('t');
    test.time.advance(16_000);
    const again = test.connect('c', 4);
    test.connect('p').publish('t', { payload: 'x' });
    expect(again.texts()).toEqual(['t=x']);
  });

  it('end with DISCONNECT, with a policy that knows no grace, and when the rights are revoked', async () => {
    const { test, device } = await withDevice();
    device.disconnect();
    expect(test.broker.statistics()).toMatchObject({ sessions: 1, subscriptions: 0 });
    test.connect('c', 4).subscribe('t');
    test.broker.dropSession('c');
    expect(test.broker.statistics()).toMatchObject({ sessions: 1, subscriptions: 0 });
    test.connect('c', 4).subscribe('t');
    const { policy } = test.authenticator;
    test.authenticator.policy = { ...policy, cleanGraceSeconds: 0 };
    test.connect('c', 4).lose();
    expect(test.broker.statistics()).toMatchObject({ sessions: 1, subscriptions: 0 });
    const without = await TestBroker.start();
    const other = without.connect('c', 4);
    other.subscribe('t');
    other.lose();
    expect(without.broker.statistics().sessions).toBe(0);
  });

  it('are nothing to who asks for a Session that is kept, or connects to another space', async () => {
    for (const fields of [{ cleanStart: false }, { username: 'other' }]) {
      const { test, device } = await withDevice();
      device.lose();
      const again = test.open(4);
      expect(again.connect({ clientId: 'c', ...fields }).sessionPresent).toBe(false);
      expect(test.handler.resumedWith).toBeNull();
      expect(test.broker.statistics()).toMatchObject({ sessions: 2, subscriptions: 0 });
    }
  });

  it('bring no messages: neither those of the time between nor what was not acknowledged', async () => {
    const { test, device, publisher } = await withDevice();
    publisher.publish('t', { payload: 'unacknowledged', qos: 1 });
    expect(device.texts()).toEqual(['t=unacknowledged']);
    device.lose();
    publisher.publish('t', { payload: 'while away', qos: 1 });
    expect(test.broker.reach('space', 't', 1)).toBe(0);
    const again = test.open(4);
    again.connect({ clientId: 'c' });
    expect(again.behindConnack()).toEqual([]);
    publisher.publish('t', { payload: 'new', qos: 1 });
    expect(again.messages()).toMatchObject([{ packetIdentifier: 1, dup: false }]);
    expect(test.sessions.statistics()).toMatchObject({ sessions: 0, messages: 0 });
  });

  it('do not keep a Will, nor what belongs to other members of a Shared Subscription', async () => {
    const { test, publisher } = await withDevice();
    publisher.subscribe('gone');
    const device = test.connect('d', 4, { will: WILL });
    device.subscribe('t');
    device.lose();
    expect(publisher.texts()).toEqual(['gone=']);
    expect(test.sessions.statistics().sessions).toBe(0);
    const again = test.connect('d', 4, { will: WILL });
    publisher.publish('t', { payload: 'x' });
    expect(again.texts()).toEqual(['t=x']);
    const member = test.connect('m', 4);
    member.subscribe('$share/g/s', { qos: 1 });
    member.lose();
    expect(test.broker.session('m')).toBeNull();
  });

  it('outlive a CONNECT that could not be carried through', async () => {
    const time = new FakeTime();
    const store = new DelayedSessionStore(new MemorySessionStore(() => time.now()));
    const test = await TestBroker.start({ sessions: store, time, policy: GRACE });
    const device = test.connect('c', 4);
    device.subscribe('t');
    device.lose();
    store.outcome = 'failed';
    const refused = test.open(4);
    refused.send(refused.connectPacket({ clientId: 'c', will: WILL }));
    store.commit();
    time.endTurn();
    expect(refused.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 3 }]);
    store.outcome = 'stored';
    const lost = test.open(4);
    lost.send(lost.connectPacket({ clientId: 'c', will: WILL }));
    lost.lose();
    store.commit();
    time.endTurn();
    const again = test.connect('c', 4);
    test.connect('p').publish('t', { payload: 'x' });
    expect(again.texts()).toEqual(['t=x']);
  });
});
