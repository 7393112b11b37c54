import type { PulledPayload } from '@moorage/dialect-api';
import { FakeTime } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { Bodies } from './bodies.ts';
import { BoundedTable } from './bounded-table.ts';
import { Transfer, Transfers } from './transfers.ts';

describe('a bounded table', () => {
  function open() {
    const time = new FakeTime();
    const dropped: string[] = [];
    const drop = (value: string): void => void dropped.push(value);
    const table = new BoundedTable<string>({
      clock: time,
      maximum: 4,
      maximumPerEndpoint: 2,
      idleMs: 1000,
      dropped: drop,
    });
    return { time, dropped, table };
  }

  it('lets an endpoint displace its own entries first, the one that was used longest ago', () => {
    const { table, dropped } = open();
    table.set('a', 'a1', 'a1');
    table.set('a', 'a2', 'a2');
    table.get('a1');
    table.set('a', 'a3', 'a3');
    expect(dropped).toEqual(['a2']);
    expect([table.get('a1'), table.get('a2'), table.get('a3')]).toEqual(['a1', undefined, 'a3']);
  });

  it('displaces what was used longest ago when all places are taken', () => {
    const { table, dropped } = open();
    for (const key of ['a', 'b', 'c', 'd']) table.set(key, key, key);
    table.get('a');
    table.set('e', 'e', 'e');
    expect(dropped).toEqual(['b']);
    expect(table.size).toBe(4);
  });

  it('sweeps what was not used in time, and is cleared', () => {
    const { time, table, dropped } = open();
    table.set('a', 'a', 'a');
    time.advance(500);
    table.set('b', 'b', 'b');
    time.advance(500);
    table.sweep();
    expect(dropped).toEqual(['a']);
    table.clear();
    expect(dropped).toEqual(['a', 'b']);
    expect(table.size).toBe(0);
  });
});

describe('bodies in blocks', () => {
  const payload = (length: number, fill = 1): Uint8Array => new Uint8Array(length).fill(fill);
  function open() {
    const time = new FakeTime();
    let dropped = 0;
    const count = (): void => void dropped++;
    const bodies = new Bodies({ clock: time, maximum: 4, maximumPerEndpoint: 2, dropped: count });
    const add = (number: number, more: boolean, length: number, key = 'k', size = 16, limit = 100) =>
      bodies.add('e', key, { number, more, size }, payload(length, number), limit);
    return { time, bodies, add, dropped: () => dropped };
  }

  it('are joined in their order', () => {
    const { add, bodies } = open();
    expect([add(0, true, 16), add(1, true, 16)]).toEqual(['continue', 'continue']);
    expect(add(2, false, 3)).toEqual(Uint8Array.from([...payload(16, 0), ...payload(16, 1), ...payload(3, 2)]));
    expect(bodies.size).toBe(0);
  });

  it('of one block are whole at once', () => {
    const { add } = open();
    expect(add(0, false, 5)).toEqual(payload(5, 0));
  });

  it('may come in smaller blocks than they began with', () => {
    const { add } = open();
    expect(add(0, true, 32, 'k', 32)).toBe('continue');
    expect(add(2, true, 16, 'k', 16)).toBe('continue');
    expect(add(3, false, 1, 'k', 16)).toHaveLength(49);
  });

  it('are given up where a block is missing, and begin anew with block 0', () => {
    const { add } = open();
    expect(add(1, true, 16)).toBe('incomplete');
    expect(add(0, true, 16)).toBe('continue');
    expect(add(2, true, 16)).toBe('incomplete');
    expect(add(1, true, 16)).toBe('incomplete');
    expect([add(0, true, 16), add(0, true, 16)]).toEqual(['continue', 'continue']);
    expect(add(1, false, 0)).toHaveLength(16);
  });

  it('are refused where a block is not as long as its size says', () => {
    const { add } = open();
    expect(add(0, true, 15)).toBe('malformed');
    expect(add(0, true, 17)).toBe('malformed');
    expect(add(0, false, 17)).toBe('malformed');
  });

  it('are refused beyond the limit, and what was held is forgotten', () => {
    const { add, bodies } = open();
    expect(add(0, true, 16, 'k', 16, 20)).toBe('continue');
    expect(add(1, false, 5, 'k', 16, 20)).toBe('tooLarge');
    expect(bodies.size).toBe(0);
    expect(add(0, true, 16, 'k', 16, 15)).toBe('tooLarge');
  });

  it('are bounded, and forgotten after two minutes', () => {
    const { time, add, bodies, dropped } = open();
    for (const key of ['a', 'b', 'c']) add(0, true, 16, key);
    expect([bodies.size, dropped()]).toEqual([2, 1]);
    time.advance(120_000);
    bodies.sweep();
    expect([bodies.size, dropped()]).toEqual([0, 3]);
    expect(add(1, false, 1, 'c')).toBe('incomplete');
  });
});

describe('transfers', () => {
  function file(length = 100) {
    const held: (() => void)[] = [];
    const seen = { closed: 0, reads: 0 };
    const payload: PulledPayload = {
      length,
      read: (_offset, wanted) =>
        new Promise((resolve) => {
          seen.reads++;
          held.push(() => resolve(new Uint8Array(wanted)));
        }),
      close: () => void seen.closed++,
    };
    return { payload, seen, release: () => held.splice(0).forEach((one) => void one()) };
  }
  const of = (body: Uint8Array | PulledPayload) => ({ code: '2.05', contentFormat: 42, body });

  it('close their file once, after a block that is being read', async () => {
    const { payload, seen, release } = file();
    const transfer = new Transfer(of(payload), payload);
    const block = transfer.read(0, 16);
    transfer.close();
    transfer.close();
    expect(seen.closed).toBe(0);
    release();
    expect(await block).toHaveLength(16);
    expect(seen.closed).toBe(1);
    await expect(transfer.read(16, 16)).rejects.toThrow('over');
  });

  it('have the same tag for the same bytes, and another for others', () => {
    const tag = (body: Uint8Array) => Buffer.from(new Transfer(of(body), body).eTag).toString('hex');
    expect(tag(Uint8Array.of(1))).toBe(tag(Uint8Array.of(1)));
    expect(tag(Uint8Array.of(1))).not.toBe(tag(Uint8Array.of(2)));
    const { payload } = file();
    expect(new Transfer(of(payload), payload).eTag).not.toEqual(new Transfer(of(payload), payload).eTag);
  });

  it('close the file when they are abandoned, displaced, replaced or cleared', () => {
    const time = new FakeTime();
    const transfers = new Transfers({ clock: time, maximum: 2, maximumPerEndpoint: 2 });
    const files = Array.from({ length: 5 }, () => file());
    const open = (index: number, key: string) => {
      const payload = files[index]?.payload ?? new Uint8Array(0);
      transfers.open('e', key, of(payload), payload);
    };
    const closed = () => files.map(({ seen }) => seen.closed);
    open(0, 'a');
    open(1, 'a');
    expect(closed()).toEqual([1, 0, 0, 0, 0]);
    open(2, 'b');
    open(3, 'c');
    expect(closed()).toEqual([1, 1, 0, 0, 0]);
    time.advance(120_000);
    transfers.sweep();
    expect(closed()).toEqual([1, 1, 1, 1, 0]);
    open(4, 'd');
    transfers.clear();
    expect(closed()).toEqual([1, 1, 1, 1, 1]);
    expect(transfers.size).toBe(0);
  });
});
