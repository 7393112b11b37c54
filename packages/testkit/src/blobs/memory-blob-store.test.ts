import { expect, it } from 'vitest';
import { describeBlobStore, loadBlob, sampleBytes, storeBlob } from './describe-blob-store.ts';
import { MemoryBlobStore } from './memory-blob-store.ts';

const stores: MemoryBlobStore[] = [];
describeBlobStore('memory', {
  open: async () => {
    const store = new MemoryBlobStore();
    stores.push(store);
    return store;
  },
  close: async () => {
    for (const { openReaders, openWriters } of stores)
      expect({ openReaders, openWriters }).toEqual({ openReaders: 0, openWriters: 0 });
  },
});

it('memory: answers full beyond its capacity and keeps nothing of that blob', async () => {
  const store = new MemoryBlobStore({ capacity: 100 });
  const id = await storeBlob(store, sampleBytes(60));
  const writer = await store.create();
  expect(await writer.write(sampleBytes(30))).toBe('ok');
  expect(await writer.write(sampleBytes(30))).toBe('full');
  expect(await writer.write(sampleBytes(1))).toBe('full');
  expect(await writer.finish()).toBe('full');
  expect(await store.list()).toEqual([id]);
  await storeBlob(store, sampleBytes(40));
  await store.remove(id);
  expect(await loadBlob(store, await storeBlob(store, sampleBytes(60)))).toHaveLength(60);
  store.troubles.push('failed');
  const failing = await store.create();
  expect(await failing.write(sampleBytes(1))).toBe('failed');
  await failing.abort();
  expect(store).toMatchObject({ openReaders: 0, openWriters: 0 });
});
