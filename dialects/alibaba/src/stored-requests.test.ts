import { type Json, type Value, ValueKind, ValueReader } from '@moorage/core';
import { describe, expect, it } from 'vitest';
import { LinkDirectory } from './directory.ts';
import { JsonTexts } from './json-text.ts';
import { StoredRequests } from './stored-requests.ts';
import { LAMP, NO_LINKS } from './testing/lamp.ts';
import { MemoryLinkStore } from './testing/memory-link-store.ts';
import { Topology } from './topology.ts';

const NOW = 1_700_000_000_500;
const text = (value: string): Value => ({ kind: ValueKind.String, value });

function setUp() {
  const store = new MemoryLinkStore();
  const requests = new StoredRequests(
    () => store,
    () => NOW,
    NO_LINKS,
    new Topology(
      () => store,
      new LinkDirectory(() => ''),
      new JsonTexts(new ValueReader(), { text: () => undefined }),
      null,
    ),
  );
  const ask = async (request: string, params: Json): Promise<Record<string, Json>> =>
    JSON.parse(await requests.answer(LAMP, request, JSON.stringify(params)));
  return { store, ask };
}

describe('desired/delete', () => {
  const DELETE = 'thing/property/desired/delete';

  it('ALI-58 deletes what the device knows the newest version of, and keeps a newer value', async () => {
    const { store, ask } = setUp();
    store.now = 100;
    await store.save(
      LAMP,
      'SHARED',
      new Map([
        ['a', text('1')],
        ['b', text('2')],
        ['c', text('3')],
      ]),
    );
    const params = { a: { version: 100 }, b: { version: 99 }, c: {}, unknown: {} };
    expect(await ask(DELETE, params)).toEqual({ code: 200, data: {} });
    expect(store.values('SHARED')).toEqual({ b: '2' });
  });

  it('refuses other forms, 201 identifiers, and tells when the store does not take it', async () => {
    const { store, ask } = setUp();
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`k${n}`, {}]));
    expect((await ask(DELETE, ['a'])).code).toBe(6301);
    expect((await ask(DELETE, many)).code).toBe(6104);
    expect((await ask(DELETE, { '': {} })).code).toBe(460);
    await store.save(LAMP, 'SHARED', new Map([['a', text('1')]]));
    store.working = false;
    expect((await ask(DELETE, { a: {} })).code).toBe(500);
  });
});

describe('tags', () => {
  it('ALI-59 are deleted by key', async () => {
    const { store, ask } = setUp();
    await store.save(
      LAMP,
      'CLIENT',
      new Map([
        ['a', text('1')],
        ['b', text('2')],
      ]),
    );
    expect(await ask('thing/deviceinfo/delete', [{ attrKey: 'a' }, { attrKey: 'gone' }])).toEqual({
      code: 200,
      data: {},
    });
    expect(store.values('CLIENT')).toEqual({ b: '2' });
    for (const params of [{}, [{}], ['a'], Array(201).fill({ attrKey: 'b' })]) {
      expect((await ask('thing/deviceinfo/delete', params)).code).toBe(460);
    }
    expect(store.values('CLIENT')).toEqual({ b: '2' });
  });
});

describe('remote configuration', () => {
  it('is the server attribute of that name; without one it is 6710', async () => {
    const { store, ask } = setUp();
    expect(await ask('thing/config/get', { configScope: 'product' })).toEqual({ code: 6710, data: {} });
    const configuration = { configId: '1', configSize: 3, sign: 'ab', signMethod: 'Sha256', url: 'http://h/c' };
    const value = { kind: ValueKind.Json, value: JSON.stringify(configuration) };
    await store.save(LAMP, 'SERVER', new Map([['remoteConfig', value]]));
    expect(await ask('thing/config/get', {})).toEqual({ code: 200, data: configuration });
    await store.save(LAMP, 'SERVER', new Map([['remoteConfig', text('no json')]]));
    expect((await ask('thing/config/get', {})).code).toBe(6710);
  });
});

describe('the device shadow', () => {
  const SECONDS = 1_700_000_000;
  const success = (version: number) => ({
    method: 'reply',
    payload: { status: 'success', version },
    timestamp: SECONDS,
  });
  const failure = (errorcode: string) => ({
    method: 'reply',
    payload: { status: 'error', content: { errorcode, errormessage: expect.any(String) } },
    timestamp: SECONDS,
  });
  const report = (reported: Json, version: Json) => ({ method: 'update', state: { reported }, version });

  it('ALI-64 update, get, clear desired, delete one and delete all', async () => {
    const { store, ask } = setUp();
    store.now = 5_000;
    await store.save(
      LAMP,
      'SHARED',
      new Map([
        ['color', text('green')],
        ['fw_version', text('2')],
      ]),
    );
    expect(await ask('shadow', report({ color: 'red', size: 3, gone: null }, 1))).toEqual(success(1));
    expect(await ask('shadow', { method: 'get' })).toEqual({
      method: 'reply',
      payload: {
        status: 'success',
        state: { reported: { color: 'red', size: 3, gone: null }, desired: { color: 'green' } },
        metadata: {
          reported: { color: { timestamp: SECONDS }, size: { timestamp: SECONDS }, gone: { timestamp: SECONDS } },
          desired: { color: { timestamp: 5 } },
        },
      },
      version: 1,
      timestamp: SECONDS,
    });
    expect(store.values('CLIENT')).toEqual({ color: 'red', size: 3 });
    expect(await ask('shadow', { method: 'update', state: { desired: 'null' }, version: '2' })).toEqual(success(2));
    expect(store.values('SHARED')).toEqual({ fw_version: '2' });
    const one = { method: 'delete', state: { reported: { color: 'null', size: 1 } }, version: 3 };
    expect(await ask('shadow', one)).toEqual(success(3));
    expect(store.values('CLIENT')).toEqual({ size: 3 });
    expect(await ask('shadow', { method: 'delete', state: { reported: 'null' }, version: 4 })).toEqual(success(4));
    expect(store.values('CLIENT')).toEqual({});
    expect(await ask('shadow', { method: 'get', clientToken: 'x', version: 9 })).toMatchObject({
      payload: { state: { reported: {}, desired: {} } },
      version: 4,
    });
  });

  it.each<[string, Json]>([
    ['401', { state: {} }],
    ['402', { method: 'update', version: 1 }],
    ['403', { ...report({ a: 1 }, 'x') }],
    ['404', { method: 'update', state: {}, version: 1 }],
    ['405', { ...report({}, 1) }],
    ['406', { method: 'erase', state: {}, version: 1 }],
    ['407', null],
    ['408', { ...report(Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, n])), 1) }],
    ['409', { ...report({ a: 1 }, 0) }],
  ])('ALI-65 error %s of a request', async (code, request) => {
    const { store, ask } = setUp();
    expect(await ask('shadow', request)).toEqual(failure(code));
    expect([store.values('CLIENT'), store.values('SERVER')]).toEqual([{}, {}]);
  });

  it('ALI-65 a version that is not greater is 409, and -1 empties the shadow', async () => {
    const { store, ask } = setUp();
    await ask('shadow', report({ a: 1 }, 7));
    expect(await ask('shadow', report({ a: 2 }, 7))).toEqual(failure('409'));
    expect(await ask('shadow', report({ a: 2 }, 6))).toEqual(failure('409'));
    await store.save(LAMP, 'SHARED', new Map([['d', text('1')]]));
    expect(await ask('shadow', { method: 'update', version: -1 })).toEqual(success(0));
    expect([store.values('CLIENT'), store.values('SHARED')]).toEqual([{}, {}]);
    expect(await ask('shadow', report({ a: 2 }, 1))).toEqual(success(1));
  });

  it('ALI-67 no ordinary reply has a member state', async () => {
    const { ask } = setUp();
    for (const request of [
      report({ a: 1 }, 1),
      report({ a: 1 }, 1),
      { method: 'delete', state: { reported: 'null' }, version: 2 },
    ]) {
      expect(JSON.stringify(await ask('shadow', request))).not.toContain('"state"');
    }
  });

  it('requests of one device follow one another', async () => {
    const { ask } = setUp();
    const answers = await Promise.all([1, 2, 2, 3].map((version) => ask('shadow', report({ a: version }, version))));
    expect(answers).toEqual([success(1), success(2), failure('409'), success(3)]);
  });

  it('a store that does not take it is told as 500, and the same version works later', async () => {
    const { store, ask } = setUp();
    store.working = false;
    expect(await ask('shadow', report({ a: 1 }, 1))).toEqual(failure('500'));
    store.working = true;
    expect(await ask('shadow', report({ a: 1 }, 1))).toEqual(success(1));
  });

  it('names of the prototype are plain data', async () => {
    const { ask } = setUp();
    const requests = JSON.parse('{"method":"update","state":{"reported":{"__proto__":1}},"version":1}');
    expect(await ask('shadow', requests)).toEqual(success(1));
    expect(JSON.stringify(await ask('shadow', { method: 'get' }))).toContain('"reported":{"__proto__":1}');
  });
});
