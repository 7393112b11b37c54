import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that is a disk of 24 MiB. */
export function mountSmallDisk(): string {
  const directory = mkdtempSync(join(tmpdir(), 'moorage-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'tmpfs', directory]);
  } catch (error) {
    throw new TypeError('The disk-full test needs to mount a tmpfs; run it as root or in a container that may', {
      cause: error,
    });
  }
  return directory;
}

export function unmountSmallDisk(directory: string): void {
  execFileSync('umount', [directory]);
  rmSync(directory, { recursive: true });
}
