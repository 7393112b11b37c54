import {
  type ApplicationRef,
  type Attribute,
  type Completion,
  type ConnectCredential,
  type CredentialLookup,
  type DeviceRef,
  PointList,
  ValueKind,
  type WebhookMessage,
} from '@moorage/core';
import type { ApplicationPush, Dialect, DialectPushes, Principal } from '@moorage/dialect-api';
import { describe, expect, it } from 'vitest';
import { Deferred, deviceRef, FakeToken } from '../test-fakes.ts';
import { ApplicationPushes } from './application-pushes.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function application(id: string, fields: Partial<ApplicationRef> = {}): ConnectCredential {
  const ref: ApplicationRef = { id, tenantId: 'tenant', name: id, enabled: true, configuration: {}, ...fields };
  return {
    credentialsType: 'APPLICATION',
    device: null,
    application: ref,
    username: id,
    clientId: null,
    password: 'secret',
  };
}

function webhook(targetId: string, text: string): WebhookMessage {
  return {
    kind: 'test',
    targetId,
    tenantId: 'tenant',
    eventId: text,
    orderKey: 'd1',
    url: 'https://example.com/',
    contentType: 'application/json',
    body: encoder.encode(text),
  };
}

function message(text: string): PointList {
  const points = new PointList();
  points.add(1, 'text', ValueKind.String, text);
  return points;
}

/** Everything around `ApplicationPushes`, and what reached it. */
class Fixture {
  readonly devices = new Map<string, DeviceRef>([
    ['d1', deviceRef('d1')],
    ['d2', deviceRef('d2')],
    ['x1', deviceRef('x1', { tenantId: 'other' })],
  ]);
  applications: ConnectCredential[] = [application('app')];
  lookups = 0;
  deviceAttributes: readonly string[] = ['name'];
  readonly reads: { readonly owner: string; readonly answer: Deferred<readonly Attribute[]> }[] = [];
  readonly readOf = new Set<string>();
  /** Subscribed names by space. */
  subscribed = new Set<string>();
  readonly published: string[] = [];
  readonly enqueued: WebhookMessage[] = [];
  /** Holds that the broker and the outbox have taken and not released. */
  readonly held: Completion[] = [];
  readonly counted: string[] = [];
  readonly faults: unknown[] = [];
  encode: DialectPushes['encode'] = (credential, { points, attributes }) => [
    this.push(credential.application?.id ?? '', `${points.values.join()} ${attributes.get('name')?.value ?? '-'}`),
  ];
  includes: DialectPushes['includes'] = () => true;

  push(id: string, text: string, fields: Partial<ApplicationPush> = {}): ApplicationPush {
    const payload = encoder.encode(text);
    return { topicNames: ['/a', 'a'], payload, qos: 1, webhook: webhook(id, text), ...fields };
  }

  readonly pushes = (() => {
    const fixture = this;
    const dialect: Dialect = {
      manifest: { id: 'test', title: 'Test', documents: [], capabilities: [] },
      recognise: () => 'no',
      authenticate: () => ({ outcome: 'notMine', reason: 'no' }),
      openSession: (_principal: Principal) => {
        throw new TypeError('nobody connects');
      },
      connectionGuide: () => ({ dialect: 'test', endpoints: [], fields: [], snippets: [] }),
    };
    const pushes: DialectPushes = {
      get deviceAttributes() {
        return fixture.deviceAttributes;
      },
      includes: (...given) => fixture.includes(...given),
      encode: (...given) => fixture.encode(...given),
    };
    const credentials: CredentialLookup = {
      byUsername: () => undefined,
      byClientId: () => undefined,
      byCertificate: () => undefined,
      hasCertificateProfile: () => false,
      deviceOfChain: async () => ({ outcome: 'failed' }),
      applications: (dialectId, tenantId) => {
        fixture.lookups++;
        expect(dialectId).toBe('test');
        return fixture.applications.filter((one) => one.application?.tenantId === tenantId);
      },
      application: (id) => fixture.applications.find((one) => one.application?.id === id),
    };
    return () =>
      new ApplicationPushes({
        dialects: [dialect, { ...dialect, pushes }],
        credentials,
        deviceRef: (id) => fixture.devices.get(id),
        attributes: {
          read: (owner, scope, keys) => {
            fixture.readOf.add(`${scope} ${keys}`);
            const answer = new Deferred<readonly Attribute[]>();
            fixture.reads.push({ owner, answer });
            return answer.promise;
          },
        },
        broker: {
          hasSubscribers: (space, topicName) => fixture.subscribed.has(`${space} ${topicName}`),
          publish: (space, { topicName, payload, qos, retain }, token) => {
            expect(retain).toBe(false);
            fixture.published.push(`${space} ${topicName} ${qos} ${decoder.decode(payload)}`);
            token?.hold();
            if (token !== null) fixture.held.push(token);
            return 1;
          },
        },
        outbox: {
          enqueue: (one, token) => {
            fixture.enqueued.push(one);
            token?.hold();
            if (token !== null) fixture.held.push(token);
          },
        },
        clock: { now: () => 5 },
        observer: {
          count: (event, amount) => void fixture.counted.push(`${event} ${amount}`),
          fault: (error) => void fixture.faults.push(error),
        },
      });
  })();

  bodies(): string[] {
    return this.enqueued.map(({ targetId, body }) => `${targetId}: ${decoder.decode(body)}`);
  }

  async answer(index: number, name: string): Promise<void> {
    this.reads[index]?.answer.resolve([
      { scope: 'SERVER', key: 'name', kind: ValueKind.String, value: name, lastUpdateTs: 1 },
    ]);
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('who is told', () => {
  it('wants messages of tenants with an enabled application, and looks for these once', () => {
    const fixture = new Fixture();
    const pushes = fixture.pushes();
    expect([pushes.wants('d1'), pushes.wants('d2'), pushes.wants('x1'), pushes.wants('nobody')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    for (let i = 0; i < 10; i++) pushes.wants('d1');
    expect(fixture.lookups).toBe(2);
    fixture.applications = [application('app', { enabled: false })];
    expect(pushes.wants('d1')).toBe(true);
    pushes.revoked('app', 'disabled');
    expect(pushes.wants('d1')).toBe(false);
  });

  it('looks again when an application came, changed or went, not when a device did', () => {
    const fixture = new Fixture();
    fixture.applications = [];
    const pushes = fixture.pushes();
    expect(pushes.wants('d1')).toBe(false);
    fixture.applications = [application('app')];
    pushes.revoked('d1', 'deleted');
    expect(pushes.wants('d1')).toBe(false);
    pushes.applicationChanged();
    expect(pushes.wants('d1')).toBe(true);
    fixture.applications = [];
    pushes.revoked('app', 'deleted');
    expect(pushes.wants('d1')).toBe(false);
  });

  it('leaves out the devices that the dialect leaves out', async () => {
    const fixture = new Fixture();
    fixture.includes = (_application, deviceId, attributes) =>
      deviceId === 'd2' && attributes.get('name') !== undefined;
    const pushes = fixture.pushes();
    pushes.taken('d1', message('one'), null);
    pushes.taken('d2', message('two'), null);
    await fixture.answer(0, 'A');
    await fixture.answer(1, 'B');
    expect(fixture.bodies()).toEqual(['app: two B']);
  });
});

describe('a push', () => {
  it('is published under each name that somebody subscribed to, in the space of the application, and enqueued', async () => {
    const fixture = new Fixture();
    fixture.subscribed = new Set(['tenant/test/app /a']);
    const pushes = fixture.pushes();
    pushes.taken('d1', message('one'), null);
    await fixture.answer(0, 'A');
    expect(fixture.published).toEqual(['tenant/test/app /a 1 one A']);
    fixture.subscribed.add('tenant/test/app a');
    pushes.taken('d1', message('two'), null);
    expect(fixture.published.slice(1)).toEqual(['tenant/test/app /a 1 two A', 'tenant/test/app a 1 two A']);
    expect(fixture.bodies()).toEqual(['app: one A', 'app: two A']);
  });

  it('without a URL is not enqueued', async () => {
    const fixture = new Fixture();
    fixture.encode = (credential) => [fixture.push(credential.application?.id ?? '', 'x', { webhook: null })];
    const pushes = fixture.pushes();
    pushes.taken('d1', message('one'), null);
    await fixture.answer(0, 'A');
    expect(fixture.enqueued).toEqual([]);
  });

  it('delays the acknowledgement until broker and outbox have put it down', async () => {
    const fixture = new Fixture();
    fixture.subscribed = new Set(['tenant/test/app /a']);
    const pushes = fixture.pushes();
    const token = new FakeToken();
    pushes.taken('d1', message('one'), token);
    expect(token.held).toBe(1);
    await fixture.answer(0, 'A');
    expect(token.held).toBe(2);
    for (const one of fixture.held.splice(0)) one.release('stored');
    expect([token.held, token.outcomes]).toEqual([0, ['stored', 'stored', 'stored']]);
  });

  it('of one application that fails harms neither the next one nor the message', async () => {
    const fixture = new Fixture();
    fixture.applications = [application('bad'), application('good')];
    const encode = fixture.encode;
    fixture.encode = (credential, upload) => {
      if (credential.application?.id === 'bad') throw new TypeError('cannot');
      return encode(credential, upload);
    };
    const pushes = fixture.pushes();
    const token = new FakeToken();
    pushes.taken('d1', message('one'), token);
    await fixture.answer(0, 'A');
    expect(fixture.bodies()).toEqual(['good: one A']);
    expect(fixture.faults).toEqual([new TypeError('cannot')]);
    for (const one of fixture.held.splice(0)) one.release('stored');
    expect([token.held, new Set(token.outcomes)]).toEqual([0, new Set(['stored'])]);
  });
});

describe('server attributes', () => {
  it('are not read where no dialect asks for any', () => {
    const fixture = new Fixture();
    fixture.deviceAttributes = [];
    fixture.pushes().taken('d1', message('one'), null);
    expect(fixture.reads).toEqual([]);
    expect(fixture.bodies()).toEqual(['app: one -']);
  });

  it('are read once; messages queue behind the read in their order, those of other devices do not', async () => {
    const fixture = new Fixture();
    const pushes = fixture.pushes();
    pushes.taken('d1', message('one'), null);
    pushes.taken('d1', message('two'), null);
    pushes.taken('d2', message('other'), null);
    expect(fixture.reads.map(({ owner }) => owner)).toEqual(['d1', 'd2']);
    expect([...fixture.readOf]).toEqual(['SERVER name']);
    await fixture.answer(1, 'B');
    pushes.taken('d1', message('three'), null);
    expect(fixture.bodies()).toEqual(['app: other B']);
    await fixture.answer(0, 'A');
    pushes.taken('d1', message('four'), null);
    expect(fixture.bodies().slice(1)).toEqual(['app: one A', 'app: two A', 'app: three A', 'app: four A']);
    expect(fixture.reads).toHaveLength(2);
  });

  it('are read again when one of them was written or removed, and not for others', async () => {
    const fixture = new Fixture();
    const pushes = fixture.pushes();
    pushes.taken('d1', message('one'), null);
    await fixture.answer(0, 'A');
    const other = new PointList();
    other.add(1, 'other', ValueKind.Long, 1);
    pushes.attributesStored('d1', 'SERVER', other);
    const named = new PointList();
    named.add(1, 'name', ValueKind.String, 'B');
    pushes.attributesStored('d1', 'SHARED', named);
    pushes.taken('d1', message('two'), null);
    expect(fixture.bodies()).toEqual(['app: one A', 'app: two A']);
    pushes.attributesStored('d1', 'SERVER', named);
    pushes.taken('d1', message('three'), null);
    await fixture.answer(1, 'B');
    pushes.attributesRemoved('d1', 'SERVER', ['name']);
    pushes.taken('d1', message('four'), null);
    fixture.reads[2]?.answer.resolve([]);
    await settle();
    expect(fixture.bodies().slice(2)).toEqual(['app: three B', 'app: four -']);
  });

  it('that are written while they are read are read again before anything is told', async () => {
    const fixture = new Fixture();
    const pushes = fixture.pushes();
    const named = new PointList();
    named.add(1, 'name', ValueKind.String, 'B');
    pushes.taken('d1', message('one'), null);
    pushes.attributesStored('d1', 'SERVER', named);
    await fixture.answer(0, 'A');
    expect(fixture.bodies()).toEqual([]);
    await fixture.answer(1, 'B');
    expect(fixture.bodies()).toEqual(['app: one B']);
  });

  it('that are written without end hold nobody up', async () => {
    const fixture = new Fixture();
    const pushes = fixture.pushes();
    const named = new PointList();
    named.add(1, 'name', ValueKind.String, 'B');
    pushes.taken('d1', message('one'), null);
    for (let read = 0; read < 3; read++) {
      pushes.attributesStored('d1', 'SERVER', named);
      await fixture.answer(read, `${read}`);
    }
    expect(fixture.bodies()).toEqual(['app: one 2']);
    pushes.taken('d1', message('two'), null);
    expect(fixture.reads).toHaveLength(4);
  });

  it('that cannot be read: the devices are not acknowledged, and the next message reads again', async () => {
    const fixture = new Fixture();
    const pushes = fixture.pushes();
    const [first, second] = [new FakeToken(), new FakeToken()];
    pushes.taken('d1', message('one'), first);
    pushes.taken('d1', message('two'), second);
    fixture.reads[0]?.answer.reject(new TypeError('no store'));
    await settle();
    expect([first.outcomes, second.outcomes]).toEqual([['failed'], ['failed']]);
    expect(fixture.faults).toEqual([new TypeError('no store')]);
    expect(fixture.counted).toEqual(['push_failed 2']);
    pushes.taken('d1', message('three'), null);
    await fixture.answer(1, 'A');
    expect(fixture.bodies()).toEqual(['app: three A']);
  });

  it('of a deleted device are forgotten', async () => {
    const fixture = new Fixture();
    const pushes = fixture.pushes();
    pushes.taken('d1', message('one'), null);
    await fixture.answer(0, 'A');
    pushes.revoked('d1', 'credentialsChanged');
    pushes.taken('d1', message('two'), null);
    expect(fixture.reads).toHaveLength(1);
    pushes.revoked('d1', 'deleted');
    pushes.taken('d1', message('three'), null);
    expect(fixture.reads).toHaveLength(2);
  });

  it('of so many uploads that more than 10,000 wait: the newest is refused, so that it is sent again', async () => {
    const fixture = new Fixture();
    const pushes = fixture.pushes();
    for (let i = 0; i < 10_000; i++) pushes.taken('d1', message(`${i}`), null);
    const late = new FakeToken();
    pushes.taken('d2', message('late'), late);
    expect([late.held, late.outcomes]).toEqual([0, ['failed']]);
    expect(fixture.counted).toEqual(['push_overflow 1']);
    expect(fixture.reads).toHaveLength(1);
    await fixture.answer(0, 'A');
    expect(fixture.enqueued).toHaveLength(10_000);
    pushes.taken('d2', message('again'), late);
    await fixture.answer(1, 'B');
    expect(fixture.bodies().at(-1)).toBe('app: again B');
  });

  it('of more than 100,000 devices: the one that was read first is read again', async () => {
    const fixture = new Fixture();
    fixture.encode = () => [];
    const pushes = fixture.pushes();
    for (let i = 0; i <= 100_000; i++) {
      fixture.devices.set(`n${i}`, deviceRef(`n${i}`));
      pushes.taken(`n${i}`, message('x'), null);
      fixture.reads[i]?.answer.resolve([]);
      if (i % 5_000 === 0) await settle();
    }
    await settle();
    const before = fixture.reads.length;
    pushes.taken('n1', message('x'), null);
    expect(fixture.reads.length).toBe(before);
    pushes.taken('n0', message('x'), null);
    expect(fixture.reads.length).toBe(before + 1);
  });
});
