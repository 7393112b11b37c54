import { basicInput, credentialsInput, FakeCrypto, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { connectNameProblem, hasLinkForm } from './name-rules.ts';
import { namesOf, readCredentials } from './read-credentials.ts';

const crypto = new FakeCrypto();
const read = (input: Parameters<typeof readCredentials>[0]) => readCredentials(input, crypto);

describe('names shown at CONNECT', () => {
  it('REC-19 refuses `provision` in both lists', () => {
    expect(connectNameProblem('username', 'provision')).toContain('reserved');
    expect(connectNameProblem('clientId', 'provision')).toContain('reserved');
    expect(connectNameProblem('username', 'Provision')).toBeNull();
  });

  it('refuses empty names, control characters, lone surrogates and more than 255 characters', () => {
    for (const name of ['', 'a\u0000', '\u007f', '\udc00', 'n'.repeat(256)]) {
      expect(connectNameProblem('username', name)).not.toBeNull();
    }
    expect(connectNameProblem('username', 'dn&pk|x')).toBeNull();
  });

  it.each([
    ['dn|securemode=2,signmethod=hmacsha1|', true],
    ['|authType=register|', true],
    ['a|b|x=1,securemode=3|', true],
    ['a|b,signmethod=x|', true],
    ['a|securemode =2|', false],
    ['a|b', false],
    ['x|y=1|', false],
    ['|', false],
    ['||', false],
    ['a|securemode=2', false],
  ])('REC-9 tells the Link form of %s: %s', (clientId, link) => {
    expect(hasLinkForm(clientId)).toBe(link);
    expect(connectNameProblem('clientId', clientId) !== null).toBe(link);
    expect(connectNameProblem('username', clientId)).toBeNull();
  });
});

describe('access tokens', () => {
  it('TBS-21 are 20 letters and digits when none is given', () => {
    for (const credentialsId of [null, '']) {
      const form = succeeded(read(credentialsInput('ACCESS_TOKEN', { credentialsId })));
      expect(form.credentialsId).toMatch(/^[A-Za-z0-9]{20}$/);
      expect(form).toMatchObject({ generated: true, username: form.credentialsId, clientId: null });
    }
  });

  it('are taken as given', () => {
    expect(succeeded(read(credentialsInput('ACCESS_TOKEN', { credentialsId: 'A&b c' })))).toMatchObject({
      credentialsId: 'A&b c',
      credentialsValue: null,
      generated: false,
    });
  });
});

describe('MQTT_BASIC', () => {
  const refused = (value: Parameters<typeof basicInput>[0]) => read(basicInput(value));

  it('TBS-34 refuses neither client id nor user name, password beside a client id alone, and bodies that are none', () => {
    for (const value of [{}, { clientId: '', userName: null }, { password: 'p' }]) {
      expect(refused(value)).toMatchObject({
        code: 'badRequest',
        message: 'Both mqtt client id and user name are empty!',
      });
    }
    expect(refused({ clientId: 'c', password: 'p' })).toMatchObject({
      code: 'badRequest',
      message: 'Password cannot be specified along with client id',
    });
    for (const credentialsValue of [null, '', '{', '[]', '"x"', 'null', '{"userName":5}', '{"password":{}}']) {
      expect(read(credentialsInput('MQTT_BASIC', { credentialsValue }))).toMatchObject({
        code: 'badRequest',
        message: 'Invalid credentials body for simple mqtt credentials!',
      });
    }
  });

  it.each([
    [{ userName: 'u' }, 'u'],
    [{ userName: 'u', password: 'p' }, 'u'],
    [{ clientId: 'c' }, crypto.sha3_256('c')],
    [{ clientId: 'c', userName: 'u' }, crypto.sha3_256('c|u')],
    [{ clientId: 'c', userName: 'u', password: 'p' }, crypto.sha3_256('c|u')],
  ])('derives the credentialsId of %j', (value, credentialsId) => {
    const form = succeeded(read(basicInput(value)));
    expect(form.credentialsId).toBe(credentialsId);
    const full = { clientId: null, userName: null, password: null, ...value };
    expect(JSON.parse(form.credentialsValue ?? '')).toEqual(full);
  });

  it('occupies its user name, or its client id where that is all there is', () => {
    const kind = { dialect: 'd', exclusive: false };
    const names = (value: Parameters<typeof basicInput>[0]) =>
      namesOf(succeeded(read(basicInput(value))), kind).map(({ list, name }) => `${list} ${name}`);
    expect(names({ userName: 'u', clientId: 'c' })).toEqual(['username u']);
    expect(names({ clientId: 'c' })).toEqual(['clientId c']);
  });

  it('refuses the Link form as a client id alone, and takes it beside a user name', () => {
    const clientId = 'dn|securemode=2|';
    expect(refused({ clientId }).ok).toBe(false);
    expect(refused({ clientId, userName: 'u' }).ok).toBe(true);
  });

  it('is not misled by members that every object has', () => {
    expect(read(credentialsInput('MQTT_BASIC', { credentialsValue: '{"__proto__":{"userName":"u"}}' }))).toMatchObject({
      message: 'Both mqtt client id and user name are empty!',
    });
  });
});

describe('X509_CERTIFICATE', () => {
  const body = 'MIIBszCCAVmgAwIBAgIUE+a/b==';

  it('keeps the base64 text without header lines and line breaks, and hashes it', () => {
    const pem = `-----BEGIN CERTIFICATE-----\r\n${body.slice(0, 10)}\n${body.slice(10)}\n-----END CERTIFICATE-----\n`;
    for (const credentialsValue of [pem, body]) {
      expect(succeeded(read(credentialsInput('X509_CERTIFICATE', { credentialsValue })))).toMatchObject({
        credentialsValue: body,
        credentialsId: crypto.sha3_256(body),
        username: null,
        clientId: null,
      });
    }
  });

  it('refuses what is no certificate text', () => {
    for (const credentialsValue of [null, '', 'not base64!', 'A'.repeat(70_000)]) {
      expect(read(credentialsInput('X509_CERTIFICATE', { credentialsValue })).ok).toBe(false);
    }
  });
});

describe('PLAIN', () => {
  const value = (form: { credentialsValue: string | null }) => JSON.parse(form.credentialsValue ?? '');

  it('generates user name and password where they are left out', () => {
    const form = succeeded(read(credentialsInput('PLAIN')));
    expect(form).toMatchObject({ generated: true, username: form.credentialsId });
    expect(value(form)).toEqual({
      username: form.credentialsId,
      password: expect.stringMatching(/^[A-Za-z0-9]{24}$/),
      clientId: null,
    });
  });

  it('takes the user name from the value, else from the credentialsId', () => {
    const both = credentialsInput('PLAIN', {
      credentialsId: 'ignored',
      credentialsValue: '{"username":"u","password":"p","clientId":"c"}',
    });
    expect(succeeded(read(both))).toMatchObject({ credentialsId: 'u', username: 'u', clientId: 'c', generated: false });
    expect(succeeded(read(credentialsInput('PLAIN', { credentialsId: 'v' })))).toMatchObject({ username: 'v' });
  });

  it('refuses other bodies, reserved names and over-long passwords', () => {
    for (const credentialsValue of [
      '[]',
      '{"username":7}',
      '{"username":"provision"}',
      '{"clientId":"\\u0000"}',
      JSON.stringify({ password: 'p'.repeat(1025) }),
    ]) {
      expect(read(credentialsInput('PLAIN', { credentialsValue }))).toMatchObject({ code: 'invalidArguments' });
    }
  });
});

describe('ALIBABA', () => {
  const value = (form: { credentialsValue: string | null }) => JSON.parse(form.credentialsValue ?? '');
  const readValue = (members: Record<string, unknown>) =>
    read(credentialsInput('ALIBABA', { credentialsValue: JSON.stringify(members) }));

  it('is known by deviceName&productKey, keeps a given secret and draws one that is left out', () => {
    const members = { productKey: 'a1b2C3d4E5f', deviceName: 'lamp-01' };
    const kept = succeeded(readValue({ ...members, deviceSecret: '0123456789abcdef0123456789abcdef' }));
    expect(kept).toMatchObject({
      credentialsId: 'lamp-01&a1b2C3d4E5f',
      username: 'lamp-01&a1b2C3d4E5f',
      clientId: null,
    });
    expect(value(kept)).toEqual({ ...members, deviceSecret: '0123456789abcdef0123456789abcdef' });
    expect(value(succeeded(readValue(members))).deviceSecret).toMatch(/^[A-Za-z0-9]{32}$/);
    const byId = credentialsInput('ALIBABA', { credentialsId: 'lamp-01&a1b2C3d4E5f' });
    expect(value(succeeded(read(byId)))).toMatchObject(members);
  });

  it('a secret of null waits for dynamic registration; a name that is left out is drawn', () => {
    const waiting = readValue({ productKey: 'pk', deviceName: 'lamp-01', deviceSecret: null });
    expect(value(succeeded(waiting)).deviceSecret).toBeNull();
    const drawn = succeeded(readValue({ productKey: 'pk' }));
    expect(drawn).toMatchObject({ generated: true, credentialsId: expect.stringMatching(/^[A-Za-z0-9]{20}&pk$/) });
  });

  it('refuses names and secrets that no device has', () => {
    const good = { productKey: 'pk', deviceName: 'lamp-01', deviceSecret: 's' };
    for (const bad of [
      { productKey: '' },
      { productKey: 'p&k' },
      { productKey: 7 },
      { deviceName: 'abc' },
      { deviceName: 'a/b/c/d' },
      { deviceName: 'a'.repeat(33) },
      { deviceSecret: 's'.repeat(65) },
      { deviceSecret: '\u0000' },
    ]) {
      expect(readValue({ ...good, ...bad })).toMatchObject({ code: 'invalidArguments' });
    }
  });
});
