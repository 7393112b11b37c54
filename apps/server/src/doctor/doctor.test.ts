import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordedContext } from '../cli/testing.ts';
import { openDataFolder } from '../data/data-folder.ts';
import { doctor } from './doctor.ts';
import type { Finding } from './finding.ts';
import { checkClock, checkOpenFiles, checkVersions } from './machine-checks.ts';

let root = '';
let number = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'moorage-doctor-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** A folder as a server leaves it behind, with one database. */
function usedFolder(): string {
  const path = join(root, `data${number++}`);
  const folder = openDataFolder(path);
  const database = new DatabaseSync(join(path, 'core.sqlite'));
  database.exec(
    'PRAGMA journal_mode=WAL; CREATE TABLE t (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT hex(randomblob(20)) FROM n',
  );
  database.close();
  folder.release();
  return path;
}

async function examine(dataDir: string, flags: Record<string, string> = {}) {
  const context = recordedContext({ workingFolder: root });
  const all = new Map(Object.entries({ '--data-dir': dataDir, '--mqtt-port': '0', '--http-port': '0', ...flags }));
  const exitCode = await doctor(context, all, { json: true });
  const report: { ok: boolean; findings: Finding[] } = JSON.parse(context.written.stdout);
  expect(report.ok).toBe(exitCode === 0);
  return { exitCode, of: (check: string) => report.findings.find((finding) => finding.check === check) };
}

describe('doctor', () => {
  it('finds all well before the first start, and makes nothing', async () => {
    const path = join(root, 'absent');
    const { exitCode, of } = await examine(path);
    expect(exitCode).toBe(0);
    expect(of('data')).toMatchObject({ state: 'ok', message: `${path} will be made at the first start` });
    expect(readdirSync(root)).not.toContain('absent');
  });

  it('finds all well after a server has stopped, and leaves the files as they were', async () => {
    const path = usedFolder();
    const before = readdirSync(path).sort();
    const { exitCode, of } = await examine(path);
    expect(exitCode).toBe(0);
    expect(of('core.sqlite')).toMatchObject({ state: 'ok', message: 'intact' });
    expect(of('lock')).toMatchObject({ state: 'ok' });
    expect(of('key')).toMatchObject({ state: 'ok' });
    expect(readdirSync(path).sort()).toEqual(before);
  });

  it('says that a server is running and leaves its data alone', async () => {
    const path = usedFolder();
    const folder = openDataFolder(path);
    const { exitCode, of } = await examine(path);
    folder.release();
    expect(exitCode).toBe(0);
    expect(of('lock')).toMatchObject({ state: 'warn', message: `process ${process.pid} is using the folder` });
    expect(of('core.sqlite')).toBeUndefined();
  });

  it('finds a damaged file', async () => {
    const path = usedFolder();
    truncateSync(join(path, 'core.sqlite'), 20_000);
    const { exitCode, of } = await examine(path);
    expect(exitCode).toBe(1);
    expect(of('core.sqlite')).toMatchObject({ state: 'fail', fix: expect.stringContaining('backup') });
  });

  it('finds a missing key, an open folder and a file in its place', async () => {
    const missing = usedFolder();
    rmSync(join(missing, 'secrets.key'));
    expect((await examine(missing)).of('key')).toMatchObject({ state: 'fail', message: 'secrets.key is missing' });
    const open = usedFolder();
    chmodSync(open, 0o755);
    expect((await examine(open)).of('data')).toMatchObject({
      state: 'fail',
      message: `${open} is open to other users (mode 0755)`,
    });
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect((await examine(file)).of('data')).toMatchObject({ state: 'fail', message: `${file} is not a folder` });
  });

  it('finds a port in use', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = String(typeof address === 'object' && address !== null ? address.port : 0);
    const taken = await examine(join(root, 'absent'), { '--mqtt-port': port });
    expect(taken.exitCode).toBe(1);
    expect(taken.of('mqtt.port')).toMatchObject({ state: 'fail', fix: 'choose another port with --mqtt-port' });
    server.close();
    await once(server, 'close');
    expect((await examine(join(root, 'absent'), { '--mqtt-port': port })).of('mqtt.port')).toMatchObject({
      state: 'ok',
    });
  });

  it('finds a bad configuration', async () => {
    const { exitCode, of } = await examine(join(root, 'absent'), { '--http-port': 'x' });
    expect(exitCode).toBe(1);
    expect(of('configuration')?.message).toContain('--http-port: must be a whole number');
  });

  it('finds data from the future', async () => {
    const path = join(root, 'future');
    mkdirSync(path, { mode: 0o700 });
    writeFileSync(join(path, 'x'), '');
    utimesSync(join(path, 'x'), 4e9, 4e9);
    expect((await examine(path)).of('clock')).toMatchObject({ state: 'fail' });
  });

  it('prints a line for each check, with what to do below', async () => {
    const context = recordedContext({ workingFolder: root });
    const flags = new Map([
      ['--data-dir', join(root, 'file2')],
      ['--mqtt-port', '0'],
      ['--http-port', '0'],
    ]);
    writeFileSync(join(root, 'file2'), '');
    expect(await doctor(context, flags, { json: false })).toBe(1);
    expect(context.written.stdout).toMatch(/^ok {4}node: Node \d/);
    expect(context.written.stdout).toMatch(/^fail {2}data: .* is not a folder\n {6}run: chmod 700 /m);
  });
});

describe('machine checks', () => {
  it.each([
    ['24.0.0', '3.51.3', 'ok ok'],
    ['26.1.0', '4.0.0', 'ok ok'],
    ['22.9.0', '3.51.2', 'fail fail'],
    ['24.0.0', '3.9.9', 'ok fail'],
    ['24.0.0', '3.53', 'ok ok'],
  ])('Node %s and SQLite %s: %s', (node, sqlite, expected) => {
    expect(
      checkVersions({ node, sqlite })
        .map(({ state }) => state)
        .join(' '),
    ).toBe(expected);
  });

  it.each([
    [Date.UTC(2026, 10, 1), null, 'ok'],
    [Date.UTC(1970, 0, 2), null, 'fail'],
    [Date.UTC(2127, 0, 1), null, 'fail'],
    [Date.UTC(2026, 10, 1), Date.UTC(2026, 9, 1), 'ok'],
    [Date.UTC(2026, 10, 1), Date.UTC(2026, 11, 1), 'fail'],
  ])('clock at %s with data of %s: %s', (nowMs, newestFileMs, state) => {
    expect(checkClock(nowMs, newestFileMs).state).toBe(state);
  });

  it('warns when fewer files may be open than connections are allowed', () => {
    const limits = 'Limit Soft Hard Units\nMax open files            1024                 4096                 files\n';
    expect(checkOpenFiles(limits, 200_000)).toMatchObject({ state: 'warn' });
    expect(checkOpenFiles(limits, 3_000)).toMatchObject({ state: 'ok' });
    expect(checkOpenFiles(null, 3_000)).toBeNull();
  });
});
