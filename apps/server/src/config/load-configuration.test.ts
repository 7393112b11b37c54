import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, normaliseEmail } from '@moorage/core';
import { DEFAULT_BROKER_LIMITS, NO_RATE_LIMITS } from '@moorage/mqtt-broker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bindHost, isLoopback } from './exposure.ts';
import { loadConfiguration } from './load-configuration.ts';
import { formatProblem } from './problem.ts';
import { SETTINGS } from './setting.ts';
import { showConfiguration } from './show.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'moorage-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Given {
  readonly yaml?: string;
  readonly environment?: Record<string, string>;
  readonly flags?: Record<string, string>;
}

let files = 0;
async function load({ yaml, environment = {}, flags = {} }: Given) {
  const all = new Map(Object.entries(flags));
  if (yaml !== undefined) {
    const name = `c${files++}.yaml`;
    writeFileSync(join(folder, name), yaml);
    all.set('--config', name);
  }
  return loadConfiguration({ flags: all, environment, workingFolder: folder });
}

async function good(given: Given) {
  const loaded = await load(given);
  if (!loaded.ok) expect.unreachable(loaded.problems.map(formatProblem).join('; '));
  return loaded;
}

/** The problems in words, with the name of the file made even. */
async function bad(given: Given): Promise<string[]> {
  const loaded = await load(given);
  if (loaded.ok) expect.unreachable('accepted');
  return loaded.problems.map((problem) => formatProblem(problem).replace(/^c\d+\.yaml/, 'file'));
}

const NO_LIMITS = { messages: null, telemetryMessages: null, telemetryDataPoints: null };

describe('configuration', () => {
  it('is all defaults without a file, variables and flags', async () => {
    const { configuration, origins, file } = await good({});
    expect(file).toBeNull();
    expect(configuration).toEqual({
      dataDir: resolve(folder, 'moorage-data'),
      host: null,
      publicHost: null,
      adminEmail: 'admin@moorage.local',
      adminPassword: null,
      sysadminEmail: 'sysadmin@moorage.local',
      sysadminPassword: null,
      audit: { keepDays: 90, maxLines: 1_000_000 },
      mqtt: expect.objectContaining({ port: 1883, pinnedPorts: [], serverKeepAlive: null, flapping: 'off' }),
      mqtts: { port: null, pinnedPorts: [] },
      ws: { port: null, pinnedPorts: [] },
      wss: { port: null, pinnedPorts: [] },
      combined: { port: null },
      tls: { certificate: null, key: null, clientCa: null, pinnedServerNames: [] },
      coap: { port: null },
      http: { port: 8080, trustedProxies: [] },
      sensoro: { nonceWindowMs: 900_000 },
      device: {
        inactivityTimeoutMs: 600_000,
        claim: { allowedByDefault: true, duration: 86_400_000 },
        rpc: { strategy: 'BURST', keepDays: 7 },
        limits: NO_LIMITS,
      },
      gateway: { maximumDevices: 10_000, limits: NO_LIMITS, deviceLimits: NO_LIMITS },
      ota: { maximumFileSize: 52_428_800 },
      plain: { anonymous: false, anonymousAnywhere: false, denySubscribe: [] },
      alibaba: { sessionGraceMinutes: 0, registerWithoutTls: false },
      waveshare: { sampleResource: false },
      webhooks: { allowPrivateAddresses: false },
      storage: { durability: 'full', commitIntervalMs: 2, ballastMiB: 64, maxSeriesPerDevice: 2000, retentionDays: 90 },
      log: { level: 'info' },
    });
    expect(new Set([...origins.values()].map(({ from }) => from))).toEqual(new Set(['default']));
  });

  it('takes flags over environment over file over defaults', async () => {
    const yaml = 'mqtt:\n  port: 1\nhttp:\n  port: 2\nstorage:\n  retentionDays: 3\n';
    const environment = { MOORAGE_MQTT__PORT: '11', MOORAGE_HTTP__PORT: '12' };
    const { configuration, origins, file } = await good({ yaml, environment, flags: { '--mqtt-port': '21' } });
    expect(configuration.mqtt.port).toBe(21);
    expect(configuration.http.port).toBe(12);
    expect(configuration.storage.retentionDays).toBe(3);
    expect(configuration.storage.ballastMiB).toBe(64);
    expect(origins.get('mqtt.port')).toEqual({ from: 'flag', name: '--mqtt-port' });
    expect(origins.get('http.port')).toEqual({ from: 'environment', name: 'MOORAGE_HTTP__PORT' });
    expect(origins.get('storage.retentionDays')).toEqual({ from: 'file', file, line: 6 });
    expect(origins.get('storage.ballastMiB')).toEqual({ from: 'default' });
  });

  it('reads moorage.yaml of the working folder, and another file by MOORAGE_CONFIG', async () => {
    const inner = mkdtempSync(join(folder, 'inner-'));
    writeFileSync(join(inner, 'moorage.yaml'), 'log: { level: warn }\n');
    writeFileSync(join(inner, 'other.yaml'), 'log: { level: error }\n');
    const read = (environment: Record<string, string>) =>
      loadConfiguration({ flags: new Map(), environment, workingFolder: inner });
    expect(await read({})).toMatchObject({ file: 'moorage.yaml', configuration: { log: { level: 'warn' } } });
    expect(await read({ MOORAGE_CONFIG: 'other.yaml' })).toMatchObject({ configuration: { log: { level: 'error' } } });
  });

  it('reads every setting by its variable and refuses it by its variable (B11)', async () => {
    for (const { key, environmentName, schema } of SETTINGS) {
      const kind = schema.type ?? schema.anyOf?.[0]?.type ?? 'enum';
      const right = { integer: String(schema.minimum ?? 1), boolean: 'true', array: 'a', enum: schema.enum?.[0] ?? '' };
      const special = new Map([
        ['adminEmail', 'a@b'],
        ['sysadminEmail', 'a@b'],
        ['tls.pinnedServerNames', 'a.b=plain'],
        ['http.trustedProxies', '10.0.0.0/8'],
      ]);
      if (key.endsWith('.pinnedPorts')) special.set(key, '4711=plain');
      if (/[lL]imits\.(messages|telemetry)/.test(key)) special.set(key, '20:1,600:60');
      const text = special.get(key) ?? right[kind as keyof typeof right] ?? 'long enough';
      const needed = {
        MOORAGE_PLAIN__ANONYMOUS_ANYWHERE: 'true',
        MOORAGE_TLS__CERTIFICATE: 'c',
        MOORAGE_TLS__KEY: 'k',
      };
      const environment = { ...needed, [environmentName]: text };
      const { origins } = await good({ environment });
      expect(origins.get(key)).toEqual({ from: 'environment', name: environmentName });
      if (kind !== 'array') {
        const problems = await bad({ environment: { [environmentName]: '' } });
        expect(problems).toEqual([expect.stringMatching(new RegExp(`^${environmentName}: must be `))]);
      }
    }
  });

  it('has the limits of the parts it configures', async () => {
    const { configuration } = await good({});
    expect(DEFAULT_BROKER_LIMITS).toMatchObject(configuration.mqtt.limits);
    expect(configuration.mqtt.limits.rates).toEqual(NO_RATE_LIMITS);
    const password = SETTINGS.find(({ key }) => key === 'adminPassword')?.schema.anyOf?.[0];
    expect(password).toMatchObject({ minLength: MIN_PASSWORD_LENGTH, maxLength: MAX_PASSWORD_LENGTH });
    expect(normaliseEmail(configuration.adminEmail)).toBe(configuration.adminEmail);
  });

  it('takes rates of MQTT clients and listeners, above 0', async () => {
    const yaml = 'mqtt:\n  limits:\n    rates:\n      connectsPerSecond: 200\n      clientMessagesPerSecond: 20\n';
    const environment = { MOORAGE_MQTT__LIMITS__RATES__LISTENER_BYTES_PER_SECOND: '5000000' };
    expect((await good({ yaml, environment })).configuration.mqtt.limits.rates).toEqual({
      ...NO_RATE_LIMITS,
      connectsPerSecond: 200,
      clientMessagesPerSecond: 20,
      listenerBytesPerSecond: 5_000_000,
    });
    for (const value of ['0', '-1', '1.5', 'off']) {
      const [problem] = await bad({ environment: { MOORAGE_MQTT__LIMITS__RATES__CONNECTS_PER_SECOND: value } });
      expect(problem).toContain('MOORAGE_MQTT__LIMITS__RATES__CONNECTS_PER_SECOND: must be a whole number from 1');
    }
  });

  it('publishes $SYS topics unless told not to', async () => {
    expect((await good({})).configuration.mqtt.sysTopics).toBe('on');
    const off = await good({ environment: { MOORAGE_MQTT__SYS_TOPICS: 'off' } });
    expect(off.configuration.mqtt.sysTopics).toBe('off');
    expect(await bad({ yaml: 'mqtt:\n  sysTopics: "maybe"\n' })).toEqual([
      'file:2:14: mqtt.sysTopics must be one of on, off, not "maybe"',
    ]);
  });

  it('names variables by group and word: the settings that outside tests rely on', () => {
    const names = SETTINGS.map(({ environmentName }) => environmentName);
    expect(names).toEqual(
      expect.arrayContaining([
        'MOORAGE_ADMIN_EMAIL',
        'MOORAGE_ADMIN_PASSWORD',
        'MOORAGE_DATA_DIR',
        'MOORAGE_MQTT__PORT',
        'MOORAGE_MQTT__SERVER_KEEP_ALIVE',
        'MOORAGE_MQTT__FLAPPING',
        'MOORAGE_PLAIN__ANONYMOUS',
        'MOORAGE_PLAIN__ANONYMOUS_ANYWHERE',
        'MOORAGE_PLAIN__DENY_SUBSCRIBE',
      ]),
    );
  });
});

describe('a bad configuration file (B11)', () => {
  it.each([
    ['empty', '', 'file:1:1: the file is empty (delete it to run with defaults)'],
    ['blank', ' \n\n', 'file:1:1: the file is empty (delete it to run with defaults)'],
    ['a list', '- mqtt\n', 'file:1:1: the file must be a group of keys'],
    ['a word', 'mqtt\n', 'file:1:1: the file must be a group of keys'],
    ['unknown key', 'mqtt:\n  prot: 1\n', 'file:2:3: unknown key "mqtt.prot" (did you mean mqtt.port?)'],
    ['unknown group', 'mqt:\n  port: 1\n', 'file:1:1: unknown key "mqt" (did you mean mqtt?)'],
    [
      'wrong group',
      'retentionDays: 4\n',
      'file:1:1: unknown key "retentionDays" (did you mean storage.retentionDays?)',
    ],
    ['strange key', 'fnord: 4\n', 'file:1:1: unknown key "fnord"'],
    ['__proto__', '__proto__:\n  a: 1\n', 'file:1:1: unknown key "__proto__"'],
    ['number as key', '1: 4\n', 'file:1:1: a key must be a plain word'],
    [
      'text for number',
      'mqtt:\n  port: "1883"\n',
      'file:2:9: mqtt.port must be a whole number from 0 to 65535, not "1883"',
    ],
    ['fraction', 'mqtt:\n  port: 1.5\n', 'file:2:9: mqtt.port must be a whole number from 0 to 65535, not 1.5'],
    ['too great', 'mqtt:\n  port: 70000\n', 'file:2:9: mqtt.port must be a whole number from 0 to 65535, not 70000'],
    ['nothing', 'mqtt:\n  port:\n', 'file:2:8: mqtt.port must be a whole number from 0 to 65535, not nothing'],
    ['nothing where null is allowed', 'host:\n', 'file:1:6: host must be a value, or no line at all, not nothing'],
    ['text for truth', 'plain:\n  anonymous: yes\n', 'file:2:14: plain.anonymous must be true or false, not "yes"'],
    ['number for truth', 'plain:\n  anonymous: 1\n', 'file:2:14: plain.anonymous must be true or false, not 1'],
    [
      'text for list',
      'plain:\n  denySubscribe: a\n',
      'file:2:18: plain.denySubscribe must be a list of Topic Filters, not "a"',
    ],
    [
      'bad filter',
      'plain:\n  denySubscribe: [a#]\n',
      'file:2:18: plain.denySubscribe must be a list of Topic Filters, not ["a#"]',
    ],
    [
      'group for value',
      'mqtt:\n  port:\n    a: 1\n',
      'file:3:5: mqtt.port must be a whole number from 0 to 65535, not {}',
    ],
    ['value for group', 'mqtt: 1883\n', 'file:1:7: mqtt must be a group of keys'],
    ['group with nothing', 'http:\n  port: 1\nmqtt:\n', 'file:3:6: mqtt must be a group of keys'],
    [
      'unknown word',
      'storage:\n  durability: safe\n',
      'file:2:15: storage.durability must be one of full, normal, not "safe"',
    ],
    [
      'alias',
      'mqtt:\n  port: &p 1\nhttp:\n  port: *p\n',
      'file:4:9: http.port must be a whole number from 0 to 65535, not undefined',
    ],
    ['same key twice', 'mqtt:\n  port: 1\n  port: 2\n', 'file:3:3: the same key twice'],
    [
      'secret of a wrong kind',
      'adminPassword: 12345678\n',
      'file:1:16: adminPassword must be a text of 8 to 256 characters, not the given value',
    ],
  ])('is refused with file, line and key: %s', async (_name, yaml, problem) => {
    expect(await bad({ yaml })).toEqual([problem]);
  });

  it('is refused with file and line when it is no YAML', async () => {
    const problems = await bad({ yaml: 'mqtt:\n  port: [1\nhttp: {\n' });
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toMatch(/^file:\d+:\d+: \S/);
    expect(await bad({ yaml: 'mqtt: !!js/function "x"\n' })).not.toEqual([]);
    expect(await bad({ yaml: 'mqtt:\n\tport: 1\n' })).not.toEqual([]);
  });

  it('may hold comments alone', async () => {
    expect((await good({ yaml: '# mqtt:\n#   port: 1\n' })).configuration.mqtt.port).toBe(1883);
  });

  it('is refused when it was named and is not there', async () => {
    expect(await bad({ flags: { '--config': 'absent.yaml' } })).toEqual([
      '--config: the configuration file absent.yaml cannot be read: ENOENT',
    ]);
    expect(await bad({ environment: { MOORAGE_CONFIG: 'absent.yaml' } })).toEqual([
      'MOORAGE_CONFIG: the configuration file absent.yaml cannot be read: ENOENT',
    ]);
  });

  it('tells all problems at once', async () => {
    const given = { yaml: 'a: 1\nmqtt:\n  port: x\n', environment: { MOORAGE_X: '1' }, flags: { '--http-port': 'y' } };
    expect(await bad(given)).toHaveLength(4);
  });
});

describe('bad variables and flags (B11)', () => {
  it.each([
    [{ MOORAGE_MQTT__PROT: '1' }, 'MOORAGE_MQTT__PROT: unknown setting (did you mean MOORAGE_MQTT__PORT?)'],
    [{ MOORAGE_MQTT_PORT: '1' }, 'MOORAGE_MQTT_PORT: unknown setting (did you mean MOORAGE_MQTT__PORT?)'],
    [{ MOORAGE_SOMETHING_ELSE: '1' }, 'MOORAGE_SOMETHING_ELSE: unknown setting'],
    [{ MOORAGE_HOST_FILE: '1' }, 'MOORAGE_HOST_FILE: unknown setting (did you mean MOORAGE_HOST?)'],
    [{ MOORAGE_MQTT__PORT: 'x' }, 'MOORAGE_MQTT__PORT: must be a whole number from 0 to 65535, not "x"'],
    [{ MOORAGE_PLAIN__ANONYMOUS: 'on' }, 'MOORAGE_PLAIN__ANONYMOUS: must be true or false, not "on"'],
    [{ MOORAGE_MQTT__FLAPPING: 'sometimes' }, 'MOORAGE_MQTT__FLAPPING: must be one of off, on, not "sometimes"'],
    [
      { MOORAGE_ADMIN_PASSWORD: 'hunter2' },
      'MOORAGE_ADMIN_PASSWORD: must be a text of 8 to 256 characters, not the given value',
    ],
  ])('refuses %j', async (environment, problem) => {
    expect(await bad({ environment: environment as Record<string, string> })).toEqual([problem]);
  });

  it('leaves variables of others alone', async () => {
    await good({ environment: { PATH: '/bin', MOORAGE: 'x', moorage_x: 'y' } });
  });

  it('refuses one port for two listeners, except 0', async () => {
    expect(await bad({ flags: { '--mqtt-port': '5', '--http-port': '5' } })).toEqual([
      'mqtt.port and http.port are both 5 (give each its own port)',
    ]);
    await good({ flags: { '--mqtt-port': '0', '--http-port': '0' } });
  });
});

describe('secrets', () => {
  it('come from a file without its last line end', async () => {
    writeFileSync(join(folder, 'password'), 'from a file\n');
    const environment = { MOORAGE_ADMIN_PASSWORD_FILE: join(folder, 'password') };
    const { configuration, origins } = await good({ environment });
    expect(configuration.adminPassword).toBe('from a file');
    expect(origins.get('adminPassword')).toEqual({ from: 'environment', name: 'MOORAGE_ADMIN_PASSWORD_FILE' });
  });

  it('are refused when the file is missing, too big, or given twice', async () => {
    expect(await bad({ environment: { MOORAGE_ADMIN_PASSWORD_FILE: '/nowhere/x' } })).toEqual([
      'MOORAGE_ADMIN_PASSWORD_FILE: the file "/nowhere/x" cannot be read: ENOENT',
    ]);
    writeFileSync(join(folder, 'big'), 'x'.repeat(70_000));
    expect(await bad({ environment: { MOORAGE_ADMIN_PASSWORD_FILE: join(folder, 'big') } })).toHaveLength(1);
    const both = { MOORAGE_ADMIN_PASSWORD_FILE: join(folder, 'password'), MOORAGE_ADMIN_PASSWORD: 'something' };
    expect(await bad({ environment: both })).toEqual([
      'MOORAGE_ADMIN_PASSWORD_FILE: is set as well as MOORAGE_ADMIN_PASSWORD (set one of the two)',
    ]);
  });

  it('are masked when shown, and every setting has an origin', async () => {
    const { configuration, origins } = await good({ environment: { MOORAGE_ADMIN_PASSWORD: 'top secret' } });
    const shown = showConfiguration(configuration, origins);
    expect(JSON.stringify(shown)).not.toContain('top secret');
    expect(shown.find(({ key }) => key === 'adminPassword')).toEqual({
      key: 'adminPassword',
      value: '********',
      origin: 'environment MOORAGE_ADMIN_PASSWORD',
    });
    expect(shown).toHaveLength(SETTINGS.length);
    expect(shown.find(({ key }) => key === 'host')).toEqual({ key: 'host', value: null, origin: 'default' });
  });
});

describe('exposure', () => {
  it('binds to loopback until an administrator has a password, unless a host is given', async () => {
    const nobody = (await good({})).configuration;
    const somebody = (await good({ environment: { MOORAGE_ADMIN_PASSWORD: 'long enough' } })).configuration;
    const fixed = (await good({ flags: { '--host': '0.0.0.0' } })).configuration;
    expect(bindHost(nobody, false)).toBe('127.0.0.1');
    expect(['::', '0.0.0.0']).toContain(bindHost(nobody, true));
    expect(['::', '0.0.0.0']).toContain(bindHost(somebody, false));
    expect(bindHost(fixed, false)).toBe('0.0.0.0');
  });

  it('never lets anonymous clients in from the network unasked', async () => {
    const anonymous = { MOORAGE_PLAIN__ANONYMOUS: 'true' };
    await good({ environment: anonymous });
    await good({ environment: { ...anonymous, MOORAGE_HOST: '::1', MOORAGE_ADMIN_PASSWORD: 'long enough' } });
    await good({ environment: { ...anonymous, MOORAGE_HOST: '0.0.0.0', MOORAGE_PLAIN__ANONYMOUS_ANYWHERE: 'true' } });
    expect(await bad({ environment: { ...anonymous, MOORAGE_HOST: '0.0.0.0' } })).toEqual([
      expect.stringContaining('plain.anonymous would let everybody in who reaches 0.0.0.0'),
    ]);
    expect(await bad({ environment: { ...anonymous, MOORAGE_ADMIN_PASSWORD: 'long enough' } })).toHaveLength(1);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.8.0.1', true],
    ['::1', true],
    ['localhost', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.example.org', false],
    ['192.168.1.1', false],
    ['localhost.example.org', false],
  ])('takes %s for loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});
