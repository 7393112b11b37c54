import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { type ClientResult, run } from '../harness/real-clients.ts';

const COMMAND = fileURLToPath(new URL('../../node_modules/.bin/moorage', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'moorage-x509-'));
const file = (name: string): string => join(folder, name);
const server = new MoorageProcess({
  args: ['--cert', join(folder, 'tls/server.crt'), '--key', join(folder, 'tls/server.key')],
});
const api = new ApiClient(server);

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', cwd: folder });
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function selfSigned(name: string, ...options: string[]): string {
  openssl('req', '-x509', ...EC, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`, ...options);
  return readFileSync(file(`${name}.crt`), 'utf8');
}

/** A leaf signed by an authority of this folder; its file holds the chain. */
function signed(name: string, authority: string): void {
  openssl('req', ...EC, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  openssl(
    ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`],
    ...['-CAcreateserial', '-days', '2', '-out', `${name}.leaf`],
  );
  writeFileSync(
    file(`${name}.crt`),
    readFileSync(file(`${name}.leaf`), 'utf8') + readFileSync(file(`${authority}.crt`), 'utf8'),
  );
}

function publish(version: string, payload: string, ...args: string[]): Promise<ClientResult> {
  return run('mosquitto_pub', [
    ...['-h', 'localhost', '-p', String(server.port('mqtts')), '--cafile', join(folder, 'tls/ca.crt'), '-V', version],
    ...['-q', '1', '-t', 'v1/devices/me/telemetry', '-m', payload, ...args],
  ]);
}

const withCertificate = (name: string) => ['--cert', file(`${name}.crt`), '--key', file(`${name}.key`)];

async function createWithCertificate(name: string, pem: string): Promise<string> {
  const answer = await api.call('POST', '/api/device-with-credentials', {
    device: { name },
    credentials: { credentialsType: 'X509_CERTIFICATE', credentialsValue: pem },
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.id.id;
}

beforeAll(async () => {
  execFileSync(COMMAND, ['cert', 'init', '--data-dir', folder, '--json', '--host', 'localhost']);
  await server.start();
  await api.login();
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe('X.509', () => {
  it('TB-8 a stored certificate authenticates without a user name; an unknown one is refused with 5 and 0x87', async () => {
    const id = await createWithCertificate('certified', selfSigned('certified', '-days', '2'));
    for (const version of ['mqttv311', 'mqttv5']) {
      const result = await publish(version, '{"v":1}', ...withCertificate('certified'));
      expect(result.code, result.stderr).toBe(0);
    }
    expect((await api.latest(id)).v?.[0]?.value).toBe(1);
    selfSigned('stranger', '-days', '2');
    expect((await publish('mqttv311', '{}', ...withCertificate('stranger'))).code).toBe(5);
    expect((await publish('mqttv5', '{}', ...withCertificate('stranger'))).code).toBe(135);
  });

  it('TB-8 who shows an unknown certificate is not let in by a token beside it', async () => {
    await api.createDevice('token beside', 'TOKENBESIDE000000001');
    const result = await publish('mqttv5', '{}', '-u', 'TOKENBESIDE000000001', ...withCertificate('stranger'));
    expect(result.code).toBe(135);
  });

  it('TB-9 an expired certificate is refused', async () => {
    const dates = ['-not_before', '20200101000000Z', '-not_after', '20200102000000Z'];
    let pem: string;
    try {
      pem = selfSigned('expired', ...dates);
    } catch {
      // Older openssl sets dates only where it signs for an authority.
      openssl('req', ...EC, '-subj', '/CN=expired', '-keyout', 'expired.key', '-out', 'expired.csr');
      writeFileSync(file('index.txt'), '');
      writeFileSync(
        file('ca.cnf'),
        `[ca]\ndefault_ca=d\n[d]\ndatabase=${file('index.txt')}\nnew_certs_dir=${folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
      );
      openssl(
        ...['ca', '-batch', '-config', 'ca.cnf', '-selfsign', '-in', 'expired.csr', '-keyfile', 'expired.key'],
        ...['-startdate', '20200101000000Z', '-enddate', '20200102000000Z', '-notext', '-out', 'expired.crt'],
      );
      pem = readFileSync(file('expired.crt'), 'utf8');
    }
    await createWithCertificate('expired', pem);
    expect((await publish('mqttv311', '{}', ...withCertificate('expired'))).code).toBe(5);
    expect((await publish('mqttv5', '{}', ...withCertificate('expired'))).code).toBe(135);
  });

  it('TB-10 over TLS without a client certificate a token works', async () => {
    const id = await api.createDevice('over tls', 'OVERTLSTOKEN00000001');
    const result = await publish('mqttv311', '{"v":2}', '-u', 'OVERTLSTOKEN00000001');
    expect(result.code, result.stderr).toBe(0);
    expect((await api.latest(id)).v?.[0]?.value).toBe(2);
  });

  it('TB-11 a chain creates the device that the expression names, and a second connect uses it again', async () => {
    const authority = selfSigned('authority', '-days', '2');
    const profile = await api.call('POST', '/api/deviceProfile', {
      name: 'by chain',
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      provisionType: 'X509_CERTIFICATE_CHAIN',
      profileData: {
        configuration: { type: 'DEFAULT' },
        transportConfiguration: { type: 'DEFAULT' },
        provisionConfiguration: {
          type: 'X509_CERTIFICATE_CHAIN',
          provisionDeviceSecret: authority,
          certificateRegExPattern: '^(.*)\\.factory$',
          allowCreateNewDevicesByX509Certificate: true,
        },
      },
    });
    expect(profile.status, profile.text).toBe(200);
    signed('sensor-1.factory', 'authority');
    for (const value of [1, 2]) {
      const result = await publish('mqttv5', `{"v":${value}}`, ...withCertificate('sensor-1.factory'));
      expect(result.code, result.stderr).toBe(0);
    }
    const devices = await api.call('GET', '/api/tenant/devices?pageSize=10&page=0&type=by%20chain');
    expect(devices.body.data.map((device: { name: string }) => device.name)).toEqual(['sensor-1']);
    expect((await api.latest(devices.body.data[0].id.id)).v?.[0]?.value).toBe(2);
    signed('elsewhere', 'authority');
    expect((await publish('mqttv5', '{}', ...withCertificate('elsewhere'))).code).toBe(135);
  });
});
