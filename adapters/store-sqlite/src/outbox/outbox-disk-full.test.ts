import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleOutboxEntry, sampleWebhook, seededRandom } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk, unmountSmallDisk } from '../testing/small-disk.ts';
import { SqliteOutboxStore } from './sqlite-outbox-store.ts';

const MIB = 1_048_576;
const BALLAST = 3 * MIB;
const TARGET = sampleWebhook().targetId;
const TENANT = sampleWebhook().tenantId;

describe('a full disk, for the outbox store', () => {
  let directory = '';
  let store: SqliteOutboxStore;
  let states: string[] = [];
  let sequence = 0;
  const stored: number[] = [];
  const random = seededRandom(7);
  const ballast = () => statSync(join(directory, 'outbox.ballast'), { throwIfNoEntry: false })?.size;
  const open = async (maxBytes?: number) => {
    const options = { directory, installationId: 'full', now: () => 0, ballastBytes: BALLAST, probeIntervalMs: 0 };
    store = await SqliteOutboxStore.open({
      ...options,
      ...(maxBytes === undefined ? {} : { maxBytes }),
      onStateChange: (state) => states.push(state),
    });
  };
  /** A message of 60 KB that does not compress. */
  const one = async () => {
    sequence += 1;
    const number = sequence;
    const outcome = await store.append([
      sampleOutboxEntry(number, { body: Uint8Array.from({ length: 60_000 }, () => random() * 256) }),
    ]);
    if (outcome === 'stored') stored.push(number);
    return outcome;
  };
  const untilFull = async () => {
    let outcome = 'stored';
    for (let turn = 0; turn < 1_000 && outcome === 'stored'; turn++) outcome = await one();
    return outcome;
  };
  const expectAll = async () => {
    expect((await store.waiting(TENANT, 0, 1_000)).entries.map((entry) => entry.sequence).reverse()).toEqual(stored);
  };
  beforeEach(() => {
    states = [];
    sequence = 0;
    stored.length = 0;
  });

  describe('of 24 MiB', () => {
    beforeEach(async () => {
      directory = mountSmallDisk();
      await open();
      await one();
      for (let turn = 0; turn < 100_000 && ballast() !== BALLAST; turn++) await store.load();
    });
    afterEach(async () => {
      await store.terminate();
      unmountSmallDisk(directory);
    });

    it('F3 refuses what grows, still settles and reads, and recovers by itself when another file makes room', async () => {
      const other = join(directory, 'other');
      writeFileSync(other, Buffer.alloc(12 * MIB, 1));
      expect(await untilFull()).toBe('full');
      expect(states).toEqual(['full']);
      expect(ballast()).toBeUndefined();
      await expectAll();
      expect(await store.suspend(TARGET, 'https://receiver.example.org/')).toBe('full');
      const [settled, appended, more] = await Promise.all([
        store.settle(stored.splice(0, 3)),
        one(),
        store.settle(stored.splice(0, 1)),
      ]);
      expect([settled, appended, more]).toEqual(['stored', 'full', 'stored']);
      await expectAll();
      rmSync(other);
      expect(await one()).toBe('stored');
      expect(states).toEqual(['full', 'ok']);
      expect(ballast()).toBe(BALLAST);
      await store.terminate();
      await open();
      await expectAll();
    });

    it('F3 recovers when its own queue shrinks', async () => {
      writeFileSync(join(directory, 'other'), Buffer.alloc(6 * MIB, 1));
      for (let cycle = 0; cycle < 2; cycle++) {
        expect(await untilFull()).toBe('full');
        expect(await store.settle(stored.splice(0, stored.length >> 1))).toBe('stored');
        expect(await one()).toBe('stored');
        expect(states.at(-1)).toBe('ok');
        await expectAll();
      }
    });

    it('F3 answers full where there is not even room for the file, and makes it later', async () => {
      await store.settle(stored.splice(0));
      await store.close();
      const other = join(directory, 'other');
      writeFileSync(other, Buffer.alloc(16 * MIB));
      for (let size = 4 * MIB; size >= 512; size >>= 1) {
        for (let part = 0; part < 8; part++) {
          try {
            writeFileSync(`${other}-${size}-${part}`, Buffer.alloc(size));
          } catch {
            break;
          }
        }
      }
      await open();
      states = [];
      expect(await one()).toBe('full');
      expect(states).toEqual(['full']);
      execFileSync('sh', ['-c', `rm -f ${other}*`]);
      expect(await one()).toBe('stored');
      expect(states).toEqual(['full', 'ok']);
      await expectAll();
    });
  });

  it('F3 treats the largest allowed file size like a full disk', async () => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-full-'));
    await open(4 * MIB);
    expect(await untilFull()).toBe('full');
    await expectAll();
    expect(await store.settle(stored.splice(0, stored.length >> 1))).toBe('stored');
    expect(await one()).toBe('stored');
    await expectAll();
    await store.terminate();
    rmSync(directory, { recursive: true });
  });
});
