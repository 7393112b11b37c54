import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const launcher = fileURLToPath(new URL('../bin/moorage', import.meta.url));
let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'moorage-main-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Runs the launcher as from a shell whose Node is the one of the system. */
async function run(command: string, words: readonly string[], environment: Record<string, string> = {}) {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const child = spawn(command, words, {
    cwd: root,
    env: { PATH: path.join(delimiter), HOME: root, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const [exitCode] = await once(child, 'close');
  return { pid: child.pid, exitCode, stdout, stderr };
}

describe('bin/moorage', () => {
  it('ends with 78 and names file, line and key when the configuration is bad (B11)', async () => {
    writeFileSync(join(root, 'moorage.yaml'), 'mqtt:\n  prot: 1\n');
    const result = await run(launcher, ['start', '--data-dir', 'never']);
    rmSync(join(root, 'moorage.yaml'));
    expect(result).toMatchObject({
      exitCode: 78,
      stdout: '',
      stderr: 'moorage: moorage.yaml:2:3: unknown key "mqtt.prot" (did you mean mqtt.port?)\n',
    });
  });

  it('ends with 78 rather than starting anonymous on the network (B11)', async () => {
    const { exitCode, stderr } = await run(launcher, ['--host', '0.0.0.0', '--mqtt-port', '0', '--http-port', '0'], {
      MOORAGE_PLAIN__ANONYMOUS: 'true',
    });
    expect(exitCode).toBe(78);
    expect(stderr).toContain('plain.anonymous would let everybody in');
  });

  it('prints the version, also through a symbolic link', async () => {
    symlinkSync(launcher, join(root, 'linked'));
    const expected = { exitCode: 0, stdout: '0.1.0\n', stderr: '' };
    expect(await run(launcher, ['--version'])).toMatchObject(expected);
    expect(await run(join(root, 'linked'), ['--version'])).toMatchObject(expected);
  });

  it('ends with 2 on an unknown command', async () => {
    const { exitCode, stderr } = await run(launcher, ['strat']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'moorage: unknown command "strat" (did you mean start?)\n',
    });
  });

  it('takes a reader that goes away for no failure', async () => {
    const { exitCode, stderr } = await run('sh', ['-c', `"${launcher}" config show | head -c 1; echo done`]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('keeps its process id, so that signals reach the server', async () => {
    const tellId = 'data:text/javascript,process.stderr.write(String(process.pid))';
    const { pid, exitCode, stderr } = await run(launcher, ['--version'], { NODE_OPTIONS: `--import=${tellId}` });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: String(pid) });
  });
});
