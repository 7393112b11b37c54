import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { EXIT, StartError } from '../start-error.ts';

const KEY_FILE = 'secrets.key';
const KEY_BYTES = 32;

/**
 * The key under which secrets are sealed; made at the first start. A folder with data but without its key is refused:
 * a new key would open nothing in it. The folder must be locked.
 */
export function loadSecretKey(folder: string): Uint8Array {
  const path = join(folder, KEY_FILE);
  if (!existsSync(path)) {
    const data = readdirSync(folder).find((name) => /\.(sqlite|db)$/.test(name));
    if (data !== undefined) {
      throw new StartError(`${path} is missing, and ${data} holds secrets that only it can open`, {
        hint: 'put the file back from a backup of this folder',
        exitCode: EXIT.configuration,
      });
    }
    createKey(folder, path);
  }
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  const key = readFileSync(path);
  if (key.length !== KEY_BYTES) {
    throw new StartError(`${path} has ${key.length} bytes instead of ${KEY_BYTES}`, {
      hint: 'put the file back from a backup of this folder',
      exitCode: EXIT.configuration,
    });
  }
  return new Uint8Array(key);
}

/** Whole or not at all, also when the power fails. */
function createKey(folder: string, path: string): void {
  const unfinished = `${path}.new`;
  rmSync(unfinished, { force: true });
  const file = openSync(unfinished, 'wx', 0o600);
  writeSync(file, randomBytes(KEY_BYTES));
  fsyncSync(file);
  closeSync(file);
  renameSync(unfinished, path);
  if (process.platform === 'win32') return;
  const directory = openSync(folder, 'r');
  fsyncSync(directory);
  closeSync(directory);
}
