import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../cli/command-line.ts';
import { recordedContext } from '../cli/testing.ts';
import { loadConfiguration } from '../config/load-configuration.ts';
import { checkCertificate } from '../doctor/certificate-checks.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { readServerCertificate } from './server-certificate.ts';

let root = '';
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'moorage-watch-'));
  for (const name of ['first', 'second']) {
    const context = recordedContext({ workingFolder: root });
    await runCommandLine(context, ['cert', 'init', '--data-dir', join(root, name), '--host', `${name}.example.org`]);
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const made = (owner: string, name: string): string => join(root, owner, 'tls', name);
let number = 0;

/** Files in use, and what the watch has done with them. */
async function watching() {
  const folder = mkdtempSync(join(root, `use${number++}-`));
  const files = { certificate: join(folder, 'c'), key: join(folder, 'k'), clientCa: null };
  copyFileSync(made('first', 'server.crt'), files.certificate);
  copyFileSync(made('first', 'server.key'), files.key);
  const taken: string[] = [];
  const said: string[] = [];
  let tick = (): void => undefined;
  const say = (level: string) => (first: unknown, second?: string) => void said.push(`${level} ${second ?? first}`);
  const watch = await CertificateWatch.start(
    files,
    { reload: ({ certificate }) => void taken.push(certificate) },
    {
      log: { info: say('info'), warn: say('warn'), error: say('error') },
      scheduler: {
        every: (_intervalMs, task) => {
          tick = task;
          return () => undefined;
        },
      },
    },
  );
  return { files, taken, said, watch, tick: () => tick() };
}

describe('CertificateWatch', () => {
  it('does nothing while the files are as they were', async () => {
    const { watch, taken, said } = await watching();
    await watch.look();
    expect([taken, said]).toEqual([[], []]);
  });

  it('takes a new pair over, and says once why it does not take a broken one', async () => {
    const { watch, files, taken, said } = await watching();
    copyFileSync(made('second', 'server.crt'), files.certificate);
    await watch.look();
    await watch.look();
    expect(taken).toEqual([]);
    expect(said).toEqual([expect.stringMatching(/^error .*the old one stays: the key .* does not belong to/)]);
    copyFileSync(made('second', 'server.key'), files.key);
    await watch.look();
    expect(taken).toHaveLength(1);
    expect(said.at(-1)).toMatch(/^info certificate taken over, valid until /);
    rmSync(files.key);
    await watch.look();
    expect(said.at(-1)).toContain('cannot be read: ENOENT');
  });

  it('looks by itself, and reads anew when told to', async () => {
    const { watch, files, taken, tick } = await watching();
    await watch.reload();
    expect(taken).toHaveLength(1);
    copyFileSync(made('second', 'server.crt'), files.certificate);
    copyFileSync(made('second', 'server.key'), files.key);
    tick();
    await watch.close();
    expect(taken).toHaveLength(2);
  });
});

describe('readServerCertificate', () => {
  it.each([
    ['absent', 'server.key', /absent cannot be read: ENOENT/],
    ['server.key', 'server.key', /does not begin with a certificate/],
    ['server.crt', 'server.crt', /is no private key/],
    ['server.crt', 'ca.key', /does not belong to the certificate/],
  ])('refuses %s with %s', (certificate, key, message) => {
    const files = { certificate: made('first', certificate), key: made('first', key), clientCa: null };
    expect(readServerCertificate(files)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });
});

describe('doctor on certificates', () => {
  const DAY_MS = 86_400_000;
  async function examine(nowMs: number, publicHost?: string) {
    const flags = new Map([
      ['--cert', made('first', 'server.crt')],
      ['--key', made('first', 'server.key')],
    ]);
    const environment = publicHost === undefined ? {} : { MOORAGE_PUBLIC_HOST: publicHost };
    const loaded = await loadConfiguration({ flags, environment, workingFolder: root });
    if (!loaded.ok) expect.unreachable();
    return checkCertificate(loaded.configuration, nowMs).map(({ check, state }) => `${check} ${state}`);
  }

  it('looks at the dates', async () => {
    expect(await examine(Date.now())).toEqual(['certificate ok']);
    expect(await examine(Date.now() + 800 * DAY_MS)).toEqual(['certificate warn']);
    expect(await examine(Date.now() + 900 * DAY_MS)).toEqual(['certificate fail']);
    expect(await examine(Date.now() - 9 * DAY_MS)).toEqual(['certificate fail']);
  });

  it('looks at the name that devices use', async () => {
    expect(await examine(Date.now(), 'first.example.org')).toEqual(['certificate ok']);
    expect(await examine(Date.now(), 'other.example.org')).toEqual(['certificate ok', 'certificate name warn']);
  });

  it('finds a key that does not fit, and files that are not there', async () => {
    const flags = new Map([
      ['--cert', made('first', 'server.crt')],
      ['--key', made('second', 'server.key')],
    ]);
    const loaded = await loadConfiguration({ flags, environment: {}, workingFolder: root });
    if (!loaded.ok) expect.unreachable();
    expect(checkCertificate(loaded.configuration, Date.now())).toMatchObject([{ state: 'fail' }]);
  });
});
