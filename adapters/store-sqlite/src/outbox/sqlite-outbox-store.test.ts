import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeOutboxStore, sampleOutboxEntry } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteOutboxStore } from './sqlite-outbox-store.ts';

for (const end of ['close', 'terminate'] as const) {
  let directory = '';
  let store: SqliteOutboxStore;

  const openIn = async () => {
    store = await SqliteOutboxStore.open({ directory, installationId: 'contract', now: () => 0, ballastBytes: 0 });
    return store;
  };

  describeOutboxStore(`SQLite, ended by ${end}`, {
    open() {
      directory = mkdtempSync(join(tmpdir(), 'moorage-outbox-'));
      return openIn();
    },
    async reopen() {
      await store[end]();
      return openIn();
    },
    async close() {
      await store.terminate();
      rmSync(directory, { recursive: true });
    },
  });
}

describe('the file of the outbox', () => {
  let directory = '';
  let store: SqliteOutboxStore;
  const TARGET = sampleOutboxEntry(1).message.targetId;
  const open = async (installationId = 'one') => {
    store = await SqliteOutboxStore.open({ directory, installationId, now: () => 0, ballastBytes: 0 });
    return store;
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-outbox-'));
  });
  afterEach(async () => {
    await store.terminate();
    rmSync(directory, { recursive: true });
  });

  it('is not made, nor its thread, before something is put down', async () => {
    await open();
    await store.load();
    await store.expire(1, 1);
    await store.removeTarget(TARGET);
    await store.suspend(TARGET, null);
    await store.statistics();
    expect(store.running).toBe(false);
    await store.close();
    expect(readdirSync(directory)).toEqual([]);
    await open();
    await Promise.all([store.append([sampleOutboxEntry(1)]), store.append([sampleOutboxEntry(2)])]);
    expect(store.running).toBe(true);
    expect((await store.read(TARGET, 0, 9)).length).toBe(2);
  });

  it('is removed by an orderly end that leaves nothing, and kept by one that does', async () => {
    await open();
    await store.append([sampleOutboxEntry(1)]);
    await store.close();
    expect(existsSync(join(directory, 'outbox.sqlite'))).toBe(true);
    await open();
    expect(store.running).toBe(true);
    await store.settle([1]);
    await store.suspend(TARGET, 'https://receiver.example.org/');
    await store.close();
    await open();
    expect((await store.load()).suspended).toHaveLength(1);
    await store.suspend(TARGET, null);
    await store.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('F2 is refused when it is of another installation or no database', async () => {
    await open();
    await store.append([sampleOutboxEntry(1)]);
    await store.close();
    await expect(open('other')).rejects.toMatchObject({ code: 'other-installation' });
    writeFileSync(
      join(directory, 'outbox.sqlite'),
      'this is no database, but long enough to look like one. '.repeat(200),
    );
    await expect(open()).rejects.toMatchObject({ code: 'corrupt-file' });
  });

  it('fails cleanly when its folder is gone, and takes changes again when it is back', async () => {
    await open();
    rmSync(directory, { recursive: true });
    expect(await store.append([sampleOutboxEntry(1)])).toBe('failed');
    expect(store.state).toBe('failed');
    mkdirSync(directory);
    expect(await store.append([sampleOutboxEntry(1)])).toBe('stored');
    expect(store.state).toBe('ok');
  });

  it('fails what is asked after the end', async () => {
    await open();
    await store.append([sampleOutboxEntry(1)]);
    await store.close();
    expect(await store.append([sampleOutboxEntry(2)])).toBe('failed');
    expect(await store.settle([1])).toBe('failed');
    await expect(store.read(TARGET, 0, 1)).rejects.toMatchObject({ code: 'worker-stopped' });
    await store.close();
  });

  it('removes many messages in slices, and lets later ones of the target stay', async () => {
    await open();
    for (let first = 1; first <= 4_500; first += 500) {
      await store.append(Array.from({ length: 500 }, (_, index) => sampleOutboxEntry(first + index)));
    }
    const [removed, added] = await Promise.all([
      store.removeTarget(TARGET),
      new Promise<unknown>((resolve) => setImmediate(resolve)).then(() => store.append([sampleOutboxEntry(5_000)])),
    ]);
    expect([removed, added]).toEqual(['stored', 'stored']);
    expect((await store.read(TARGET, 0, 9)).map(({ sequence }) => sequence)).toEqual([5_000]);
    expect(await store.statistics()).toMatchObject({ waiting: 1, dead: 0 });
  });
});
