import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises';

/** An open file, as far as the store needs it. */
export interface OpenFile {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  write(buffer: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
  stat(): Promise<{ readonly size: number }>;
  sync(): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** The calls of the operating system that the store makes; tests put their own between. */
export interface FileSystem {
  /** `wx`: creates a file that must not exist. */
  open(path: string, flags: 'r' | 'wx', mode?: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  readdir(path: string): Promise<readonly string[]>;
  mkdir(path: string, options: { readonly recursive: true; readonly mode: number }): Promise<unknown>;
}

export const NODE_FILE_SYSTEM: FileSystem = { open, rename, unlink, readdir, mkdir };

/** Makes the names in a directory durable. */
export async function syncDirectory(files: FileSystem, path: string): Promise<void> {
  // Windows does not open directories and needs no sync of them.
  if (process.platform === 'win32') return;
  const directory = await files.open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** `full`: the disk or the quota has no room. */
export function writeFault(error: unknown): 'full' | 'failed' {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'full' : 'failed';
}

/** Removes a file that may be gone already. */
export async function unlinkIfThere(files: FileSystem, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
