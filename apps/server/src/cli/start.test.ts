import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Configuration } from '../config/schema.ts';
import { openDataFolder } from '../data/data-folder.ts';
import type { Runtime } from '../running-server.ts';
import { StartError } from '../start-error.ts';
import { start } from './start.ts';
import { type ContextSettings, fakeServer, type RecordedContext, recordedContext } from './testing.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'moorage-start-'));
});
afterAll(() => rmSync(root, { recursive: true }));

let number = 0;
function prepare(settings: Partial<ContextSettings> = {}) {
  const dataDir = join(root, `data${number++}`);
  const context = recordedContext({ workingFolder: root, ...settings });
  const run = (json = true) => start(context, new Map([['--data-dir', dataDir]]), { json });
  return { context, dataDir, run };
}

/** Nothing may stay behind on the process. */
function expectClean(context: RecordedContext): void {
  expect(context.events.eventNames()).toEqual([]);
}

describe('start', () => {
  it('writes one JSON line on stdout when ready, and ends with 0 after SIGTERM', async () => {
    let closed = 0;
    const server = fakeServer({ close: async () => void closed++ });
    const { context, dataDir, run } = prepare({ compose: async () => server });
    const result = run();
    await context.ready;
    const line = JSON.parse(context.written.stdout);
    expect(line).toEqual({
      ready: true,
      version: '0.1.0',
      pid: 4711,
      host: '127.0.0.1',
      ports: { mqtt: 1111, http: 2222 },
      dataDir,
    });
    expect(context.written.stdout.split('\n')).toHaveLength(2);
    expect(closed).toBe(0);
    context.events.emit('SIGTERM');
    expect(await result).toBe(0);
    expect(closed).toBe(1);
    expect(context.exits).toEqual([]);
    openDataFolder(dataDir).release();
    expectClean(context);
  });

  it('gives the composition the configuration and a runtime that works', async () => {
    const seen: { configuration: Configuration; runtime: Runtime }[] = [];
    const { context, dataDir, run } = prepare({
      compose: async (configuration, runtime) => {
        seen.push({ configuration, runtime });
        return fakeServer();
      },
    });
    const result = run();
    await context.ready;
    context.events.emit('SIGINT');
    expect(await result).toBe(0);
    const [first] = seen;
    expect(first?.configuration.dataDir).toBe(dataDir);
    expect(first?.runtime.crypto.open(first.runtime.crypto.seal('x'))).toBe('x');
    expect(first?.runtime.clock.now()).toBeGreaterThan(0);
  });

  it('tells people on a terminal where it listens and how to set a password', async () => {
    const { context, dataDir, run } = prepare({
      terminal: true,
      environment: { NO_COLOR: '1' },
      compose: async () => {
        setImmediate(() => context.events.emit('SIGTERM'));
        return fakeServer();
      },
    });
    expect(await run(false)).toBe(0);
    const { stdout, stderr } = context.written;
    expect(stdout).toBe('');
    expect(stderr).toContain('Moorage 0.1.0 is ready\n  API   http://127.0.0.1:2222\n  MQTT  mqtt://127.0.0.1:1111\n');
    expect(stderr).toContain(`  Data  ${dataDir}\n`);
    expect(stderr).toContain('No administrator password yet: reachable from this machine only');
    expect(stderr).toContain('MOORAGE_ADMIN_PASSWORD');
    expect(stderr).not.toContain('\u001b');
  });

  it('tells the further ports that are open, and no others', async () => {
    const { context, run } = prepare({
      terminal: true,
      environment: { NO_COLOR: '1' },
      compose: async () => {
        setImmediate(() => context.events.emit('SIGTERM'));
        const pinned = [{ listener: 'mqtt' as const, dialect: 'plain', port: 7 }];
        return fakeServer({ ports: { mqtt: 1, http: 2, mqtts: 3, ws: 4, combined: 6, pinned } });
      },
    });
    await run(false);
    const lines = ['mqtts://127.0.0.1:3', 'ws://127.0.0.1:4', 'https://127.0.0.1:6 (also mqtts and wss)'];
    const expected = [...lines, 'mqtt://127.0.0.1:7 (plain alone)'].map((line) => `        ${line}\n`).join('');
    expect(context.written.stderr).toContain(`  MQTT  mqtt://127.0.0.1:1\n${expected}  Data`);
  });

  it('reads the certificate anew on SIGHUP once the server is ready', async () => {
    let reloads = 0;
    const { context, run } = prepare({ compose: async () => fakeServer({ reload: async () => void reloads++ }) });
    const result = run();
    context.events.emit('SIGHUP');
    await context.ready;
    expect(reloads).toBe(0);
    context.events.emit('SIGHUP');
    expect(reloads).toBe(1);
    context.events.emit('SIGTERM');
    expect(await result).toBe(0);
  });

  it('writes nothing but JSON lines on stderr where there is no terminal', async () => {
    const { context, run } = prepare({ compose: async () => fakeServer({ hasAdministrator: true }) });
    const result = run();
    await context.ready;
    context.events.emit('SIGTERM');
    await result;
    const lines = context.written.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ level: 'info', ports: { mqtt: 1111, http: 2222 }, hasAdministrator: true });
    expect(context.written.stderr).not.toContain('No administrator');
  });

  it('ends with 78 and the problems when the configuration is bad, before anything is touched', async () => {
    const { context, run } = prepare({ environment: { MOORAGE_MQTT__PROT: '1' }, compose: () => expect.unreachable() });
    expect(await run()).toBe(78);
    expect(context.written).toEqual({
      stdout: '',
      stderr: 'moorage: MOORAGE_MQTT__PROT: unknown setting (did you mean MOORAGE_MQTT__PORT?)\n',
    });
    expectClean(context);
  });

  it('ends with 1 while another server uses the folder', async () => {
    const { context, dataDir, run } = prepare({ compose: () => expect.unreachable() });
    const folder = openDataFolder(dataDir);
    expect(await run()).toBe(1);
    folder.release();
    expect(context.written.stderr).toContain(`is using ${dataDir} (stop that one, or choose another folder`);
    expectClean(context);
  });

  it.each([
    [new StartError('no', { hint: 'do this', exitCode: 78 }), 78, 'moorage: no (do this)\n'],
    [
      Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' }),
      1,
      'moorage: cannot listen: listen EADDRINUSE',
    ],
    [Object.assign(new Error('taken'), { name: 'ListenError', code: 'EADDRINUSE' }), 1, 'moorage: taken (choose other'],
    [Object.assign(new Error('old'), { name: 'StoreError', code: 'newer-schema' }), 1, 'moorage: old (moorage doctor'],
    [
      Object.assign(new Error('key'), { name: 'RegistryStartError', code: 'wrong-seal-key' }),
      1,
      'moorage: key (put back the secrets.key',
    ],
  ])('says %s without a stack', async (error, exitCode, text) => {
    const { context, dataDir, run } = prepare({ compose: () => Promise.reject(error) });
    expect(await run()).toBe(exitCode);
    expect(context.written.stderr.startsWith(text)).toBe(true);
    expect(context.written.stderr).not.toContain('    at ');
    openDataFolder(dataDir).release();
    expectClean(context);
  });

  it('logs any other failure with its stack', async () => {
    const { context, run } = prepare({ compose: () => Promise.reject(new RangeError('broken')) });
    expect(await run()).toBe(1);
    expect(JSON.parse(context.written.stderr)).toMatchObject({
      level: 'fatal',
      err: { stack: expect.stringContaining('broken') },
    });
  });

  it('announces nothing when it was stopped while starting', async () => {
    const { context, run } = prepare({
      compose: async () => {
        context.events.emit('SIGTERM');
        return fakeServer();
      },
    });
    expect(await run()).toBe(0);
    expect(context.written.stdout).toBe('');
  });

  it('ends at once with 1 on a second signal', async () => {
    let finish = (): void => undefined;
    const closing = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { context, run } = prepare({ compose: async () => fakeServer({ close: () => closing }) });
    const result = run();
    await context.ready;
    context.events.emit('SIGINT');
    expect(context.exits).toEqual([]);
    context.events.emit('SIGINT');
    expect(context.exits).toEqual([1]);
    finish();
    await result;
  });

  it.each(['uncaughtException', 'unhandledRejection'])('logs an %s with its stack and ends with 1', async (event) => {
    const { context, run } = prepare();
    const result = run();
    await context.ready;
    context.events.emit(event, new RangeError('unforeseen'));
    expect(context.exits).toEqual([1]);
    expect(context.written.stderr).toContain('RangeError: unforeseen');
    context.events.emit('SIGTERM');
    await result;
  });
});
