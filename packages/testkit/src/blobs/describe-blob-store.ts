import type { BlobStore, BlobWriter } from '@moorage/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../telemetry/batches.ts';

/** Makes blob stores for the contract suite. */
export interface BlobStoreFactory {
  open(): Promise<BlobStore>;
  /** Ends what `open` made and removes its files. */
  close(): Promise<void>;
}

/** Bytes that do not repeat, the same in every run. */
export function sampleBytes(size: number, seed = 1): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: size }, () => Math.floor(random() * 256));
}

/** Stores bytes in parts of `partSize` bytes; returns the identifier. */
export async function storeBlob(store: BlobStore, bytes: Uint8Array, partSize = 10_000): Promise<string> {
  const writer = await store.create();
  for (let at = 0; at < bytes.length; at += partSize) {
    expect(await writer.write(bytes.subarray(at, at + partSize))).toBe('ok');
  }
  return finished(writer, bytes.length);
}

async function finished(writer: BlobWriter, size: number): Promise<string> {
  const outcome = await writer.finish();
  if (typeof outcome === 'string') throw new TypeError(`the blob was answered ${outcome}`);
  expect(outcome.size).toBe(size);
  return outcome.id;
}

/** All bytes of a blob; null: there is none. */
export async function loadBlob(store: BlobStore, id: string): Promise<Uint8Array | null> {
  const reader = await store.open(id);
  if (reader === null) return null;
  const bytes = await reader.read(0, reader.size);
  reader.close();
  return bytes;
}

/** Texts that must not lead out of the folder of a store, nor to anything in it. */
const HOSTILE_IDS = [
  '',
  '.',
  '..',
  '/',
  '../secret',
  '../../etc/passwd',
  '/etc/passwd',
  '..\\secret',
  'a/b',
  'a\u0000b',
  '%2e%2e%2fsecret',
  '__proto__',
  'x'.repeat(100_000),
  '00000000-0000-4000-8000-000000000000\n',
];

/** The contract of `BlobStore`, run on every implementation. */
export function describeBlobStore(name: string, factory: BlobStoreFactory): void {
  describe(`${name}: blobs`, () => {
    let store: BlobStore;
    beforeAll(async () => {
      store = await factory.open();
    });
    afterAll(() => factory.close());

    it('gives back what was written, in parts of any size', async () => {
      for (const [size, part] of [
        [0, 1],
        [1, 1],
        [65_535, 7000],
        [65_536, 65_536],
        [65_537, 100_000],
        [1_500_000, 130_001],
      ] as const) {
        const bytes = sampleBytes(size);
        const id = await storeBlob(store, bytes, part);
        expect(id).toMatch(/^[a-z0-9-]{1,64}$/);
        expect(Buffer.compare((await loadBlob(store, id)) ?? Buffer.from('none'), bytes)).toBe(0);
      }
    });

    it('takes the bytes at the call and in the order of the calls', async () => {
      const writer = await store.create();
      const bytes = Uint8Array.of(1, 2, 3);
      const writes = [writer.write(bytes)];
      bytes.fill(9);
      for (let index = 0; index < 50; index += 1) writes.push(writer.write(Uint8Array.of(index)));
      const id = await finished(writer, 53);
      expect(new Set(await Promise.all(writes))).toEqual(new Set(['ok']));
      const expected = Uint8Array.of(1, 2, 3, ...Array.from({ length: 50 }, (_, index) => index));
      expect(await loadBlob(store, id).then((read) => [...(read ?? [])])).toEqual([...expected]);
    });

    it('lists finished blobs, and neither those being written nor those thrown away', async () => {
      const before = new Set(await store.list());
      const open = await store.create();
      await open.write(sampleBytes(100));
      const thrown = await store.create();
      await thrown.write(sampleBytes(100));
      await thrown.abort();
      await thrown.abort();
      expect(new Set(await store.list())).toEqual(before);
      expect(await thrown.write(sampleBytes(1))).toBe('failed');
      expect(await thrown.finish()).toBe('failed');
      const id = await finished(open, 100);
      expect(new Set(await store.list())).toEqual(new Set([...before, id]));
      expect(await open.finish()).toBe('failed');
      expect(await open.write(sampleBytes(1))).toBe('failed');
      await open.abort();
      expect(await loadBlob(store, id)).toHaveLength(100);
    });

    it('keeps blobs that are written at the same time apart', async () => {
      const blobs = Array.from({ length: 20 }, (_, index) => sampleBytes(30_000 + index, index + 1));
      const ids = await Promise.all(blobs.map((bytes) => storeBlob(store, bytes, 4096)));
      expect(new Set(ids).size).toBe(20);
      for (const [index, id] of ids.entries()) {
        expect(Buffer.compare((await loadBlob(store, id)) ?? Buffer.from('none'), blobs[index] ?? Buffer.of())).toBe(0);
      }
    });

    it('reads any part, fewer bytes at the end and none behind it', async () => {
      const bytes = sampleBytes(200_000);
      const reader = await store.open(await storeBlob(store, bytes));
      if (reader === null) throw new TypeError('the blob is gone');
      expect(reader.size).toBe(200_000);
      const random = seededRandom(5);
      for (let round = 0; round < 300; round += 1) {
        const offset = Math.floor(random() * 210_000);
        const length = Math.floor(random() * (round % 3 === 0 ? 150_000 : 5000));
        const part = await reader.read(offset, length);
        expect(Buffer.compare(part, bytes.subarray(offset, offset + length))).toBe(0);
      }
      expect(await reader.read(0, 0)).toHaveLength(0);
      expect(await reader.read(199_999, 4096)).toEqual(bytes.slice(199_999));
      expect(await reader.read(200_000, 1)).toHaveLength(0);
      expect(await reader.read(1e300, 1e300)).toHaveLength(0);
      expect(await reader.read(0, Number.MAX_SAFE_INTEGER)).toHaveLength(200_000);
      for (const [offset, length] of [
        [-1, 1],
        [0, -1],
        [0.5, 1],
        [0, Number.NaN],
        [Number.POSITIVE_INFINITY, 1],
      ] as const) {
        await expect(reader.read(offset, length)).rejects.toThrow(RangeError);
      }
      reader.close();
    });

    it('gives every reader bytes of its own', async () => {
      const bytes = sampleBytes(100_000);
      const id = await storeBlob(store, bytes);
      const [first, second] = await Promise.all([store.open(id), store.open(id)]);
      for (const [offset, length] of [
        [0, 100_000],
        [100, 4096],
      ] as const) {
        (await first?.read(offset, length))?.fill(0);
        expect(
          Buffer.compare((await second?.read(offset, length)) ?? Buffer.of(), bytes.subarray(offset, offset + length)),
        ).toBe(0);
      }
      first?.close();
      second?.close();
    });

    it('shows a part that is in memory as it is, and nothing after close', async () => {
      const bytes = sampleBytes(150_000);
      const reader = await store.open(await storeBlob(store, bytes));
      if (reader === null) throw new TypeError('the blob is gone');
      for (const [offset, length] of [
        [0, 4096],
        [65_000, 2000],
        [149_999, 4096],
      ] as const) {
        await reader.read(offset, length);
        const part = reader.peek?.(offset, length) ?? null;
        if (part !== null) expect(Buffer.compare(part, bytes.subarray(offset, offset + length))).toBe(0);
      }
      for (const [offset, length] of [
        [150_000, 1],
        [-1, 1],
        [0, -1],
        [0.5, 1],
        [0, 0],
        [0, Number.NaN],
        [1e300, 1],
      ] as const)
        expect(reader.peek?.(offset, length) ?? null).toBeNull();
      reader.close();
      expect(reader.peek?.(0, 4096) ?? null).toBeNull();
    });

    it('serves a thousand readers of one blob, each at its own place', async () => {
      const bytes = sampleBytes(300_000);
      const id = await storeBlob(store, bytes);
      const readers = await Promise.all(Array.from({ length: 1000 }, () => store.open(id)));
      const parts = await Promise.all(readers.map((reader, index) => reader?.read(index * 290, 1000)));
      for (const [index, part] of parts.entries()) {
        expect(Buffer.compare(part ?? Buffer.of(), bytes.subarray(index * 290, index * 290 + 1000))).toBe(0);
      }
      for (const reader of readers) reader?.close();
    });

    it('ends a reader without ending the others of its blob', async () => {
      const bytes = sampleBytes(10);
      const id = await storeBlob(store, bytes);
      const [first, second] = await Promise.all([store.open(id), store.open(id)]);
      first?.close();
      first?.close();
      await expect(first?.read(0, 1)).rejects.toThrow(TypeError);
      expect(await second?.read(0, 10)).toEqual(bytes);
      second?.close();
      expect(await loadBlob(store, id)).toEqual(bytes);
    });

    it('removes a blob for all but the readers that are open', async () => {
      const bytes = sampleBytes(200_000);
      const id = await storeBlob(store, bytes);
      const reader = await store.open(id);
      expect(await reader?.read(0, 10)).toHaveLength(10);
      await store.remove(id);
      await store.remove(id);
      expect(await store.open(id)).toBeNull();
      expect(await store.list()).not.toContain(id);
      expect(Buffer.compare((await reader?.read(0, 200_000)) ?? Buffer.of(), bytes)).toBe(0);
      expect(await reader?.read(150_000, 10)).toEqual(bytes.slice(150_000, 150_010));
      reader?.close();
      expect(await store.open(id)).toBeNull();
    });

    it('knows no blob by a text that is no identifier, and removes nothing for it', async () => {
      const id = await storeBlob(store, sampleBytes(10));
      for (const hostile of [...HOSTILE_IDS, `./${id}`, `${id}/`, ` ${id}`, `${id}.tmp`, id.toUpperCase()]) {
        expect(await store.open(hostile)).toBeNull();
        await store.remove(hostile);
      }
      expect(await loadBlob(store, id)).toHaveLength(10);
    });
  });
}
