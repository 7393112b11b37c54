import { accessSync, chmodSync, constants, mkdirSync, type Stats, statSync } from 'node:fs';
import { EXIT, StartError } from '../start-error.ts';
import { lockFolder } from './folder-lock.ts';
import { loadSecretKey } from './secret-key.ts';

const OPEN_TO_OTHERS = 0o077;

/** A data folder that belongs to this process until `release`. */
export interface DataFolder {
  readonly path: string;
  /** 32 bytes, for `NodeCrypto`. */
  readonly secretKey: Uint8Array;
  /** What was put right, for the log. */
  readonly notes: readonly string[];
  release(): void;
}

/** Creates, checks and locks the data folder. Throws `StartError`. */
export function openDataFolder(path: string): DataFolder {
  const notes: string[] = [];
  create(path);
  if (tightenMode(path)) notes.push(`${path} was open to other users; its mode is now 0700`);
  const outcome = lockFolder(path);
  if (!outcome.locked) {
    const owner = outcome.owner === null ? 'another server' : `another server, process ${outcome.owner},`;
    throw new StartError(`${owner} is using ${path}`, {
      hint: 'stop that one, or choose another folder with --data-dir',
    });
  }
  try {
    const secretKey = loadSecretKey(path);
    return { path, secretKey, notes, release: outcome.lock.release };
  } catch (error) {
    outcome.lock.release();
    throw error;
  }
}

/** What is wrong with the folder's kind or mode, without changing anything; null: nothing. */
export function folderFault(path: string, stats: Stats): string | null {
  if (!stats.isDirectory()) return `${path} is not a folder`;
  if (process.platform !== 'win32' && (stats.mode & OPEN_TO_OTHERS) !== 0) {
    return `${path} is open to other users (mode ${(stats.mode & 0o777).toString(8).padStart(4, '0')})`;
  }
  return null;
}

function create(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`the data folder ${path} cannot be used: ${reason}`, {
      hint: 'choose another one with --data-dir',
      exitCode: EXIT.configuration,
      cause,
    });
  }
}

function tightenMode(path: string): boolean {
  const fault = folderFault(path, statSync(path));
  if (fault === null) return false;
  try {
    chmodSync(path, 0o700);
    return true;
  } catch (cause) {
    throw new StartError(fault, { hint: `run: chmod 700 ${path}`, exitCode: EXIT.configuration, cause });
  }
}
