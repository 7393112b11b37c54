import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeBlobStore, loadBlob, sampleBytes, storeBlob } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileBlobStore, type FileBlobStore } from './file-blob-store.ts';
import { RecordingFiles } from './testing/recording-files.ts';

const KIB = 1024;

const report = (error: unknown): void => {
  throw error;
};

let shared: { readonly directory: string; readonly store: FileBlobStore; readonly files: RecordingFiles } | undefined;
describeBlobStore('files', {
  open: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'moorage-blobs-'));
    const files = new RecordingFiles();
    const store = await createFileBlobStore({ directory, report, files });
    shared = { directory, store, files };
    return store;
  },
  close: async () => {
    await shared?.store.close();
    expect(shared?.files.openFiles).toBe(0);
    if (shared !== undefined) await rm(shared.directory, { recursive: true });
  },
});

describe('files: the folder of the blobs', () => {
  let directory: string;
  let folder: string;
  let files: RecordingFiles;
  let reports: unknown[];
  let store: FileBlobStore;
  const open = (cacheBytes?: number) =>
    createFileBlobStore({
      directory,
      files,
      report: (error) => reports.push(error),
      ...(cacheBytes === undefined ? {} : { cacheBytes }),
    });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'moorage-blobs-'));
    folder = join(directory, 'blobs');
    files = new RecordingFiles();
    reports = [];
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
    expect(files.openFiles).toBe(0);
  });

  it('is readable by its owner only', async () => {
    const id = await storeBlob(store, sampleBytes(10));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, id))).mode & 0o777).toBe(0o600);
  });

  it('has a blob under its name only when its bytes are on the disk, and then makes the name durable', async () => {
    files.calls.length = 0;
    const id = await storeBlob(store, sampleBytes(10));
    expect(files.calls).toEqual([
      `open ${id}.tmp`,
      `write ${id}.tmp`,
      `sync ${id}.tmp`,
      `close ${id}.tmp`,
      `rename ${id}`,
      'open blobs',
      'sync blobs',
      'close blobs',
    ]);
    expect(await readdir(folder)).toEqual([id]);
  });

  it('keeps finished blobs across a restart and loses what was left half written, but no other file', async () => {
    const id = await storeBlob(store, sampleBytes(10));
    const writer = await store.create();
    await writer.write(sampleBytes(10));
    const [half] = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
    const copy = await readFile(join(folder, half ?? ''));
    await store.close();
    expect(await readdir(folder)).toEqual([id]);
    await writeFile(join(folder, half ?? ''), copy);
    await writeFile(join(folder, 'notes.tmp'), 'of the operator');
    store = await open();
    expect((await readdir(folder)).sort()).toEqual([id, 'notes.tmp'].sort());
    expect(await store.list()).toEqual([id]);
    expect(await loadBlob(store, id)).toEqual(sampleBytes(10));
  });

  it('asks the file system nothing for a text that is no identifier', async () => {
    const secret = join(directory, 'secret');
    await writeFile(secret, 'x');
    await mkdir(join(folder, 'sub'));
    files.calls.length = 0;
    for (const id of ['../secret', 'sub', 'sub/../../secret', secret, '..', '.', '', 'a'.repeat(36)]) {
      expect(await store.open(id)).toBeNull();
      await store.remove(id);
    }
    expect(files.calls).toEqual([]);
    expect(await readFile(secret, 'utf8')).toBe('x');
  });

  it('answers full or failed at any step of writing, says so ever after, and leaves no file behind', async () => {
    const id = await storeBlob(store, sampleBytes(10));
    for (const call of ['open', 'write', 'sync', 'rename', 'sync blobs', 'open blobs']) {
      for (const [code, answer] of [
        ['ENOSPC', 'full'],
        ['EDQUOT', 'full'],
        ['EIO', 'failed'],
      ] as const) {
        files.faults.set(call, code);
        reports.length = 0;
        const writer = await store.create();
        await writer.write(sampleBytes(10));
        expect(await writer.finish()).toBe(answer);
        files.faults.clear();
        expect(await writer.finish()).toBe('failed');
        expect(await readdir(folder)).toEqual([id]);
        expect(reports).toHaveLength(answer === 'failed' ? 1 : 0);
        expect(files.openFiles).toBe(0);
      }
    }
    files.faults.set('write', 'ENOSPC');
    const writer = await store.create();
    expect(await Promise.all([writer.write(sampleBytes(10)), writer.write(sampleBytes(10))])).toEqual(['full', 'full']);
    files.faults.clear();
    expect(await readdir(folder)).toEqual([id]);
    expect(await writer.write(sampleBytes(10))).toBe('full');
    await writer.abort();
    expect(await loadBlob(store, await storeBlob(store, sampleBytes(20)))).toHaveLength(20);
  });

  it('answers full on a disk that is full, and goes on when there is room again', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', folder]);
    try {
      const id = await storeBlob(store, sampleBytes(600 * KIB));
      const writer = await store.create();
      const outcomes: string[] = [];
      for (let part = 0; part < 20; part += 1) outcomes.push(await writer.write(sampleBytes(50 * KIB)));
      expect(outcomes[0]).toBe('ok');
      expect(outcomes.at(-1)).toBe('full');
      expect(await writer.finish()).toBe('full');
      expect(await readdir(folder)).toEqual([id]);
      await store.remove(id);
      await store.remove(await storeBlob(store, sampleBytes(900 * KIB)));
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it('opens one file for a thousand readers, and closes it with the last of them', async () => {
    const id = await storeBlob(store, sampleBytes(10));
    files.calls.length = 0;
    const readers = await Promise.all(Array.from({ length: 1000 }, () => store.open(id)));
    expect(files.count('open')).toBe(1);
    expect(files.openFiles).toBe(1);
    for (const reader of readers.slice(1)) reader?.close();
    expect(await readers[0]?.read(0, 1)).toHaveLength(1);
    readers[0]?.close();
    const again = await store.open(id);
    expect(await again?.read(0, 10)).toHaveLength(10);
    again?.close();
    expect(files.count('open')).toBe(2);
  });

  it('reads a block once for all who download in small parts, at the same time or one after the other', async () => {
    const bytes = sampleBytes(256 * KIB);
    const id = await storeBlob(store, bytes);
    files.calls.length = 0;
    const download = async (): Promise<number> => {
      const reader = await store.open(id);
      let read = 0;
      for (let at = 0; at < bytes.length; at += 4 * KIB) {
        const part = await reader?.read(at, 4 * KIB);
        read += Buffer.compare(part ?? Buffer.of(), bytes.subarray(at, at + 4 * KIB)) === 0 ? 4 * KIB : 0;
      }
      reader?.close();
      return read;
    };
    expect(await Promise.all(Array.from({ length: 50 }, download))).toEqual(Array(50).fill(bytes.length));
    expect(await download()).toBe(bytes.length);
    expect(files.count('read')).toBe(4);
  });

  it('shows a part of a block that was read as a view of it, and none that lies in two', async () => {
    const id = await storeBlob(store, sampleBytes(200_000));
    const reader = await store.open(id);
    expect(reader?.peek?.(0, 4096)).toBeNull();
    await reader?.read(0, 10);
    const part = reader?.peek?.(61_440, 4096);
    expect(part).toHaveLength(4096);
    expect(reader?.peek?.(0, 4096)?.buffer).toBe(part?.buffer);
    expect(reader?.peek?.(65_000, 4096)).toBeNull();
    await store.remove(id);
    expect(reader?.peek?.(0, 4096)).toBeNull();
    reader?.close();
  });

  it('keeps no more in memory than its bound, the parts used last', async () => {
    await store.close();
    store = await open(2 * 64 * KIB);
    const reader = await store.open(await storeBlob(store, sampleBytes(256 * KIB)));
    const touch = (...blocks: number[]) =>
      blocks.reduce<Promise<unknown>>(
        (before, block) => before.then(() => reader?.read(block * 64 * KIB, 1)),
        Promise.resolve(),
      );
    files.calls.length = 0;
    await touch(0, 1, 0, 1);
    expect(files.count('read')).toBe(2);
    await touch(0, 2, 0);
    expect(files.count('read')).toBe(3);
    await touch(1);
    expect(files.count('read')).toBe(4);
    reader?.close();
  });

  it('reads long parts past the cache, and every part without one', async () => {
    const bytes = sampleBytes(1200 * KIB);
    const id = await storeBlob(store, bytes);
    files.calls.length = 0;
    expect(await loadBlob(store, id)).toHaveLength(bytes.length);
    expect(files.count('read')).toBe(1);
    await store.close();
    store = await open(0);
    const reader = await store.open(id);
    files.calls.length = 0;
    for (let round = 0; round < 5; round += 1) expect(await reader?.read(10, 10)).toEqual(bytes.slice(10, 20));
    expect(files.count('read')).toBe(5);
    reader?.close();
  });

  it('tells everyone who waits for a part that it cannot be read, and tries again for the next one', async () => {
    const id = await storeBlob(store, sampleBytes(100));
    const readers = await Promise.all([store.open(id), store.open(id)]);
    files.faults.set('read', 'EIO');
    const outcomes = await Promise.allSettled(readers.map((reader) => reader?.read(0, 10)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    files.faults.clear();
    expect(await readers[0]?.read(0, 10)).toHaveLength(10);
    for (const reader of readers) reader?.close();
    files.faults.set('open', 'EMFILE');
    await expect(store.open(id)).rejects.toMatchObject({ code: 'EMFILE' });
    files.faults.clear();
    files.faults.set('stat', 'EIO');
    await expect(store.open(id)).rejects.toMatchObject({ code: 'EIO' });
    files.faults.clear();
    expect(await loadBlob(store, id)).toHaveLength(100);
    files.faults.set('unlink', 'EIO');
    await expect(store.remove(id)).rejects.toMatchObject({ code: 'EIO' });
    files.faults.clear();
  });

  it('rejects a blob that has become shorter instead of waiting for its end', async () => {
    const id = await storeBlob(store, sampleBytes(100));
    const reader = await store.open(id);
    await truncate(join(folder, id), 50);
    await expect(reader?.read(0, 100)).rejects.toMatchObject({ code: 'truncated-blob' });
    reader?.close();
  });

  it('reports a file that could not be closed', async () => {
    const id = await storeBlob(store, sampleBytes(100));
    const reader = await store.open(id);
    files.faults.set('close', 'EIO');
    reader?.close();
    await store.close();
    expect(reports).toEqual([expect.objectContaining({ code: 'EIO' })]);
  });

  it('closes every file at its end and is of no use afterwards', async () => {
    const id = await storeBlob(store, sampleBytes(100));
    const reader = await store.open(id);
    const writer = await store.create();
    await writer.write(sampleBytes(10));
    await store.close();
    await store.close();
    expect(files.openFiles).toBe(0);
    await expect(reader?.read(0, 10)).rejects.toThrow();
    reader?.close();
    expect(await writer.finish()).toBe('failed');
    expect(await readdir(folder)).toEqual([id]);
    for (const call of [() => store.open(id), () => store.create(), () => store.remove(id), () => store.list()]) {
      await expect(call()).rejects.toThrow(TypeError);
    }
  });
});
