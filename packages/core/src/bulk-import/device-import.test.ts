import { basicInput, callerOf, credentialsInput, deviceInput, openTestRegistry, succeeded } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { type Result, refuse, success } from '../errors.ts';
import { NULL_ID } from '../model/entities.ts';
import type { TelemetryService } from '../platform.ts';
import type { BulkImportRequest } from './bulk-import-service.ts';
import { BulkImport } from './device-import.ts';

/** `NAME` or `SERVER_ATTRIBUTE floor`. */
const columns = (...types: string[]) =>
  types.map((text) => {
    const [type = '', key = null] = text.split(' ');
    return { type, key };
  });
const request = (types: readonly string[], file: string, parts: Partial<BulkImportRequest> = {}) => ({
  file,
  columns: columns(...types),
  delimiter: null,
  update: true,
  header: true,
  dryRun: false,
  ...parts,
});

async function scene() {
  const t = await openTestRegistry();
  /** `device scope key` to value. */
  const written = new Map<string, unknown>();
  let outcome: () => Result<null> = () => success(null);
  const nameOf = (id: string) => t.deviceRef(id)?.name ?? '';
  const telemetry: Pick<TelemetryService, 'save' | 'saveAttributes'> = {
    async saveAttributes(_caller, id, scope, values) {
      const result = outcome();
      if (result.ok) for (const [key, { value }] of values) written.set(`${nameOf(id)} ${scope} ${key}`, value);
      return result;
    },
    async save(_caller, id, points) {
      points.keys.forEach((key, i) => {
        written.set(`${nameOf(id)} ${points.ts[i]} ${key}`, points.values[i]);
      });
      return outcome();
    },
  };
  let turns = 0;
  const scheduler = {
    endOfTurn: (task: () => void) => {
      turns += 1;
      queueMicrotask(task);
    },
  };
  const { devices, credentials, crypto, clock, reports } = t;
  const options = {
    devices,
    telemetry,
    credentials,
    crypto,
    clock,
    scheduler,
    report: (e: unknown) => reports.push(e),
  };
  const bulk = new BulkImport(options);
  const run = async (types: readonly string[], file: string, parts: Partial<BulkImportRequest> = {}) =>
    succeeded(await bulk.devices(t.admin, request(types, file, parts)));
  const device = async (name: string) => succeeded(await devices.byName(t.admin, name));
  const credentialsOf = async (name: string) => succeeded(await devices.credentials(t.admin, (await device(name)).id));
  const refuseValues = () => {
    outcome = () => refuse('storageFull');
  };
  return { ...t, bulk, options, run, device, credentialsOf, written, refuseValues, turns: () => turns };
}

const MIXED = [
  'NAME',
  'TYPE',
  'LABEL',
  'SERVER_ATTRIBUTE floor',
  'SHARED_ATTRIBUTE on',
  'TIMESERIES t',
  'ACCESS_TOKEN',
];
const FILE = [
  'name,type,label,floor,on,t,token',
  'pump,boat,Pump,3,true,20.5,token-pump',
  'lamp,boat,,"{""a"": 1}",,,token-lamp',
  ',boat,Nobody,1,,,',
  'door,,,second,false,-1,',
].join('\r\n');

describe('bulk import', () => {
  it('TBS-81 creates devices with their tokens and values, and names the bad line', async () => {
    const s = await scene();
    expect(await s.run(MIXED, FILE)).toEqual({
      created: 3,
      updated: 0,
      errors: 1,
      errorsList: ['Line 4: Device name should be specified!'],
    });
    expect(await s.device('pump')).toMatchObject({ type: 'boat', label: 'Pump', additionalInfo: null });
    expect(await s.device('door')).toMatchObject({ type: 'default', label: null });
    expect(await s.credentialsOf('pump')).toMatchObject({
      credentialsType: 'ACCESS_TOKEN',
      credentialsId: 'token-pump',
    });
    expect((await s.credentialsOf('door')).credentialsId).toMatch(/^[A-Za-z0-9]{20}$/);
    expect([...s.written].sort()).toEqual(
      [
        ['pump SERVER floor', 3],
        ['pump SHARED on', true],
        [`pump ${s.clock.now()} t`, 20.5],
        ['lamp SERVER floor', '{"a":1}'],
        ['door SERVER floor', 'second'],
        ['door SHARED on', false],
        [`door ${s.clock.now()} t`, -1],
      ].sort(),
    );
  });

  it('TBS-82 updates the devices that exist', async () => {
    const s = await scene();
    await s.run(MIXED, FILE);
    const before = await s.credentialsOf('door');
    const again = FILE.replace('Pump', 'Bilge').replace('pump,boat', 'pump,ship');
    expect(await s.run(MIXED, again)).toMatchObject({ created: 0, updated: 3, errors: 1 });
    expect(await s.device('pump')).toMatchObject({ type: 'ship', label: 'Bilge' });
    expect(await s.device('door')).toMatchObject({ type: 'default' });
    expect(await s.credentialsOf('door')).toEqual(before);
    expect(s.revoked).toEqual([]);
  });

  it('writes no values of devices that exist without update, but their own fields', async () => {
    const s = await scene();
    await s.run(['NAME'], 'name\npump');
    const types = ['NAME', 'LABEL', 'SERVER_ATTRIBUTE floor', 'TIMESERIES t'];
    const report = await s.run(types, 'n,l,f,t\npump,Pump,3,1\nlamp,Lamp,4,2', { update: false });
    expect(report).toMatchObject({ created: 1, updated: 1 });
    expect((await s.device('pump')).label).toBe('Pump');
    expect([...s.written.keys()]).toEqual(['lamp SERVER floor', `lamp ${s.clock.now()} t`]);
  });

  it('keeps what a line does not say, and merges the rest', async () => {
    const s = await scene();
    const input = deviceInput('pump', { label: 'Pump', type: 'boat', additionalInfo: { note: 1, description: 'old' } });
    succeeded(await s.devices.save(s.admin, input, { accessToken: 'mine' }));
    const types = ['NAME', 'LABEL', 'TYPE', 'DESCRIPTION', 'IS_GATEWAY', 'ACCESS_TOKEN'];
    await s.run(types, 'h\npump,,,new,TRUE,');
    expect(await s.device('pump')).toMatchObject({
      label: 'Pump',
      type: 'boat',
      additionalInfo: { note: 1, description: 'new', gateway: true },
    });
    expect((await s.credentialsOf('pump')).credentialsId).toBe('mine');
    await s.run(types, 'h\npump,,,,false,other');
    expect(await s.device('pump')).toMatchObject({ additionalInfo: { description: 'new', gateway: false } });
    expect((await s.credentialsOf('pump')).credentialsId).toBe('other');
    const bad = await s.run(types, 'h\npump,,,,yes,');
    expect(bad.errorsList).toEqual(['Line 2: IS_GATEWAY must be true or false']);
  });

  it('chooses the kind of credentials by the cells that are there', async () => {
    const s = await scene();
    const types = ['NAME', 'ACCESS_TOKEN', 'MQTT_CLIENT_ID', 'MQTT_USER_NAME', 'MQTT_PASSWORD', 'X509'];
    const report = await s.run(
      types,
      ['a,token,client,user,secret,QUJD', 'b,token,client,user,secret,', 'c,token,,,,', 'd,,,,secret,', 'e,,,,,'].join(
        '\n',
      ),
      { header: false },
    );
    expect(report.errorsList).toEqual(['Line 4: Both mqtt client id and user name are empty!']);
    expect(await s.credentialsOf('a')).toMatchObject({ credentialsType: 'X509_CERTIFICATE', credentialsValue: 'QUJD' });
    const basic = await s.credentialsOf('b');
    expect(basic.credentialsType).toBe('MQTT_BASIC');
    expect(JSON.parse(basic.credentialsValue ?? '')).toEqual({
      clientId: 'client',
      userName: 'user',
      password: 'secret',
    });
    expect((await s.credentialsOf('c')).credentialsId).toBe('token');
    expect((await s.credentialsOf('e')).credentialsType).toBe('ACCESS_TOKEN');
  });

  it('gives a taken token to nobody else and makes no device without its credentials', async () => {
    const s = await scene();
    const report = await s.run(['NAME', 'ACCESS_TOKEN'], 'h\na,same\nb,same\nc,other');
    expect(report).toEqual({
      created: 2,
      updated: 0,
      errors: 1,
      errorsList: ['Line 3: Device credentials are already assigned to another device!'],
    });
    expect(await s.devices.byName(s.admin, 'b')).toMatchObject({ code: 'notFound' });
  });

  it('gives a user name to the first line that has it, whatever the password', async () => {
    const s = await scene();
    const lines = Array.from({ length: 5 }, (_, n) => `d${n},user,secret ${n}`).join('\n');
    const report = await s.run(['NAME', 'MQTT_USER_NAME', 'MQTT_PASSWORD'], lines, { header: false });
    expect(report).toMatchObject({ created: 1, errors: 4 });
    expect(report.errorsList.map((text) => text.slice(0, 7))).toEqual(['Line 2:', 'Line 3:', 'Line 4:', 'Line 5:']);
  });

  it('takes the lines of one device in their order', async () => {
    const s = await scene();
    const lines = Array.from({ length: 40 }, (_, n) => `pump,label ${n},${n}`);
    const report = await s.run(['NAME', 'LABEL', 'SERVER_ATTRIBUTE n'], ['h', ...lines].join('\n'));
    expect(report).toMatchObject({ created: 1, updated: 39, errors: 0 });
    expect((await s.device('pump')).label).toBe('label 39');
    expect(s.written.get('pump SERVER n')).toBe(39);
  });

  it('counts lines in the file, also behind quoted line breaks and empty lines', async () => {
    const s = await scene();
    const file = '\ufeffname;label\n"a";"one\ntwo"\n\n;x\n"d"x;y\nb;"never closed\nc;y;z;z';
    const report = await s.run(['NAME', 'LABEL'], file, { delimiter: ';' });
    expect(report).toMatchObject({ created: 0, errors: 5 });
    expect(report.errorsList.map((text) => text.slice(0, 7))).toEqual([
      'Line 2:',
      'Line 5:',
      'Line 6:',
      'Line 7:',
      'Line 8:',
    ]);
  });

  it('goes on after a store that refuses or breaks', async () => {
    const s = await scene();
    s.refuseValues();
    const refused = await s.run(['NAME', 'SERVER_ATTRIBUTE n'], 'h\na,1\nb,');
    expect(refused).toMatchObject({ created: 1, errors: 1 });
    expect(refused.errorsList).toEqual(['Line 2: The device is saved, but not all its values: The storage is full']);
    const broken = new BulkImport({
      ...s.options,
      devices: {
        ...s.options.devices,
        save: (caller, input, options) => s.devices.save(caller, input, options),
        saveWithCredentials: (caller, input, credentials) => s.devices.saveWithCredentials(caller, input, credentials),
        byName: async (caller, name) => {
          if (name === 'x') throw new TypeError('broken');
          return s.devices.byName(caller, name);
        },
      },
    });
    const report = succeeded(await broken.devices(s.admin, request(['NAME'], 'h\nx\ny')));
    expect(report).toMatchObject({ created: 1, errors: 1, errorsList: ['Line 2: The device could not be saved'] });
    expect(s.reports).toEqual([new TypeError('broken')]);
  });

  it('lets the event loop turn between slices, also of bad lines', async () => {
    const s = await scene();
    const good = Array.from({ length: 320 }, (_, n) => `d${n}`).join('\n');
    await s.run(['NAME'], good, { header: false });
    expect(s.turns()).toBeGreaterThanOrEqual(10);
    const before = s.turns();
    await s.run(['NAME'], 'a,b\n'.repeat(320), { header: false });
    expect(s.turns() - before).toBeGreaterThanOrEqual(10);
  });

  it('lists the first 10,000 bad lines and counts the rest', async () => {
    const s = await scene();
    const report = await s.run(['NAME'], 'a,b\n'.repeat(10_005), { header: false });
    expect(report.errors).toBe(10_005);
    expect(report.errorsList).toHaveLength(10_001);
    expect(report.errorsList.at(-1)).toBe('5 more lines failed');
  });
});

describe('a bulk import that cannot begin', () => {
  it.each([
    [['NAME', 'LWM2M_CLIENT_ENDPOINT']],
    [['NAME', 'SNMP_HOST']],
    [['NAME', 'ROUTING_KEY']],
    [['NAME', 'SECRET']],
    [['NAME', 'constructor']],
    [['TYPE']],
    [['NAME', 'NAME']],
    [['NAME', 'SERVER_ATTRIBUTE']],
    [['NAME', `SERVER_ATTRIBUTE ${'k'.repeat(256)}`]],
    [['NAME', 'TIMESERIES t', 'TIMESERIES t']],
    [[]],
  ])('is refused for the columns %j', async (types) => {
    const s = await scene();
    expect(await s.bulk.devices(s.admin, request(types, 'h\na'))).toMatchObject({ code: 'badRequest' });
    expect(await s.devices.byName(s.admin, 'a')).toMatchObject({ code: 'notFound' });
  });

  it('is refused for its delimiter, its length and its caller', async () => {
    const s = await scene();
    for (const delimiter of ['', ';;', '"', '\n']) {
      const refused = await s.bulk.devices(s.admin, request(['NAME'], 'h\na', { delimiter }));
      expect(refused).toMatchObject({ code: 'badRequest' });
    }
    const long = 'a\n'.repeat(100_001);
    expect(await s.bulk.devices(s.admin, request(['NAME'], `${long}a`))).toMatchObject({ code: 'badRequest' });
    for (const caller of [callerOf('CUSTOMER_USER', s.admin.tenantId, 'x'), callerOf('SYS_ADMIN', NULL_ID)]) {
      expect(await s.bulk.devices(caller, request(['NAME'], 'h\na'))).toMatchObject({ code: 'permissionDenied' });
    }
  });

  it('is refused while another one of the tenant runs', async () => {
    const s = await scene();
    const first = s.bulk.devices(s.admin, request(['NAME'], 'h\na'));
    expect(await s.bulk.devices(s.admin, request(['NAME'], 'h\nb'))).toMatchObject({ code: 'tooManyRequests' });
    expect((await first).ok).toBe(true);
    expect((await s.bulk.devices(s.admin, request(['NAME'], 'h\nb'))).ok).toBe(true);
  });
});

describe('a dry run', () => {
  it('reports what the import would, and writes nothing', async () => {
    const types = [
      'NAME',
      'TYPE',
      'LABEL',
      'IS_GATEWAY',
      'ACCESS_TOKEN',
      'MQTT_USER_NAME',
      'X509',
      'SERVER_ATTRIBUTE a',
    ];
    const file = [
      'header',
      'old,,,,,,,',
      'new,boat,Label,true,token-1,,,1',
      'new,,Again,,token-2,,,',
      'b,,,,token-1,,,',
      'c,,,,taken,,,',
      'd,,,,token-2,,,',
      'e,,<b>,,,,,',
      'f,<i>,,,,,,',
      'g,,,,,user,,',
      'h,,,,,user,,',
      'i,,,,,,QUJD,',
      'j,,,,,,QUJD,',
      'k,,,,,,not base64!,',
      'holder,,,,token-9,,,',
      'l,,,,taken,,,',
      `${'x'.repeat(256)},,,,,,,`,
      'm,,,,,clash,,',
      'n,,,,,,,9',
    ].join('\n');
    const prepare = async () => {
      const s = await scene();
      await s.devices.save(s.admin, deviceInput('old'), { accessToken: 'old-token' });
      await s.devices.save(s.admin, deviceInput('holder'), { accessToken: 'taken' });
      succeeded(
        await s.devices.saveWithCredentials(s.admin, deviceInput('clasher'), basicInput({ userName: 'clash' })),
      );
      const certificate = credentialsInput('X509_CERTIFICATE', { credentialsValue: 'QUJE' });
      succeeded(await s.devices.saveWithCredentials(s.admin, deviceInput('certified'), certificate));
      return s;
    };
    const dry = await prepare();
    const listed = async () =>
      succeeded(
        await dry.devices.list(dry.admin, {
          ...{ pageSize: 100, page: 0, textSearch: null, sortProperty: null, sortOrder: 'ASC' },
          ...{ type: null, deviceProfileId: null },
        }),
      );
    const before = await listed();
    const dryReport = await dry.run(types, file, { dryRun: true });
    expect(await listed()).toEqual(before);
    expect(succeeded(await dry.devices.types(dry.admin))).toEqual(['default']);
    expect(dry.written.size).toBe(0);
    const real = await prepare();
    const report = await real.run(types, file);
    expect(report.errorsList.map((text) => text.slice(5, text.indexOf(':')))).toEqual([
      '6',
      '7',
      '8',
      '9',
      '11',
      '13',
      '14',
      '17',
      '18',
    ]);
    expect(dryReport).toEqual(report);
  });
});
