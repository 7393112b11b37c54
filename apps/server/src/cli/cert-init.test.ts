import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readServerCertificate, validity } from '../tls/server-certificate.ts';
import { runCommandLine } from './command-line.ts';
import { recordedContext } from './testing.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'moorage-cert-'));
});
afterAll(() => rmSync(root, { recursive: true }));

let number = 0;
const newFolder = (): string => join(root, `data${number++}`);

async function init(dataDir: string, ...words: string[]) {
  const context = recordedContext({ workingFolder: root });
  const exitCode = await runCommandLine(context, ['cert', 'init', '--data-dir', dataDir, ...words]);
  return { exitCode, ...context.written };
}

const read = (dataDir: string, name: string): string => readFileSync(join(dataDir, 'tls', name), 'utf8');

describe('cert init', () => {
  it('makes an authority and a certificate that it vouches for, readable by nobody else', async () => {
    const dataDir = newFolder();
    const { exitCode, stdout } = await init(dataDir, '--host', 'iot.example.org', '--host', '192.168.1.5', '--json');
    expect(exitCode).toBe(0);
    const said = JSON.parse(stdout);
    expect(said).toMatchObject({ newAuthority: true, certificate: join(dataDir, 'tls', 'server.crt') });
    const authority = new X509Certificate(read(dataDir, 'ca.crt'));
    const server = new X509Certificate(read(dataDir, 'server.crt'));
    expect(authority.ca).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.checkIssued(authority) && server.verify(authority.publicKey)).toBe(true);
    for (const name of ['iot.example.org', 'localhost']) expect(server.checkHost(name)).toBe(name);
    for (const address of ['192.168.1.5', '127.0.0.1', '::1']) expect(server.checkIP(address)).toBe(address);
    expect(server.publicKey.asymmetricKeyType).toBe('ec');
    for (const name of ['ca.crt', 'ca.key', 'server.crt', 'server.key']) {
      expect(statSync(join(dataDir, 'tls', name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    const reading = readServerCertificate({ certificate: said.certificate, key: said.key, clientCa: null });
    expect(reading.ok).toBe(true);
    expect(validity(server, Date.now())).toEqual({ state: 'valid', days: 824 });
    expect(validity(server, Date.now() + 826 * 86_400_000).state).toBe('expired');
    expect(validity(server, Date.now() - 2 * 86_400_000).state).toBe('early');
  });

  it('renews the certificate for the same names under the authority that is there', async () => {
    const dataDir = newFolder();
    await init(dataDir, '--host', 'iot.example.org');
    const before = { authority: read(dataDir, 'ca.crt'), server: read(dataDir, 'server.crt') };
    const { stdout, stderr } = await init(dataDir, '--rsa');
    expect(stdout).toContain('(as before)');
    expect(stdout).toContain('names        iot.example.org, localhost, 127.0.0.1, ::1');
    expect(stderr).toContain('moorage start --cert ');
    expect(read(dataDir, 'ca.crt')).toBe(before.authority);
    expect(read(dataDir, 'server.crt')).not.toBe(before.server);
    const server = new X509Certificate(read(dataDir, 'server.crt'));
    expect(server.verify(new X509Certificate(before.authority).publicKey)).toBe(true);
    expect(server.publicKey.asymmetricKeyType).toBe('rsa');
  });

  it('leaves half an authority alone', async () => {
    const dataDir = newFolder();
    await init(dataDir);
    rmSync(join(dataDir, 'tls', 'ca.key'));
    const missing = await init(dataDir);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('ca.key is missing (put both files of the authority back');
    writeFileSync(join(dataDir, 'tls', 'ca.key'), read(dataDir, 'server.key'));
    expect((await init(dataDir)).stderr).toContain('does not belong to');
    writeFileSync(join(dataDir, 'tls', 'ca.key'), 'broken');
    expect((await init(dataDir)).stderr).toContain('is damaged');
  });

  it.each(['', 'a b', '-x', 'x'.repeat(64), 'http://a', 'a..b'])('refuses %j as a name', async (name) => {
    const dataDir = newFolder();
    const { exitCode, stderr } = await init(dataDir, `--host=${name}`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('neither a host name nor an address');
  });
});
