import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTINGS } from '../config/setting.ts';
import { runCommandLine } from './command-line.ts';
import { recordedContext } from './testing.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'moorage-cli-'));
  writeFileSync(join(root, 'some.yaml'), 'http:\n  port: 90\n');
});
afterAll(() => rmSync(root, { recursive: true }));

async function run(words: string, environment: Record<string, string> = {}) {
  const context = recordedContext({ workingFolder: root, environment });
  const exitCode = await runCommandLine(
    context,
    words.split(' ').filter((word) => word !== ''),
  );
  return { exitCode, ...context.written };
}

describe('command line', () => {
  it.each(['--version', '-V'])('%s prints the version', async (words) => {
    expect(await run(words)).toEqual({ exitCode: 0, stdout: '0.1.0\n', stderr: '' });
  });

  it.each(['--help', 'help', 'start --help', 'config show --help', 'cert init --help'])(
    '%s prints help on stdout',
    async (words) => {
      const { exitCode, stdout, stderr } = await run(words);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toContain('Usage: moorage');
    },
  );

  it('offers every flag of the start-up contract', async () => {
    const { stdout } = await run('start --help');
    const flags =
      '--data-dir --host --mqtt-port --http-port --coap-port --ws-port --mqtts-port --wss-port --cert --key --config --json';
    for (const flag of flags.split(' ')) expect(stdout).toContain(`  ${flag}`);
  });

  it.each([
    ['strat', 'unknown command "strat" (did you mean start?)'],
    ['fnord', 'unknown command "fnord" (moorage --help shows what there is)'],
    ['demo', 'the command demo is not offered yet'],
    ['reset-admin-password', 'the command reset-admin-password is not offered yet'],
    ['start extra', 'too many arguments'],
    ['start --mqtt-prot 1', "unknown option '--mqtt-prot'"],
    ['--mqtt-port', 'argument missing'],
    ['config', 'Usage: moorage config'],
    ['config shwo', 'unknown command'],
  ])('%s is a usage error', async (words, text) => {
    const { exitCode, stdout, stderr } = await run(words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(text);
  });

  it('without a command is start, with its flags', async () => {
    const { exitCode, stderr } = await run('--mqtt-port 70000');
    expect(exitCode).toBe(78);
    expect(stderr).toBe('moorage: --mqtt-port: must be a whole number from 0 to 65535, not "70000"\n');
  });

  it('config show prints every setting in force', async () => {
    const { exitCode, stdout } = await run('config show --config some.yaml --mqtt-port 1');
    expect(exitCode).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(SETTINGS.length);
    expect(lines).toContain('mqtt.port: 1');
    expect(lines).toContain('http.port: 90');
  });

  it('config show --origin tells where each value came from, and no secret', async () => {
    const environment = { MOORAGE_ADMIN_PASSWORD: 'top secret', MOORAGE_LOG__LEVEL: 'warn' };
    const { stdout } = await run('config show --origin --config some.yaml --mqtt-port 1', environment);
    expect(stdout).toMatch(/^mqtt\.port: 1 +# flag --mqtt-port$/m);
    expect(stdout).toMatch(/^http\.port: 90 +# some\.yaml:2$/m);
    expect(stdout).toMatch(/^log\.level: "warn" +# environment MOORAGE_LOG__LEVEL$/m);
    expect(stdout).toMatch(/^storage\.durability: "full" +# default$/m);
    expect(stdout).toMatch(/^adminPassword: "\*{8}" +# environment MOORAGE_ADMIN_PASSWORD$/m);
    expect(stdout).not.toContain('top secret');
  });

  it('config show --json prints one line', async () => {
    const { stdout } = await run('config show --origin --json --http-port 7');
    const { file, settings } = JSON.parse(stdout);
    expect(file).toBeNull();
    expect(settings).toContainEqual({ key: 'http.port', value: 7, origin: 'flag --http-port' });
    expect(stdout.indexOf('\n')).toBe(stdout.length - 1);
  });

  it('config show ends with 78 when the configuration is bad', async () => {
    expect(await run('config show --coap-port fish')).toEqual({
      exitCode: 78,
      stdout: '',
      stderr: 'moorage: --coap-port: must be a whole number from 0 to 65535 or off, not "fish"\n',
    });
  });
});
