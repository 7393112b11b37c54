import { ValueKind } from '@moorage/core';
import { describe, expect, it } from 'vitest';
import { account, Bench } from '../testing/bench.ts';

const codesOf = async (bench: Bench) => (await bench.data()).refused().map(({ code }) => code);

describe('data of devices', () => {
  it('TS-11 an object is stored as it is, its members in their order, and is telemetry of the device', async () => {
    const bench = new Bench();
    expect(await bench.ingest('dev01', '{"temp":20, "humidity":50,"10":true,"a":{"b":[1]},"s":"x"}')).toBe('created');
    expect(await bench.values(0)).toEqual(['{"temp":20,"humidity":50,"10":true,"a":{"b":[1]},"s":"x"}']);
    const [{ device, points } = { device: null, points: null }] = bench.submitted;
    expect(device?.name).toBe('dev01');
    expect(points?.keys).toEqual(['temp', 'humidity', '10', 's']);
    expect(points?.values).toEqual([20, 50, true, 'x']);
    expect(points?.kinds).toEqual([ValueKind.Long, ValueKind.Long, ValueKind.Boolean, ValueKind.String]);
    expect(points?.ts).toEqual([bench.now(), bench.now(), bench.now(), bench.now()]);
  });

  it('TS-13 a tag is kept with the point, stands before the keys of the device, and is listed with the channel', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '{"temp":21}', 'node1');
    await bench.ingest('dev01', '{"temp":22}');
    expect(await bench.values(0, 'node1')).toEqual(['{"temp":21}']);
    expect(await bench.values(0, null)).toEqual(['{"temp":22}']);
    expect(bench.submitted.map(({ points }) => points.keys)).toEqual([['node1.temp'], ['temp']]);
    expect((await bench.data()).channel(0)?.tags).toEqual(['node1']);
  });

  it('TS-19 an unknown device is made with its channel, and its first message is stored', async () => {
    const bench = new Bench();
    expect(await bench.ingest('dev01', '1')).toBe('created');
    expect(await bench.ingest('dev01', '2')).toBe('stored');
    expect(await bench.ingest('dev02', '3')).toBe('created');
    const data = await bench.data();
    expect(data.devices()).toMatchObject([
      { deviceId: 'dev01', description: 'dev01', enabled: true, mappedChannel: 0, activateAt: bench.now() },
      { deviceId: 'dev02', mappedChannel: 1, deviceType: '', location: '', manufacturer: '', state: null },
    ]);
    expect(data.channels().map(({ number, name }) => [number, name])).toEqual([
      [0, 'dev01'],
      [1, 'dev02'],
    ]);
    expect(await bench.values(0)).toEqual(['{"value1":1}', '{"value1":2}']);
  });

  it('TS-19 without autoMap the device is made and not mapped, and nothing is stored', async () => {
    const bench = new Bench([account({ autoMap: false })]);
    expect(await bench.ingest('dev01', '1')).toBe('createdNotMapped');
    expect(await bench.ingest('dev01', '2')).toBe('NO_MAPPED_CH');
    const data = await bench.data();
    expect(data.device('dev01')?.mappedChannel).toBeNull();
    expect(data.channels()).toEqual([]);
    expect(bench.submitted).toEqual([]);
  });

  it('first messages of an unknown device that come together make one device and are all stored, in their order', async () => {
    const bench = new Bench();
    let open: (value: unknown) => void = () => {};
    bench.creationGate = new Promise((resolve) => {
      open = resolve;
    });
    const outcomes = ['1', '2', '3'].map((payload) => bench.ingest('dev01', payload));
    open(null);
    expect(await Promise.all(outcomes)).toEqual(['created', 'stored', 'stored']);
    expect(bench.creations).toEqual(['dev01']);
    expect(await bench.values(0)).toEqual(['{"value1":1}', '{"value1":2}', '{"value1":3}']);
  });

  it('different devices that come together get channels of their own', async () => {
    const bench = new Bench();
    const ids = Array.from({ length: 20 }, (_, index) => `dev${index}`);
    expect(new Set(await Promise.all(ids.map((id) => bench.ingest(id, '1'))))).toEqual(new Set(['created']));
    const data = await bench.data();
    expect(data.devices().map(({ mappedChannel }) => mappedChannel)).toEqual(ids.map((_, index) => index));
  });

  it('TS-21 the id 0, and what is no id, make no device', async () => {
    const bench = new Bench();
    for (const id of ['0', 'json', 'a/b', '+', '', 'x'.repeat(129)]) {
      expect(await bench.ingest(id, '1')).toBe('DEVICE_ID_ZERO');
    }
    expect(bench.creations).toEqual([]);
  });

  it('TS-38 no device is made beyond the most that the account may have', async () => {
    const bench = new Bench([account({ maxDevices: 2 })]);
    const outcomes = await Promise.all(['a', 'b', 'c'].map((id) => bench.ingest(id, '1')));
    expect(outcomes).toEqual(['created', 'created', 'MAX_DEVICE_REACH']);
    expect(await (await bench.data()).createDevice('d')).toBe('MAX_DEVICE_REACH');
    expect(bench.creations).toEqual(['a', 'b']);
  });

  it('TS-37 a disabled device stores nothing', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    const data = await bench.data();
    expect(await data.updateDevice('dev01', { enabled: false })).toBe('done');
    expect(await bench.ingest('dev01', '2')).toBe('DEVICE_DISABLED');
    expect(await bench.values(0)).toEqual(['{"value1":1}']);
  });

  it('a device that the registry has already is taken up as it is', async () => {
    const bench = new Bench();
    const { id } = bench.register('dev01');
    expect((await bench.data()).device('dev01')).toMatchObject({ entityId: id, mappedChannel: null });
    expect(await bench.ingest('dev01', '1')).toBe('stored');
    expect(bench.creations).toEqual([]);
    expect((await bench.data()).device('dev01')).toMatchObject({ entityId: id, mappedChannel: 0 });
  });

  it('a device that was deleted and comes again is a new one, whatever was kept of the old one', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    await (await bench.data()).updateDevice('dev01', { description: 'old' });
    await bench.removeDevice('', bench.devices[Object.keys(bench.devices)[0] ?? '']?.dev01?.id ?? '');
    expect((await bench.data()).device('dev01')).toBeUndefined();
    expect((await bench.data()).devices()).toEqual([]);
    expect(await bench.ingest('dev01', '2')).toBe('created');
    expect((await bench.data()).device('dev01')).toMatchObject({ description: 'dev01', mappedChannel: 1 });
  });

  it('points of one series in the same millisecond do not replace each other and keep their order', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '0');
    await Promise.all(Array.from({ length: 50 }, (_, index) => bench.ingest('dev01', String(index + 1))));
    bench.time.advance(20);
    await bench.ingest('dev01', '51');
    expect(await bench.values(0)).toEqual(Array.from({ length: 52 }, (_, index) => `{"value1":${index}}`));
    const points = await (await bench.data()).points({
      channel: 0,
      tag: null,
      from: 0,
      to: 8e15,
      limit: 99,
      latest: true,
    });
    expect(new Set(points.map(({ id }) => id)).size).toBe(52);
    expect(points.every(({ id }) => /^[\da-f]{24}$/.test(id))).toBe(true);
    expect(Number.parseInt(points[0]?.id.slice(0, 8) ?? '', 16)).toBe(Math.floor(bench.now() / 1000));
  });

  it('points follow a clock that was set back far', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    bench.time.jump(-7_200_000);
    await bench.ingest('dev01', '2');
    expect((await bench.data()).channel(0)?.lastUpdate).toBe(bench.now() + 7_200_000);
    expect(await bench.values(0)).toEqual(['{"value1":2}', '{"value1":1}']);
  });

  it('TS-16 a device whose bytes are decoded has the members of MessagePack besides', async () => {
    const bench = new Bench();
    const client = bench.connect();
    const bytes = Uint8Array.of(0x82, 0xa4, ...Buffer.from('temp'), 0x14, 0xa8, ...Buffer.from('humidity'), 0x32);
    const topic = '0123456789ABCDEF0123456789ABCDEF/binary/dev01';
    await bench.send(client, topic, bytes);
    await (await bench.data()).updateDevice('dev01', { decodeMsgpack: true });
    await bench.send(client, topic, bytes);
    await bench.send(client, topic, Uint8Array.of(1, 2));
    const hex = '"value1":"82a474656d7014a868756d696469747932"';
    expect(await bench.values(0)).toEqual([`{${hex}}`, `{${hex},"temp":20,"humidity":50}`, '{"value1":"0102"}']);
    expect(bench.submitted.map(({ points }) => points.keys)).toEqual([
      ['value1'],
      ['value1', 'temp', 'humidity'],
      ['value1'],
    ]);
  });

  it('what a store does not take is told, and what was taken before stays', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    bench.submitOutcomes.push('full', 'failed');
    expect(await bench.ingest('dev01', '2')).toBe('full');
    expect(await bench.ingest('dev01', '3')).toBe('failed');
    bench.repositories.troubles.push('full');
    expect(await bench.ingest('dev02', '4')).toBe('full');
    expect(await bench.ingest('dev02', '5')).toBe('stored');
    bench.creationOutcome = 'full';
    expect(await bench.ingest('dev03', '6')).toBe('full');
    bench.creationOutcome = 'taken';
    expect(await bench.ingest('dev03', '6')).toBe('failed');
  });

  it('an account has everything again after a restart', async () => {
    const before = new Bench();
    await before.ingest('dev01', '1', 'node1');
    await before.ingest('dev01', '2');
    const data = await before.data();
    await data.createEvent({
      mappedChannel: 0,
      description: 'd',
      notifyType: 'http',
      postUrl: 'http://example.com',
      enabled: true,
      source: 'value1',
      operator: '>',
      threshold: '5',
    });
    const after = new Bench([account()], before);
    const again = await after.data();
    expect(again.devices()).toEqual(data.devices());
    expect(again.channels()).toEqual(data.channels());
    expect(again.events()).toEqual(data.events());
    expect(await after.ingest('dev01', '3')).toBe('stored');
    expect(await after.values(0)).toHaveLength(3);
    expect(await codesOf(after)).toEqual([]);
  });

  it('a store that cannot be read makes no account, and it is read again the next time', async () => {
    const bench = new Bench();
    const { documents } = bench.repositories;
    bench.repositories.documents = async () => {
      throw new TypeError('unreadable');
    };
    await expect(bench.data()).rejects.toThrow('unreadable');
    bench.repositories.documents = documents;
    expect((await bench.data()).devices()).toEqual([]);
  });

  it('a channel takes no more tags than it may have', async () => {
    const bench = new Bench();
    await bench.ingest('dev01', '1');
    const outcomes = new Set<string>();
    for (let tag = 0; tag < 1000; tag++) outcomes.add(await bench.ingest('dev01', '1', `tag${tag}`));
    expect(outcomes).toEqual(new Set(['stored']));
    expect(await bench.ingest('dev01', '1', 'more')).toBe('TOO_MANY_TAGS');
    expect(await bench.ingest('dev01', '1', 'tag7')).toBe('stored');
  });
});
