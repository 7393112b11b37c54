import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StartError } from '../start-error.ts';
import { openDataFolder } from './data-folder.ts';
import { lockFolder } from './folder-lock.ts';

let root = '';
let number = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'moorage-data-'));
});
afterAll(() => rmSync(root, { recursive: true }));
const fresh = (): string => join(root, String(number++), 'data');

function refusal(path: string): StartError {
  try {
    openDataFolder(path).release();
  } catch (error) {
    if (error instanceof StartError) return error;
    throw error;
  }
  return expect.unreachable('opened');
}

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('data folder', () => {
  it('is made for its owner alone, with a key of 32 bytes that stays', () => {
    const path = fresh();
    const first = openDataFolder(path);
    expect(mode(path)).toBe(0o700);
    expect(mode(join(path, 'secrets.key'))).toBe(0o600);
    expect(first.secretKey).toHaveLength(32);
    expect(first.notes).toEqual([]);
    first.release();
    const second = openDataFolder(path);
    expect(second.secretKey).toEqual(first.secretKey);
    second.release();
    const other = openDataFolder(fresh());
    expect(other.secretKey).not.toEqual(first.secretKey);
    other.release();
  });

  it('is closed to other users when it was open, and so is the key', () => {
    const path = fresh();
    openDataFolder(path).release();
    chmodSync(path, 0o755);
    chmodSync(join(path, 'secrets.key'), 0o644);
    const folder = openDataFolder(path);
    folder.release();
    expect(folder.notes).toEqual([`${path} was open to other users; its mode is now 0700`]);
    expect(mode(path)).toBe(0o700);
    expect(mode(join(path, 'secrets.key'))).toBe(0o600);
  });

  it('is refused when it is a file', () => {
    const path = fresh();
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
    expect(refusal(path)).toMatchObject({ exitCode: 78 });
  });

  it('is refused when its key is missing beside data, and when the key is cut', () => {
    const path = fresh();
    openDataFolder(path).release();
    truncateSync(join(path, 'secrets.key'), 31);
    expect(refusal(path)).toMatchObject({ exitCode: 78, message: expect.stringContaining('31 bytes instead of 32') });
    rmSync(join(path, 'secrets.key'));
    writeFileSync(join(path, 'core.sqlite'), '');
    expect(refusal(path)).toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('core.sqlite holds secrets'),
    });
    expect(existsSync(join(path, 'secrets.key'))).toBe(false);
  });

  it('makes its key anew when the first try was cut off', () => {
    const path = fresh();
    mkdirSync(path, { recursive: true, mode: 0o700 });
    writeFileSync(join(path, 'secrets.key.new'), 'half');
    const folder = openDataFolder(path);
    folder.release();
    expect(folder.secretKey).toHaveLength(32);
    expect(existsSync(join(path, 'secrets.key.new'))).toBe(false);
  });

  it('belongs to one server at a time', () => {
    const path = fresh();
    const first = openDataFolder(path);
    expect(refusal(path)).toMatchObject({
      exitCode: 1,
      message: `another server, process ${process.pid}, is using ${path}`,
    });
    first.release();
    first.release();
    openDataFolder(path).release();
    expect(existsSync(join(path, 'moorage.pid'))).toBe(false);
  });

  it('is free again when its server was killed with SIGKILL', async () => {
    const path = fresh();
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const script = `
      const { lockFolder } = await import(${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)});
      const outcome = lockFolder(${JSON.stringify(path)});
      process.stdout.write(outcome.locked ? 'locked' : 'refused');
      setInterval(() => outcome, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toBe('locked');
    expect(lockFolder(path)).toEqual({ locked: false, owner: child.pid });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(Number(readFileSync(join(path, 'moorage.pid'), 'utf8'))).toBe(child.pid);
    const outcome = lockFolder(path);
    expect(outcome.locked).toBe(true);
    if (outcome.locked) outcome.lock.release();
  });
});
