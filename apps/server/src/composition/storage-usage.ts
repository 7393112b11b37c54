import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreUsage } from '@moorage/core';

/** What lies in the data folder, by the beginning of its name. */
const STORES: readonly (readonly [name: string, prefix: string])[] = [
  ['registry', 'core.'],
  ['sessions', 'session.'],
  ['outbox', 'outbox.'],
  ['telemetry', 'telemetry.'],
  ['files', 'blobs'],
];

/** Bytes that each store takes in the data folder, with what belongs to none as `other`. */
export async function storeUsage(folder: string): Promise<readonly StoreUsage[]> {
  const bytes = new Map<string, number>([...STORES.map(([name]) => [name, 0] as const), ['other', 0]]);
  for (const entry of await readdir(folder)) {
    const name = STORES.find(([, prefix]) => entry.startsWith(prefix))?.[0] ?? 'other';
    bytes.set(name, (bytes.get(name) ?? 0) + (await sizeOf(join(folder, entry))));
  }
  return Array.from(bytes, ([name, size]) => ({ name, bytes: size }));
}

/** Room on the disk of the data folder; null where the system does not tell. */
export async function diskSpace(folder: string): Promise<{ freeBytes: number; totalBytes: number } | null> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return null;
  }
}

/** A file that goes while it is looked at counts nothing. */
async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return found.size;
    const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
