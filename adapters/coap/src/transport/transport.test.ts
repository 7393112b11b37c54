import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { AddressRates } from './address-rates.ts';
import { endpointOf } from './endpoint.ts';
import { MessageIds } from './message-ids.ts';
import { RememberedMessages } from './remembered-messages.ts';
import { type Delivery, Transmissions } from './transmissions.ts';

const endpoint = endpointOf('192.0.2.1', 5683);

describe('endpoints', () => {
  it('show an address of IPv4 as such, and are told apart by port', () => {
    expect(endpointOf('::ffff:192.0.2.1', 1)).toMatchObject({ address: '192.0.2.1', rawAddress: '::ffff:192.0.2.1' });
    expect(endpointOf('2001:db8::1', 1).address).toBe('2001:db8::1');
    expect(endpointOf('192.0.2.1', 1).key).not.toBe(endpointOf('192.0.2.1', 2).key);
  });
});

describe('rate of an address', () => {
  it('lets so many come at once, then so many a second, and others all the same', () => {
    const time = new FakeTime();
    const rates = new AddressRates(time, 10, 3);
    expect([1, 2, 3, 4].map(() => rates.take('a'))).toEqual([true, true, true, false]);
    expect(rates.take('b')).toBe(true);
    time.advance(99);
    expect(rates.take('a')).toBe(false);
    time.advance(1);
    expect([rates.take('a'), rates.take('a')]).toEqual([true, false]);
    time.advance(3_600_000);
    expect([1, 2, 3, 4].map(() => rates.take('a'))).toEqual([true, true, true, false]);
  });

  it('forgets the oldest of more than 10,000 addresses', () => {
    const rates = new AddressRates(new FakeTime(), 0.001, 1);
    expect([rates.take('a'), rates.take('a')]).toEqual([true, false]);
    for (let index = 0; index < 10_000; index++) rates.take(`x${index}`);
    expect(rates.take('a')).toBe(true);
  });
});

describe('Message IDs', () => {
  it('count for each endpoint from a random one, and wrap', () => {
    const ids = new MessageIds(() => 0.99999);
    expect([ids.next('a'), ids.next('a'), ids.next('a')]).toEqual([0xffff, 0, 1]);
    expect(ids.next('b')).toBe(0xffff);
  });
});

describe('remembered messages', () => {
  const datagram = Uint8Array.of(1, 2, 3);
  const add = (remembered: RememberedMessages, id: number) => remembered.findOrAdd('e', id, datagram);

  it('are known for 247 s with their answer', () => {
    const time = new FakeTime();
    const remembered = new RememberedMessages(time, 10, 1000);
    expect(add(remembered, 1)).toBeUndefined();
    expect(add(remembered, 1)).toMatchObject({ answer: null });
    remembered.answered('e', 1, Uint8Array.of(9));
    expect(add(remembered, 1)?.answer).toEqual(Uint8Array.of(9));
    expect(remembered.findOrAdd('other', 1, datagram)).toBeUndefined();
    time.advance(247_000);
    expect(add(remembered, 1)).toBeUndefined();
  });

  it('are new where the bytes differ: the device was restarted', () => {
    const remembered = new RememberedMessages(new FakeTime(), 10, 1000);
    add(remembered, 1);
    remembered.answered('e', 1, Uint8Array.of(9));
    expect(remembered.findOrAdd('e', 1, Uint8Array.of(1, 2, 4))).toBeUndefined();
    expect(remembered.size).toBe(1);
  });

  it('are bounded in number and in bytes, and swept', () => {
    const time = new FakeTime();
    const remembered = new RememberedMessages(time, 3, 100);
    for (const id of [1, 2, 3, 4]) add(remembered, id);
    expect(remembered.size).toBe(3);
    for (const id of [2, 3, 4]) remembered.answered('e', id, new Uint8Array(60));
    expect(remembered.size).toBe(1);
    expect(add(remembered, 4)?.answer).toHaveLength(60);
    time.advance(247_000);
    remembered.sweep();
    expect(remembered.size).toBe(0);
  });
});

describe('confirmable messages', () => {
  function open(maximum = 10) {
    const time = new FakeTime();
    const sent: number[] = [];
    const start = time.monotonic();
    const send = (): void => void sent.push(time.monotonic() - start);
    const transmissions = new Transmissions({ send, scheduler: time, random: () => 0, maximum });
    const ended: Delivery[] = [];
    return { time, sent, transmissions, ended, done: (delivery: Delivery) => void ended.push(delivery) };
  }

  it('are repeated four times, after 2, 4, 8 and 16 s, and are then lost', () => {
    const { time, sent, transmissions, ended, done } = open();
    transmissions.send(endpoint, 7, Uint8Array.of(1), done);
    time.advance(61_999);
    expect(sent).toEqual([0, 2000, 6000, 14_000, 30_000]);
    expect(ended).toEqual([]);
    time.advance(1);
    expect(ended).toEqual(['lost']);
    expect(transmissions.size).toBe(0);
    expect(time.timers).toBe(0);
  });

  it('end with the acknowledgement or the Reset of their endpoint', () => {
    const { time, sent, transmissions, ended, done } = open();
    transmissions.send(endpoint, 7, Uint8Array.of(1), done);
    transmissions.send(endpoint, 8, Uint8Array.of(1), done);
    expect(transmissions.end(endpointOf('192.0.2.1', 1), 7, 'acknowledged')).toBe(false);
    expect(transmissions.end(endpoint, 7, 'acknowledged')).toBe(true);
    expect(transmissions.end(endpoint, 7, 'acknowledged')).toBe(false);
    expect(transmissions.end(endpoint, 8, 'reset')).toBe(true);
    time.advance(100_000);
    expect(ended).toEqual(['acknowledged', 'reset']);
    expect(sent).toEqual([0, 0]);
  });

  it('are bounded: one more is lost at once, but not within the call', () => {
    const { time, sent, transmissions, ended, done } = open(1);
    transmissions.send(endpoint, 7, Uint8Array.of(1), done);
    transmissions.send(endpoint, 8, Uint8Array.of(1), done);
    expect(ended).toEqual([]);
    time.advance(0);
    expect(ended).toEqual(['lost']);
    expect(sent).toHaveLength(1);
    transmissions.clear();
    expect(time.timers).toBe(0);
  });
});
