import { beforeEach, describe, expect, it } from 'vitest';
import type { Device, JsonObject } from '../../model/entities.ts';
import {
  definition,
  duration,
  numeric,
  openTestAlarms,
  repeating,
  rule,
  type TestAlarms,
} from '../testing/test-alarms.ts';
import { ALARM_RULE_STATES } from './state-document.ts';

let t: TestAlarms;

beforeEach(async () => {
  t = await openTestAlarms();
});

const above = (value: number) => [numeric('t', 'GREATER', value)];
const below = (value: number) => [numeric('t', 'LESS', value)];

async function deviceWith(...definitions: JsonObject[]): Promise<Device> {
  return t.device('D1', await t.profile('ruled', definitions));
}

describe('after a death of the process', () => {
  it('what was acknowledged and not judged is judged in its order, transient alarms included', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5)) }, rule(below(5))));
    await t.send(id, { t: 1 });
    for (const value of [9, 1, 8]) {
      t.time.advance(100);
      await t.store(id, { t: value }, t.time.now());
    }
    await t.crash(60_000);
    expect(t.happened()).toEqual(['created High MAJOR', 'cleared High MAJOR', 'created High MAJOR']);
    await t.crash();
    expect(t.happened()).toEqual([]);
  });

  it('a message of which nothing was ever judged is judged', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5)) }));
    await t.store(id, { t: 9 }, t.time.now());
    await t.crash(3_600_000);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('repetitions are neither forgotten nor counted twice', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), repeating(4)) }));
    await t.send(id, { t: 6 });
    // Stored with its count.
    await t.advance(10_000);
    await t.send(id, { t: 6 });
    t.time.advance(1);
    await t.crash(1000);
    expect(t.happened()).toEqual([]);
    await t.send(id, { t: 6 });
    await t.crash(1000);
    expect(t.happened()).toEqual([]);
    await t.send(id, { t: 6 });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('a duration goes on, also through the time without a server', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), duration(10, 'MINUTES')) }));
    await t.send(id, { t: 6 });
    await t.advance(60_000);
    await t.crash(300_000);
    await t.advance(239_000);
    expect(t.happened()).toEqual([]);
    await t.advance(1000);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('an alarm that is active is known, and one that was cleared meanwhile is not', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), repeating(2)) }, rule(below(5))));
    for (const value of [6, 6]) await t.send(id, { t: value });
    await t.crash();
    await t.send(id, { t: 7 });
    expect(t.happened()).toEqual(['created High MAJOR']);
    await t.alarms.clear(t.registry.admin, (await t.active(id))?.id ?? '');
    await t.crash();
    await t.send(id, { t: 7 });
    expect(t.happened()).toEqual(['cleared High MAJOR']);
    await t.send(id, { t: 7 });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('an attribute that was written and not judged is judged', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule([numeric('t', 'GREATER', 50, 'limit')]) }));
    await t.write(id, 'SERVER', { limit: 40 });
    await t.send(id, { t: 30 });
    await t.advance(10_000);
    const limit = { kind: 2, value: 20, lastUpdateTs: t.time.now() } as const;
    await t.telemetry.save([{ owner: id, scope: 'SERVER', key: 'limit', attribute: limit }]);
    await t.crash(1000);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('judges the newest thousand moments and counts the others', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5)) }, rule(below(5))));
    await t.send(id, { t: 1 });
    for (let i = 0; i < 1010; i++) {
      t.time.advance(1);
      await t.store(id, { t: i === 5 ? 9 : 1 }, t.time.now());
    }
    await t.crash();
    expect(t.engine.counters()).toMatchObject({ replayed: 1000 });
    expect(t.engine.counters().skipped).toBeGreaterThan(0);
    expect(t.happened()).toEqual([]);
  });
});

describe('an orderly stop', () => {
  it('stores what the rules remember', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), repeating(3)) }));
    for (const value of [6, 6]) await t.send(id, { t: value });
    await t.engine.close();
    const state = await t.repositories.document(ALARM_RULE_STATES, id);
    expect(state?.body).toMatchObject({
      ts: t.time.now(),
      keys: ['t'],
      definitions: [{ create: { MAJOR: { count: 2 } } }],
    });
    expect(t.time.timers).toBe(0);
    await t.crash(1000);
    await t.send(id, { t: 6 });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });
});

describe('trouble', () => {
  it('a commit that fails is decided and tried again', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5)) }, rule(below(5))));
    await t.send(id, { t: 1 });
    t.fail('full');
    await t.send(id, { t: 9 });
    t.time.advance(10);
    await t.send(id, { t: 2 });
    await t.advance(1000);
    expect(t.happened()).toEqual([]);
    t.fail(null);
    await t.advance(2000);
    expect(t.happened()).toEqual(['created High MAJOR', 'cleared High MAJOR']);
    expect(t.engine.counters().failed).toBeGreaterThanOrEqual(2);
  });

  it('too much that waits is judged from the store instead', async () => {
    t = await openTestAlarms({ maxBacklog: 5 });
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), repeating(9)) }));
    for (let i = 0; i < 9; i++) {
      t.time.advance(1);
      t.engine.telemetryStored(id, await t.store(id, { t: 6 }, t.time.now()));
    }
    expect(t.engine.counters().waiting).toBeLessThanOrEqual(5);
    await t.settled();
    expect(t.happened()).toEqual(['created High MAJOR']);
    expect(t.engine.counters()).toMatchObject({ waiting: 0, overflowed: 6, replayed: 9 });
  });

  it('devices that are let go from memory are taken up again where they were', async () => {
    t = await openTestAlarms({ maxResident: 2 });
    const profile = await t.profile('ruled', [definition({ MAJOR: rule(above(5), repeating(3)) })]);
    const devices = [];
    for (let i = 0; i < 8; i++) devices.push(await t.device(`D${i}`, profile));
    for (let round = 0; round < 3; round++) {
      for (const { id } of devices) await t.send(id, { t: 6 });
      await t.advance(10_000);
      expect(t.engine.counters().resident).toBeLessThanOrEqual(8);
    }
    expect(t.happened()).toEqual(devices.map(() => 'created High MAJOR'));
    for (let i = 8; i < 40; i++) await t.send((await t.device(`D${i}`, profile)).id, { t: 1 });
    await t.advance(10_000);
    await t.send(devices[0]?.id ?? '', { t: 1 });
    await t.send(devices[1]?.id ?? '', { t: 1 });
    expect(t.engine.counters().resident).toBeLessThan(40);
    expect(t.faults).toEqual([]);
  });
});
