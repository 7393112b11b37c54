import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireReader, WireType } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

describe('the wire format', () => {
  it('reads back every number, block and kind of field', () => {
    const words = fc.record({ field: fc.integer({ min: 1, max: 2 ** 29 - 1 }), value: fc.bigInt(0n, 2n ** 64n - 1n) });
    fc.assert(
      fc.property(words, fc.uint8Array({ maxLength: 300 }), fc.double(), ({ field, value }, bytes, double) => {
        const writer = new WireWriter();
        writer.number(field, value);
        writer.tag(field, WireType.Bytes);
        writer.block(bytes);
        writer.tag(field, WireType.Fixed64);
        writer.fixed64(value);
        writer.tag(field, WireType.Fixed64);
        writer.double(double);
        writer.tag(field, WireType.Fixed32);
        writer.fixed32(Number(value & 0xffff_ffffn));
        writer.tag(field, WireType.Fixed32);
        writer.float(Math.fround(double));
        const reader = new WireReader(writer.finish());
        const read = [() => reader.varint(), () => reader.block(), () => reader.fixed64(), () => reader.double()];
        read.push(
          () => reader.fixed32(),
          () => reader.float(),
        );
        const found = read.map((next) => [reader.next(), next()]);
        const expected = [value, bytes, value, double, Number(value & 0xffff_ffffn), Math.fround(double)];
        expect(found).toEqual(expected.map((one) => [field, one]));
        expect([reader.next(), reader.done, reader.malformed]).toEqual([0, true, false]);
      }),
      { numRuns: 500 },
    );
  });

  it('a negative number takes ten bytes, as its 64-bit complement', () => {
    const writer = new WireWriter();
    writer.varint(-1n);
    expect([...writer.finish()]).toEqual([255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    expect(new WireReader(writer.finish()).varint()).toBe(2n ** 64n - 1n);
  });

  it('a field number of zero, a group and an unknown wire type are malformed', () => {
    for (const tag of [0x00, 0x02, 0x0b, 0x0c, 0x0e, 0x0f]) {
      const reader = new WireReader(Uint8Array.of(tag, 0, 0, 0, 0, 0, 0, 0, 0, 0));
      expect([reader.next(), reader.malformed], String(tag)).toEqual([0, true]);
    }
  });

  it('never reads beyond the end and never loops, whatever the bytes are [B5]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const reader = new WireReader(bytes);
        let fields = 0;
        while (reader.next() !== 0) {
          reader.skip();
          fields++;
        }
        expect(fields).toBeLessThanOrEqual(bytes.length);
        expect(reader.done).toBe(true);
        expect([reader.varint(), reader.fixed32(), reader.fixed64(), reader.block().length]).toEqual([0n, 0, 0n, 0]);
      }),
      { numRuns: 2000 },
    );
  });
});
