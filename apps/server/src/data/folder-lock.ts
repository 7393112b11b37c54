import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Present in every folder that a server has used. */
export const LOCK_FILE = 'moorage.lock';
const OWNER_FILE = 'moorage.pid';
const SQLITE_BUSY = 5;

export interface FolderLock {
  release(): void;
}

export type LockOutcome =
  | { readonly locked: true; readonly lock: FolderLock }
  /** `owner`: process id of the holder as far as it is known. */
  | { readonly locked: false; readonly owner: number | null };

/**
 * Locks a data folder for this process. Node has no file locks of its own, so SQLite takes one on an empty file. The
 * kernel lets go of it when the process ends in whatever way, so there is no stale lock, and it holds between
 * containers that share a folder, where a process id says nothing.
 */
export function lockFolder(folder: string): LockOutcome {
  const path = join(folder, LOCK_FILE);
  closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return { locked: false, owner: lockOwner(folder) };
    throw error;
  }
  const ownerFile = join(folder, OWNER_FILE);
  writeFileSync(ownerFile, `${process.pid}\n`, { mode: 0o600 });
  let held: DatabaseSync | null = database;
  const release = (): void => {
    if (held === null) return;
    rmSync(ownerFile, { force: true });
    held.close();
    held = null;
  };
  return { locked: true, lock: { release } };
}

/** The process that wrote its id last; it holds the lock only if the folder is locked. */
function lockOwner(folder: string): number | null {
  try {
    const pid = Number(readFileSync(join(folder, OWNER_FILE), 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    // The holder has not written it yet, or it is not for us to read.
    return null;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === SQLITE_BUSY;
}
