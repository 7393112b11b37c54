import { describe, expect, it } from 'vitest';
import { isUnknownCritical } from './option-numbers.ts';
import { readBlock, readUint, writeBlock, writeUint } from './option-values.ts';

describe('option values', () => {
  it.each([
    [0, []],
    [1, [1]],
    [255, [255]],
    [256, [1, 0]],
    [0xffffff, [255, 255, 255]],
    [0xffffffff, [255, 255, 255, 255]],
  ])('write %i in as few bytes as possible, and read it', (number, bytes) => {
    expect([...writeUint(number)]).toEqual(bytes);
    expect(readUint(Uint8Array.from(bytes))).toBe(number);
  });

  it('read numbers with leading zeros, and none of five bytes', () => {
    expect(readUint(Uint8Array.of(0, 0, 7))).toBe(7);
    expect(readUint(new Uint8Array(5))).toBeUndefined();
  });

  it.each([
    [{ number: 0, more: false, size: 16 }, []],
    [{ number: 0, more: true, size: 1024 }, [0x0e]],
    [{ number: 15, more: false, size: 64 }, [0xf2]],
    [{ number: 16, more: true, size: 512 }, [0x01, 0x0d]],
    [{ number: 0xfffff, more: true, size: 1024 }, [0xff, 0xff, 0xfe]],
  ])('write and read the block %j', (block, bytes) => {
    expect([...writeBlock(block)]).toEqual(bytes);
    expect(readBlock(Uint8Array.from(bytes))).toEqual(block);
  });

  it('read no block of the reserved size, and none of four bytes', () => {
    expect(readBlock(Uint8Array.of(0x07))).toBeUndefined();
    expect(readBlock(new Uint8Array(4))).toBeUndefined();
  });

  it('tell critical options that are not known from elective ones', () => {
    expect([9, 13, 2049].map(isUnknownCritical)).toEqual([true, true, true]);
    expect([1, 5].map(isUnknownCritical)).toEqual([true, true]);
    expect([2, 258, 11, 23, 35].map(isUnknownCritical)).toEqual([false, false, false, false, false]);
  });
});
