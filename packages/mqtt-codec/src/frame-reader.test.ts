import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_ERROR, FRAME_NEED_MORE, FRAME_READY, FrameReader } from './frame-reader.ts';
import { LEGAL_VECTORS } from './vectors/all-vectors.ts';
import { decodeChunks } from './vectors/decode-bytes.ts';
import { bytes, hex, packet, vbi } from './vectors/wire.ts';

const MIB_256 = 268_435_455;

/** Pushes chunks and gives every packet as hex, then the error's code if there is one. */
function cut(reader: FrameReader, chunks: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let result = reader.next(); result !== FRAME_NEED_MORE; result = reader.next()) {
      if (result === FRAME_ERROR) return [...found, `error ${reader.error?.reasonCode.toString(16)}`];
      expect(reader.buffer[reader.start]).toBe(reader.firstByte);
      found.push(hex(reader.buffer.subarray(reader.start, reader.end)));
    }
  }
  return found;
}

function split(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const points = [0, ...cuts.map((point) => point % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return points.slice(1).map((point, index) => whole.slice(points[index], point));
}

describe('cutting', () => {
  it('gives a packet inside a chunk as a range of that chunk, without a copy', () => {
    const chunk = bytes(packet(0xc0), packet(0x30, 'a', 1, 2), packet(0xe0));
    const reader = new FrameReader(100);
    reader.push(chunk);
    expect(reader.next()).toBe(FRAME_READY);
    expect(reader.next()).toBe(FRAME_READY);
    expect(reader.buffer).toBe(chunk);
    expect(reader).toMatchObject({ firstByte: 0x30, start: 2, bodyStart: 4, end: 9, pendingBytes: 0, error: null });
    expect(reader.next()).toBe(FRAME_READY);
    expect(reader.next()).toBe(FRAME_NEED_MORE);
    expect(reader.buffer.length).toBe(0);
  });

  it('finds the same packets at any split of the bytes [MQTT-6.0.0-2] K-61', () => {
    const packets = LEGAL_VECTORS.map((vector) => vector.bytes);
    const list = fc.array(fc.constantFrom(...packets), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(list, fc.array(fc.nat(), { maxLength: 12 }), (chosen, cuts) => {
        const whole = bytes(...chosen);
        expect(cut(new FrameReader(1_000_000), split(whole, cuts))).toEqual(chosen.map(hex));
      }),
      { numRuns: 500 },
    );
  });

  it('decodes the same packets byte by byte as at once K-61', () => {
    for (const level of [3, 4, 5] as const) {
      const whole = bytes(...LEGAL_VECTORS.filter((vector) => vector.levels.includes(level)).map((v) => v.bytes));
      const atOnce = decodeChunks(level, [whole]);
      expect(
        decodeChunks(
          level,
          Array.from(whole, (byte) => Uint8Array.of(byte)),
        ),
      ).toEqual(atOnce);
      expect(atOnce.length).toBe(LEGAL_VECTORS.filter((vector) => vector.levels.includes(level)).length);
    }
  });

  it('gives the same result at any split when the bytes are not legal', () => {
    const input = fc.array(fc.oneof(fc.constantFrom(0x30, 0x82, 0x00, 0x01, 0x80, 0xff), fc.nat(255)), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(input, fc.array(fc.nat(), { maxLength: 8 }), fc.boolean(), (values, cuts, strict) => {
        const whole = Uint8Array.from(values);
        const [once, often] = [new FrameReader(300), new FrameReader(300)];
        once.strictLength = strict;
        often.strictLength = strict;
        expect(cut(often, split(whole, cuts))).toEqual(cut(once, [whole]));
        expect(often.pendingBytes).toBe(once.pendingBytes);
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes empty chunks', () => {
    const reader = new FrameReader(100);
    const none = new Uint8Array(0);
    expect(cut(reader, [none, Uint8Array.of(0xc0), none, Uint8Array.of(0x00), none])).toEqual(['c0 00']);
  });

  it('keeps its own copy of an incomplete packet, so that the host may use its buffer again', () => {
    const reader = new FrameReader(100);
    const whole = packet(0x30, 'topic', 1, 2, 3);
    const reused = whole.slice(0, 5);
    expect(cut(reader, [reused])).toEqual([]);
    expect(reader.pendingBytes).toBe(5);
    reused.fill(0xff);
    expect(cut(reader, [whole.slice(5)])).toEqual([hex(whole)]);
    expect(reader.pendingBytes).toBe(0);
  });
});

describe('Remaining Length', () => {
  it.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151])('reads %i [MQTT-1.5.5-1]', (length) => {
    const whole = bytes(0x30, vbi(length), new Uint8Array(length));
    const reader = new FrameReader(3_000_000);
    reader.strictLength = true;
    reader.push(whole);
    expect(reader.next()).toBe(FRAME_READY);
    expect([reader.bodyStart, reader.end]).toEqual([1 + vbi(length).length, whole.length]);
  });

  it('announces 2,097,152 and 268,435,455 in four bytes', () => {
    for (const length of [2_097_152, MIB_256]) {
      const reader = new FrameReader(MIB_256 + 5);
      expect(cut(reader, [bytes(0x30, vbi(length))])).toEqual([]);
      expect(reader).toMatchObject({ error: null, pendingBytes: 5 });
    }
  });

  it('is refused with 0x81 on its fifth byte, or earlier, on every version', () => {
    for (const strict of [false, true]) {
      const reader = new FrameReader(MIB_256 + 5);
      reader.strictLength = strict;
      expect(cut(reader, [bytes(0x30, 0xff, 0xff, 0xff, 0xff)])).toEqual(['error 81']);
      expect(reader.error?.answerable).toBe(strict);
    }
  });

  it.each([[[0x80, 0x00]], [[0x81, 0x00]], [[0x80, 0x80, 0x00]], [[0x80, 0x80, 0x80, 0x00]]])(
    'in a form that is not the shortest is refused on 5.0 only: %j [MQTT-1.5.5-1]',
    (length) => {
      const whole = bytes(0xc0, length, length[0] === 0x81 ? 7 : []);
      const strict = new FrameReader(100);
      strict.strictLength = true;
      expect(cut(strict, [whole])).toEqual(['error 81']);
      expect(cut(new FrameReader(100), [whole])).toEqual([hex(whole)]);
    },
  );
});

describe('packet size', () => {
  it('K-34 U-20 allows a packet of exactly the maximum and not one byte more [MQTT-3.2.2-15]', () => {
    const exact = bytes(0x30, vbi(200), new Uint8Array(200));
    expect(cut(new FrameReader(203), [exact])).toEqual([hex(exact)]);
    expect(cut(new FrameReader(202), [exact])).toEqual(['error 95']);
  });

  it('U-13 answers 0x95 as soon as the Remaining Length is read, before the body', () => {
    const reader = new FrameReader(1_048_576);
    reader.strictLength = true;
    expect(cut(reader, [Uint8Array.of(0x30, 0x80), Uint8Array.of(0x80), Uint8Array.of(0x40)])).toEqual(['error 95']);
    expect(reader).toMatchObject({ pendingBytes: 0, error: { answerable: true } });
  });

  it('may be raised between packets', () => {
    const reader = new FrameReader(10);
    expect(cut(reader, [packet(0xc0)])).toEqual(['c0 00']);
    reader.maximumPacketSize = 30;
    expect(cut(reader, [packet(0x30, new Uint8Array(20))])).toHaveLength(1);
  });

  it('ends for good with an error', () => {
    const reader = new FrameReader(10);
    expect(cut(reader, [bytes(0x30, 50, packet(0xc0))])).toEqual(['error 95']);
    expect(cut(reader, [packet(0xc0)])).toEqual(['error 95']);
  });
});

describe('memory', () => {
  it('an announced packet of 256 MiB followed by silence costs nothing in proportion', () => {
    const announcement = bytes(0x30, vbi(MIB_256), 'a');
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 500 }, () => {
      const reader = new FrameReader(MIB_256 + 5);
      expect(cut(reader, [announcement])).toEqual([]);
      return reader;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
    expect(readers.every((reader) => reader.pendingBytes === announcement.length)).toBe(true);
  });

  it('holds at most twice what has arrived of a big packet', () => {
    const arrived = 1024 * 1024;
    const reader = new FrameReader(MIB_256 + 5);
    const chunk = new Uint8Array(16 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    expect(cut(reader, [bytes(0x30, vbi(MIB_256))])).toEqual([]);
    for (let sent = 0; sent < arrived; sent += chunk.length) expect(cut(reader, [chunk])).toEqual([]);
    expect(reader.pendingBytes).toBe(arrived + 5);
    // The copies that growing left behind may still await collection: 2 + 1 + 1/2 + ... times what arrived.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5 * arrived);
  });

  it('a packet in many chunks is copied a bounded number of times', () => {
    const body = new Uint8Array(400_000).map((_, index) => index);
    const whole = bytes(0x30, vbi(body.length), body);
    const chunks = Array.from({ length: Math.ceil(whole.length / 7) }, (_, index) =>
      whole.slice(index * 7, index * 7 + 7),
    );
    const reader = new FrameReader(1_000_000);
    const buffers = new Set<Uint8Array>();
    for (const chunk of chunks) {
      reader.push(chunk);
      while (reader.next() === FRAME_READY) buffers.add(reader.buffer);
    }
    const [collected] = buffers;
    expect(buffers.size).toBe(1);
    expect(collected?.length).toBe(whole.length);
    expect(collected).toEqual(whole);
  });
});
