import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Configuration } from '../config/schema.ts';
import { folderFault } from '../data/data-folder.ts';
import { type FolderLock, LOCK_FILE, lockFolder } from '../data/folder-lock.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const MIB = 1_048_576;
/** Below this much room beside the ballast the disk is as good as full. */
const NO_SPACE_BYTES = 64 * MIB;
const LITTLE_SPACE_BYTES = 1024 * MIB;
const KEY_BYTES = 32;

/** What the checks of the data folder found. */
export interface DataFindings {
  readonly findings: readonly Finding[];
  readonly serverRuns: boolean;
  /** Latest change of a file, epoch milliseconds; null: no files. */
  readonly newestFileMs: number | null;
}

/** Checks folder, room, lock, key and, while no server runs, the integrity of the SQLite files. Repairs nothing. */
export function checkData({ dataDir, storage }: Configuration): DataFindings {
  const ballastBytes = storage.ballastMiB * MIB;
  const unusable = (finding: Finding): DataFindings => ({
    findings: [finding, checkSpace(dataDir, 0, ballastBytes)],
    serverRuns: false,
    newestFileMs: null,
  });
  if (!existsSync(dataDir)) return unusable(ok('data', `${dataDir} will be made at the first start`));
  const fault = folderFault(dataDir, statSync(dataDir)) ?? accessFault(dataDir);
  if (fault !== null) {
    return unusable(fail('data', fault, `run: chmod 700 ${dataDir} as its owner, or choose another with --data-dir`));
  }
  const files = readdirSync(dataDir).map((name) => ({ name, ...sizeAndTime(join(dataDir, name)) }));
  const names = files.map(({ name }) => name);
  const held = files.find(({ name }) => name.endsWith('.ballast'))?.sizeBytes ?? 0;
  const { lock, finding } = takeLock(dataDir, names);
  try {
    const databases = finding.state === 'ok' ? names.filter(isDatabase) : [];
    return {
      findings: [
        ok('data', dataDir),
        checkSpace(dataDir, held, ballastBytes),
        finding,
        checkKey(dataDir, names),
        ...databases.map((name) => checkIntegrity(dataDir, name)),
      ],
      serverRuns: finding.state === 'warn',
      newestFileMs: files.length === 0 ? null : Math.max(...files.map(({ changedMs }) => changedMs)),
    };
  } finally {
    lock?.release();
  }
}

function accessFault(folder: string): string | null {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function sizeAndTime(path: string): { readonly sizeBytes: number; readonly changedMs: number } {
  const stats = statSync(path, { throwIfNoEntry: false });
  return { sizeBytes: stats?.size ?? 0, changedMs: stats?.mtimeMs ?? 0 };
}

/** Held during the checks, so that no server starts meanwhile. */
function takeLock(
  folder: string,
  names: readonly string[],
): { readonly lock: FolderLock | null; readonly finding: Finding } {
  if (!names.includes(LOCK_FILE)) return { lock: null, finding: ok('lock', 'no server has used the folder yet') };
  const outcome = lockFolder(folder);
  if (outcome.locked) return { lock: outcome.lock, finding: ok('lock', 'no server is using the folder') };
  const owner = outcome.owner === null ? 'a server' : `process ${outcome.owner}`;
  const fix = 'stop the server to have the data checked as well';
  return { lock: null, finding: warn('lock', `${owner} is using the folder`, fix) };
}

function checkSpace(folder: string, held: number, ballastBytes: number): Finding {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  const message = `${Math.floor(free / MIB)} MiB free, ${Math.floor(held / MIB)} of ${ballastBytes / MIB} MiB ballast held`;
  const fix = 'make room on the disk, or shorten storage.retentionDays';
  if (free + held < ballastBytes + NO_SPACE_BYTES) return fail('space', message, fix);
  return free < LITTLE_SPACE_BYTES ? warn('space', message, fix) : ok('space', message);
}

function checkKey(folder: string, names: readonly string[]): Finding {
  const size = statSync(join(folder, 'secrets.key'), { throwIfNoEntry: false })?.size;
  const fix = 'put secrets.key back from a backup of this folder';
  if (size === KEY_BYTES) return ok('key', 'secrets.key');
  if (size !== undefined) return fail('key', `secrets.key has ${size} bytes instead of ${KEY_BYTES}`, fix);
  if (names.some(isDatabase)) return fail('key', 'secrets.key is missing', fix);
  return ok('key', 'secrets.key will be made at the first start');
}

function checkIntegrity(folder: string, name: string): Finding {
  const fix = 'restore the folder from a backup; keep this one for inspection';
  try {
    const file = pathToFileURL(join(folder, name));
    // Without a WAL nothing but the file itself is needed, and no WAL need be made to read it.
    if (!existsSync(join(folder, `${name}-wal`))) file.searchParams.set('immutable', '1');
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      const rows = database.prepare('PRAGMA quick_check(3)').all();
      const found = rows.map((row) => String(row.quick_check));
      return found.join() === 'ok' ? ok(name, 'intact') : fail(name, found.join('; '), fix);
    } finally {
      database.close();
    }
  } catch (error) {
    return fail(name, error instanceof Error ? error.message : String(error), fix);
  }
}

const isDatabase = (name: string): boolean => name.endsWith('.sqlite');
