import { MemoryBlobStore } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { BlobReader } from '../ports/blob-store.ts';
import { SharedBlobs } from './shared-blobs.ts';

async function stored(text: string) {
  const store = new MemoryBlobStore();
  const writer = await store.create();
  await writer.write(new TextEncoder().encode(text));
  const blob = await writer.finish();
  if (typeof blob === 'string') throw new TypeError(blob);
  return { store, id: blob.id, blobs: new SharedBlobs(store) };
}

function opened(reader: BlobReader | null): BlobReader {
  if (reader === null) throw new TypeError('there is no such blob');
  return reader;
}

describe('shared blobs', () => {
  it('are open once, until the last reader is closed, and can be opened again', async () => {
    const { store, id, blobs } = await stored('data');
    const [a, b] = (await Promise.all([blobs.open(id), blobs.open(id)])).map(opened);
    expect(store.openReaders).toBe(1);
    a?.close();
    a?.close();
    expect(store.openReaders).toBe(1);
    expect(await b?.read(1, 2)).toEqual(new TextEncoder().encode('at'));
    b?.close();
    expect(store.openReaders).toBe(0);
    const again = opened(await blobs.open(id));
    expect(again.size).toBe(4);
    again.close();
  });

  it('that do not exist, or cannot be read, are asked for again', async () => {
    const { store, id, blobs } = await stored('data');
    expect(await blobs.open('missing')).toBeNull();
    const open = store.open.bind(store);
    store.open = () => Promise.reject(new RangeError('disk'));
    await expect(blobs.open(id)).rejects.toThrow('disk');
    store.open = open;
    opened(await blobs.open(id)).close();
    expect(store.openReaders).toBe(0);
  });
});
