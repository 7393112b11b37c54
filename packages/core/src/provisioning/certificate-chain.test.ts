import {
  deviceInput,
  listQuery,
  MemoryRepositories,
  openTestRegistry,
  profileInput,
  succeeded,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { ClientCertificate } from '../model/connect-registry.ts';
import type { JsonObject } from '../model/entities.ts';

/** A registry whose profile `fleet` trusts an issuer. */
async function scene(parts: JsonObject = {}, repositories = new MemoryRepositories()) {
  const t = await openTestRegistry({ repositories });
  const certificate = (text: string, commonName: string | null): ClientCertificate => ({
    text,
    hash: t.crypto.sha3_256(text),
    commonName,
    validFrom: 0,
    validTo: Number.MAX_SAFE_INTEGER,
  });
  const issuer = certificate('SVNTVUVS', 'issuer');
  const provisionConfiguration = {
    type: 'X509_CERTIFICATE_CHAIN',
    provisionDeviceSecret: `-----BEGIN CERTIFICATE-----\n${issuer.text}\n-----END CERTIFICATE-----\n`,
    certificateRegExPattern: '^(.*)\\.example\\.org$',
    allowCreateNewDevicesByX509Certificate: true,
    ...parts,
  };
  const input = { provisionType: 'X509_CERTIFICATE_CHAIN', profileData: { provisionConfiguration } };
  const saved = await t.profiles.save(t.admin, profileInput('fleet', input));
  const leaf = (text: string, commonName: string | null = 'boat.example.org') => certificate(text, commonName);
  const connect = (...chain: ClientCertificate[]) => t.credentials.deviceOfChain(chain);
  return { ...t, repositories, issuer, saved, leaf, connect };
}

const REFUSED = { outcome: 'refused', reason: expect.any(String) };

describe('certificate chains', () => {
  it('TB-11 create the device that the Common Name names, and find it again', async () => {
    const s = await scene();
    const leaf = s.leaf('TEVBRg==');
    const first = await s.connect(leaf, s.leaf('TUlERExF', 'middle'), s.issuer);
    expect(first).toMatchObject({ outcome: 'found', device: { name: 'boat', profileId: succeeded(s.saved).id } });
    expect(s.credentials.byCertificate(leaf.hash)?.device?.name).toBe('boat');
    expect(await s.connect(leaf, s.issuer)).toEqual(first);
    expect(succeeded(await s.devices.list(s.admin, listQuery())).totalElements).toBe(1);
  });

  it('TB-11 create one device for two connections at once', async () => {
    const s = await scene();
    const [a, b] = await Promise.all([s.connect(s.leaf('QQ=='), s.issuer), s.connect(s.leaf('QQ=='), s.issuer)]);
    expect(a).toMatchObject({ outcome: 'found' });
    expect(b).toEqual(a);
    expect(succeeded(await s.devices.list(s.admin, listQuery())).totalElements).toBe(1);
    expect(s.revoked).toEqual([]);
  });

  it('replace the certificate of a device of the profile, which voids the former one', async () => {
    const s = await scene();
    const old = s.leaf('T0xE');
    const next = s.leaf('TkVX');
    await s.connect(old, s.issuer);
    expect(await s.connect(next, s.issuer)).toMatchObject({ outcome: 'found', device: { name: 'boat' } });
    expect(s.credentials.byCertificate(old.hash)).toBeUndefined();
    expect(s.credentials.byCertificate(next.hash)?.device?.name).toBe('boat');
    expect(s.revoked).toHaveLength(1);
  });

  it('take over a device with a token in the profile, and none of another profile', async () => {
    const s = await scene();
    const profileId = succeeded(s.saved).id;
    const input = deviceInput('boat', { deviceProfileId: profileId });
    await s.devices.save(s.admin, input, { accessToken: 'TOKEN' });
    expect(await s.connect(s.leaf('QQ=='), s.issuer)).toMatchObject({ outcome: 'found' });
    expect(s.credentials.byUsername('TOKEN')).toBeUndefined();
    await s.devices.save(s.admin, deviceInput('other'), { accessToken: null });
    expect(await s.connect(s.leaf('Qg==', 'other.example.org'), s.issuer)).toEqual(REFUSED);
  });

  it('create nothing where the profile does not allow it', async () => {
    const s = await scene({ allowCreateNewDevicesByX509Certificate: false });
    expect(await s.connect(s.leaf('QQ=='), s.issuer)).toEqual(REFUSED);
    expect(succeeded(await s.devices.list(s.admin, listQuery())).totalElements).toBe(0);
  });

  it('are refused without a trusted issuer, without a name, and when they are too long', async () => {
    const s = await scene();
    expect(await s.connect()).toEqual(REFUSED);
    expect(await s.connect(s.leaf('QQ=='), s.leaf('Qg=='))).toEqual(REFUSED);
    for (const name of [null, 'boat.example.com', '.example.org', `${'x'.repeat(60)}.example.org`]) {
      expect(await s.connect(s.leaf('QQ==', name), s.issuer), String(name)).toEqual(REFUSED);
    }
    expect(await s.connect(...Array.from({ length: 10 }, () => s.leaf('QQ==')), s.issuer)).toEqual(REFUSED);
  });

  it('find a device by its own certificate before any profile, also after a restart', async () => {
    const s = await scene();
    const credentialsValue = s.leaf('T1dO').text;
    const credentials = { id: null, credentialsType: 'X509_CERTIFICATE', credentialsId: null, version: null } as const;
    await s.devices.saveWithCredentials(s.admin, deviceInput('own'), { ...credentials, credentialsValue });
    expect(await s.connect(s.leaf('T1dO'), s.issuer)).toMatchObject({ outcome: 'found', device: { name: 'own' } });
    const later = await openTestRegistry({ repositories: s.repositories });
    expect(later.credentials.byCertificate(s.leaf('T1dO').hash)?.device?.name).toBe('own');
    expect(later.credentials.byCertificate(s.issuer.hash)).toBeUndefined();
    expect(later.credentials.hasCertificateProfile(s.issuer.hash)).toBe(true);
    expect(later.credentials.hasCertificateProfile(s.leaf('T1dO').hash)).toBe(false);
  });

  it('wait for the store and say when it failed', async () => {
    const s = await scene();
    s.repositories.troubles.push('failed');
    expect(await s.connect(s.leaf('QQ=='), s.issuer)).toEqual({ outcome: 'failed' });
    expect(await s.connect(s.leaf('QQ=='), s.issuer)).toMatchObject({ outcome: 'found' });
  });

  it('say so, and report it, when the store cannot be read', async () => {
    const s = await scene();
    Object.assign(s.repositories, { profile: () => Promise.reject(new TypeError('unreadable')) });
    expect(await s.connect(s.leaf('QQ=='), s.issuer)).toEqual({ outcome: 'failed' });
    expect(s.reports).toEqual([new TypeError('unreadable')]);
  });

  it('are forgotten with their device and with their profile', async () => {
    const s = await scene();
    const leaf = s.leaf('QQ==');
    await s.connect(leaf, s.issuer);
    const { data } = succeeded(await s.devices.list(s.admin, listQuery()));
    await s.devices.remove(s.admin, data[0]?.id ?? '');
    expect(s.credentials.byCertificate(leaf.hash)).toBeUndefined();
    await s.profiles.remove(s.admin, succeeded(s.saved).id);
    expect(s.credentials.hasCertificateProfile(s.issuer.hash)).toBe(false);
    expect(await s.connect(leaf, s.issuer)).toEqual(REFUSED);
  });

  it('are known by their hash alone, never by key and secret', async () => {
    const s = await scene();
    expect(succeeded(s.saved).provisionDeviceKey).toBe(s.issuer.hash);
    const { provisioning } = await s.openOnboarding({ attributes: neverAsked });
    const request = { deviceKey: s.issuer.hash, deviceSecret: s.issuer.text, deviceName: 'x', gateway: false };
    const nothing = { credentialsType: null, token: null, clientId: null, username: null, password: null };
    expect(await provisioning.provision({ ...request, ...nothing, certificate: null })).toEqual({
      status: 'NOT_FOUND',
    });
  });

  it.each([
    [{ provisionDeviceSecret: 'not a certificate!' }],
    [{ provisionDeviceSecret: null }],
    [{ certificateRegExPattern: null }],
    [{ certificateRegExPattern: '(' }],
    [{ certificateRegExPattern: '((a+)+)$' }],
    [{ certificateRegExPattern: 'no group' }],
    [{ allowCreateNewDevicesByX509Certificate: 'yes' }],
  ])('are refused in a profile with %j', async (parts) => {
    expect((await scene(parts)).saved).toMatchObject({ ok: false, code: 'badRequest' });
  });
});

const neverAsked = {
  read: () => Promise.reject(new TypeError('asked')),
  save: () => Promise.reject(new TypeError('asked')),
  remove: () => Promise.reject(new TypeError('asked')),
};
