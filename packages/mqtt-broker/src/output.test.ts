import { FakeTime, MemoryStream } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { BlockPool, LARGEST_BLOCK } from './block-pool.ts';
import { Counters } from './counters.ts';
import { DEFAULT_BROKER_LIMITS } from './limits.ts';
import { Output, type OutputOwner } from './output.ts';

function setUp(limits = DEFAULT_BROKER_LIMITS) {
  const time = new FakeTime();
  const pool = new BlockPool();
  const stream = new MemoryStream();
  const owner: OutputOwner = {
    pool,
    limits,
    counters: new Counters(),
    markDirty: (output) => time.endOfTurn(() => output.flush()),
    goOnLater: (waiting) => time.endOfTurn(() => waiting.goOn()),
  };
  let watched = 0;
  const output = new Output(owner, stream, { watch: () => watched++, unblocked() {}, pullFailed() {} });
  stream.start({ onData() {}, onDrain: () => output.drained(), onClose: () => output.discard() });
  return { time, pool, stream, output, watched: () => watched };
}

function packet(size: number, fill: number): Uint8Array {
  return new Uint8Array(size).fill(fill);
}

describe('Output', () => {
  it('writes ten packets of one turn in one write', () => {
    const { time, stream, output, pool } = setUp();
    for (let index = 0; index < 10; index++) output.stage(packet(80, index));
    expect(stream.writes).toHaveLength(0);
    time.endTurn();
    expect(stream.writes).toHaveLength(1);
    expect(stream.writes[0]).toEqual(Uint8Array.from({ length: 800 }, (_, at) => Math.floor(at / 80)));
    expect(pool.free).toBe(1);
  });

  it('owns no block while idle, and uses the same one again', () => {
    const { time, output, pool } = setUp();
    for (let turn = 0; turn < 5; turn++) {
      output.stage(packet(100, turn));
      time.endTurn();
      expect(pool.free).toBe(1);
    }
  });

  it('grows from 4 KiB to 64 KiB without losing what was staged, and writes a full block at once', () => {
    const { time, stream, output } = setUp();
    for (let index = 0; index < 100; index++) output.stage(packet(1_000, index));
    expect(stream.writes).toHaveLength(1);
    expect(stream.writes[0]?.length).toBeGreaterThan(LARGEST_BLOCK - 1_000);
    time.endTurn();
    const all = stream.writes.flatMap((bytes) => [...bytes]);
    expect(all).toHaveLength(100_000);
    expect(all.every((byte, at) => byte === Math.floor(at / 1_000))).toBe(true);
  });

  it('writes after 1,000 packets without waiting for the end of the turn', () => {
    const { stream, output } = setUp();
    for (let index = 0; index < 1_000; index++) output.stage(packet(2, 1));
    expect(stream.writes).toHaveLength(1);
  });

  it('sends a packet larger than any block', () => {
    const { time, stream, output, pool } = setUp();
    output.stage(packet(10, 1));
    output.stage(packet(200_000, 2));
    output.stage(packet(10, 3));
    time.endTurn();
    expect(stream.writes.map((bytes) => bytes.length)).toEqual([10, 200_000, 10]);
    expect(pool.free).toBe(1);
  });

  it('does not touch a block that belongs to the stream, and goes on when it has drained', () => {
    const { time, stream, output, pool, watched } = setUp();
    stream.stalled = true;
    output.stage(packet(10, 1));
    time.endTurn();
    expect(output.blocked).toBe(true);
    expect(watched()).toBe(1);
    for (let index = 0; index < 100; index++) output.stage(packet(10, 2));
    time.endTurn();
    expect(output.backlog).toBe(1_010);
    stream.drain();
    expect(output.blocked).toBe(false);
    expect(stream.writes.map((bytes) => bytes.length)).toEqual([10, 1_000]);
    expect(pool.free).toBe(2);
  });

  it('tells that a packet was written once the kernel has it', () => {
    const { time, stream, output } = setUp();
    const told: string[] = [];
    output.stage(packet(10, 1));
    output.whenWritten(() => told.push('first'));
    time.endTurn();
    expect(told).toEqual(['first']);
    stream.stalled = true;
    output.stage(packet(10, 1));
    output.whenWritten(() => told.push('second'));
    time.endTurn();
    expect(told).toEqual(['first']);
    stream.drain();
    expect(told).toEqual(['first', 'second']);
  });
});
