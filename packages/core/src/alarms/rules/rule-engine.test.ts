import { profileInput } from '@moorage/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Device, Json } from '../../model/entities.ts';
import { PointList } from '../../values/point-list.ts';
import { ValueKind } from '../../values/value.ts';
import {
  definition,
  duration,
  numeric,
  openTestAlarms,
  repeating,
  rule,
  type TestAlarms,
} from '../testing/test-alarms.ts';

let t: TestAlarms;

beforeEach(async () => {
  t = await openTestAlarms();
});

const above = (value: number) => [numeric('t', 'GREATER', value)];
/** A place in a text that is filled in. */
const variable = (key: string) => `$\{${key}}`;
const below = (value: number) => [numeric('t', 'LESS', value)];

async function deviceWith(...definitions: Parameters<typeof definition>[0][]): Promise<Device> {
  const profile = await t.profile('ruled', definitions);
  return t.device('D1', profile);
}

describe('simple rules', () => {
  it('TBS-96 raise CRITICAL at the threshold, lower the severity in place, and clear by the clear rule', async () => {
    const { id } = await deviceWith(
      definition({ MAJOR: rule(above(50)), CRITICAL: rule([numeric('t', 'GREATER_OR_EQUAL', 100)]) }, rule(below(10))),
    );
    await t.send(id, { t: 20 });
    expect(t.happened()).toEqual([]);
    await t.send(id, { t: 100 });
    expect(t.happened()).toEqual(['created High CRITICAL']);
    const raised = await t.active(id);
    expect(raised).toMatchObject({ severity: 'CRITICAL', startTs: t.time.now(), cleared: false, acknowledged: false });
    await t.send(id, { t: 60 });
    expect(t.happened()).toEqual(['severityChanged High MAJOR']);
    expect(await t.active(id)).toMatchObject({ id: raised?.id, severity: 'MAJOR' });
    await t.send(id, { t: 20 });
    expect(t.happened()).toEqual([]);
    await t.send(id, { t: 9 });
    expect(t.happened()).toEqual(['cleared High MAJOR']);
    expect(await t.active(id)).toBeNull();
    expect(await t.records.get(raised?.id ?? '')).toMatchObject({ cleared: true, clearTs: t.time.now() });
    expect(t.faults).toEqual([]);
  });

  it('raise a new alarm after a user has cleared the old one, with the next value', async () => {
    const { id } = await deviceWith(definition({ MINOR: rule(above(1)) }));
    await t.send(id, { t: 2 });
    const first = await t.active(id);
    await t.alarms.clear(t.registry.admin, first?.id ?? '');
    await t.advance(60_000);
    expect(await t.active(id)).toBeNull();
    await t.send(id, { t: 3 });
    expect((await t.active(id))?.id).not.toBe(first?.id);
    expect(t.happened()).toEqual(['created High MINOR', 'cleared High MINOR', 'created High MINOR']);
  });

  it('keep two rules of one profile apart', async () => {
    const { id } = await deviceWith(
      definition({ MAJOR: rule(above(5)) }, rule(below(5)), 'Hot'),
      definition({ WARNING: rule(below(0)) }, rule(above(0)), 'Cold'),
    );
    for (const value of [6, -1, 7]) await t.send(id, { t: value });
    expect(t.happened()).toEqual([
      'created Hot MAJOR',
      'cleared Hot MAJOR',
      'created Cold WARNING',
      'created Hot MAJOR',
      'cleared Cold WARNING',
    ]);
  });

  it('do not judge points that are older than the newest of their series', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5)) }, rule(below(5))));
    const now = t.time.now();
    await t.send(id, { t: 1 }, now - 1000);
    await t.send(id, { t: 9 }, now - 2000);
    expect(t.happened()).toEqual([]);
    await t.send(id, { t: 9 }, now - 1000);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('judge the moments of one message one by one, in the order of their time', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5)) }, rule(below(5))));
    const now = t.time.now();
    const points = new PointList();
    for (const [ago, value] of [
      [0, 1],
      [3000, 1],
      [2000, 9],
      [1000, 2],
    ] as const) {
      points.add(now - ago, 't', ValueKind.Long, value);
    }
    t.engine.telemetryStored(id, points);
    await t.settled();
    expect(t.happened()).toEqual(['created High MAJOR', 'cleared High MAJOR']);
  });

  it('are not blocked by a device whose clock was ahead for a while', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5)) }));
    await t.send(id, { t: 1 }, t.time.now() + 3_600_000);
    await t.send(id, { t: 9 });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('fill the values of their keys into the details', async () => {
    const details = `at ${variable('t')}, not ${variable('u')} ${variable('')}`;
    const { id } = await deviceWith(
      definition(
        { MAJOR: rule(above(5), undefined, { alarmDetails: details }) },
        rule(below(5), undefined, { alarmDetails: `back ${variable('t')}` }),
      ),
    );
    await t.send(id, { t: 7.5, u: 1 });
    const alarm = await t.active(id);
    expect(alarm?.details).toEqual({ data: `at 7.5, not ${variable('u')} ${variable('')}` });
    await t.send(id, { t: 1 });
    expect((await t.records.get(alarm?.id ?? ''))?.details).toEqual({ data: 'back 1' });
  });

  it('show the newest values of an alarm whose condition is met again', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), undefined, { alarmDetails: variable('t') }) }));
    await t.send(id, { t: 6 });
    const { startTs } = (await t.active(id)) ?? {};
    t.time.advance(5000);
    await t.send(id, { t: 8 });
    expect(t.happened()).toEqual(['created High MAJOR']);
    await t.advance(10_000);
    expect(await t.active(id)).toMatchObject({ startTs, endTs: (startTs ?? 0) + 5000, details: { data: '8' } });
    expect(t.happened()).toEqual(['updated High MAJOR']);
  });
});

describe('duration rules', () => {
  it('TBS-97 raise by timer with no new message', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), duration(30)) }, rule(below(5))));
    await t.send(id, { t: 6 });
    await t.advance(29_000);
    expect(t.happened()).toEqual([]);
    await t.advance(1000);
    expect(t.happened()).toEqual(['created High MAJOR']);
    expect(t.time.timers).toBe(1);
  });

  it('begin again after every break', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), duration(30)) }));
    await t.send(id, { t: 6 });
    await t.advance(20_000);
    await t.send(id, { t: 4 });
    await t.send(id, { t: 6 });
    await t.advance(20_000);
    expect(t.happened()).toEqual([]);
    await t.advance(10_000);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('clear by timer as well', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5)) }, rule(below(5), duration(1, 'MINUTES'))));
    await t.send(id, { t: 6 });
    await t.send(id, { t: 4 });
    await t.advance(60_000);
    expect(t.happened()).toEqual(['created High MAJOR', 'cleared High MAJOR']);
  });

  it('count the time that the points say, so that buffered values are judged', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), duration(30)) }, rule(below(5))));
    const now = t.time.now();
    for (const [ago, value] of [
      [50_000, 6],
      [19_000, 7],
    ] as const)
      await t.send(id, { t: value }, now - ago);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('do not take the clock of a device for that of the server', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), duration(30)) }));
    await t.send(id, { t: 6 }, t.time.now() - 3_600_000);
    await t.advance(29_000);
    expect(t.happened()).toEqual([]);
    await t.advance(1000);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('are not moved by a jump of the wall clock', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), duration(30)) }));
    await t.send(id, { t: 6 });
    t.time.jump(86_400_000);
    await t.advance(29_000);
    expect(t.happened()).toEqual([]);
    await t.advance(1000);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('take their length from an attribute, where it is there', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), duration(30, 'SECONDS', 'patience')) }));
    await t.write(id, 'SERVER', { patience: 5 });
    await t.send(id, { t: 6 });
    await t.advance(5000);
    expect(t.happened()).toEqual(['created High MAJOR']);
  });
});

describe('repeating rules', () => {
  it('TBS-97 raise at the n-th matching message in a row', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), repeating(3)) }, rule(below(5))));
    for (const value of [6, 6, 4, 6, 6]) await t.send(id, { t: value });
    expect(t.happened()).toEqual([]);
    await t.send(id, { other: 1 });
    expect(t.happened()).toEqual([]);
    await t.send(id, { t: 6 });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('hold the severity that they raised as long as their condition holds', async () => {
    const { id } = await deviceWith(definition({ CRITICAL: rule(above(9), repeating(2)), MINOR: rule(above(5)) }));
    for (const value of [10, 10, 10, 6]) await t.send(id, { t: value });
    expect(t.happened()).toEqual(['created High MINOR', 'severityChanged High CRITICAL', 'severityChanged High MINOR']);
  });

  it('count from the beginning after the alarm was cleared', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), repeating(2)) }));
    for (const value of [6, 6, 6]) await t.send(id, { t: value });
    await t.alarms.clear(t.registry.admin, (await t.active(id))?.id ?? '');
    await t.send(id, { t: 6 });
    expect(await t.active(id)).toBeNull();
    await t.send(id, { t: 6 });
    expect(await t.active(id)).not.toBeNull();
  });
});

describe('conditions', () => {
  it('compare with an attribute of the device, and hear when it changes', async () => {
    const { id } = await deviceWith(
      definition(
        { MAJOR: rule([numeric('t', 'GREATER', 50, 'limit')]) },
        rule([numeric('t', 'LESS_OR_EQUAL', 50, 'limit')]),
      ),
    );
    await t.send(id, { t: 40 });
    await t.write(id, 'SERVER', { limit: 30 });
    expect(t.happened()).toEqual(['created High MAJOR']);
    await t.telemetry.save([{ owner: id, scope: 'SERVER', key: 'limit', attribute: null }]);
    t.engine.attributesRemoved(id, 'SERVER', ['limit']);
    await t.settled();
    expect(t.happened()).toEqual(['cleared High MAJOR']);
  });

  it('prefer the server attribute among those of one key', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule([numeric('t', 'GREATER', 50, 'limit')]) }));
    await t.write(id, 'CLIENT', { limit: 10 });
    await t.write(id, 'SERVER', { limit: 30 });
    await t.send(id, { t: 20 });
    expect(t.happened()).toEqual([]);
  });

  it('look at attributes, fields of the device and constants, all of which must hold', async () => {
    const text = (type: string, key: string, operation: string, value: string) => ({
      key: { type, key },
      valueType: 'STRING',
      predicate: { type: 'STRING', operation, value: { defaultValue: value }, ignoreCase: true },
    });
    const constant = {
      key: { type: 'CONSTANT', key: 'on' },
      valueType: 'BOOLEAN',
      value: true,
      predicate: {
        type: 'BOOLEAN',
        operation: 'EQUAL',
        value: { defaultValue: false, dynamicValue: { sourceType: 'CURRENT_DEVICE', sourceAttribute: 'armed' } },
      },
    };
    const { id } = await deviceWith(
      definition({
        MAJOR: rule([
          text('ENTITY_FIELD', 'name', 'STARTS_WITH', 'd'),
          text('ATTRIBUTE', 'mode', 'EQUAL', 'auto'),
          constant,
        ]),
      }),
    );
    await t.write(id, 'CLIENT', { mode: 'AUTO' });
    expect(t.happened()).toEqual([]);
    await t.write(id, 'SHARED', { armed: true });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('hold only inside their schedule, by the clocks of its place', async () => {
    // 2023-11-14 is a Tuesday; 22:13:20 UTC is 17:13:20 in New York.
    const at = (startsOn: number, endsOn: number, daysOfWeek: number[]) => ({
      type: 'SPECIFIC_TIME',
      timezone: 'America/New_York',
      daysOfWeek,
      startsOn: startsOn * 3_600_000,
      endsOn: endsOn * 3_600_000,
    });
    const types = { Open: at(17, 18, [2]), Later: at(18, 20, [2]), Day: at(17, 18, [1, 3]), Night: at(20, 18, [2]) };
    const { id } = await deviceWith(
      ...Object.entries(types).map(([type, schedule]) =>
        definition({ MAJOR: rule(above(5), undefined, { schedule }) }, null, type),
      ),
    );
    await t.send(id, { t: 6 });
    expect(t.happened()).toEqual(['created Open MAJOR', 'created Night MAJOR']);
  });
});

describe('the engine', () => {
  it('asks for nothing of devices whose profile has no rules', async () => {
    const plain = await t.device('plain', await t.profile('plain', []));
    expect(t.engine.wants('99999999-9999-4999-8999-999999999999')).toBe(false);
    await t.send(plain.id, { t: 1 });
    expect(t.engine.wants(plain.id)).toBe(false);
    expect(t.engine.counters()).toMatchObject({ resident: 0, judged: 0 });
  });

  it('follows changes of a profile: new rules are asked about new values', async () => {
    const profile = await t.profile('changing', []);
    const { id } = await t.device('D2', profile);
    await t.send(id, { t: 6 });
    await t.advance(120_000);
    const input = { name: 'changing', profileData: { alarms: [definition({ MAJOR: rule(above(5)) })] } };
    await t.registry.profiles.save(t.registry.admin, profileInput('changing', { id: profile.id, ...input }));
    await t.settled();
    expect(t.engine.wants(id)).toBe(true);
    await t.send(id, { t: 7 });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('does not ask about what came while a profile had no rules', async () => {
    const profile = await t.profile('changing', [definition({ MAJOR: rule(above(5)) }, rule(below(5)))]);
    const { id } = await t.device('D2', profile);
    const save = async (alarms: readonly Json[]): Promise<void> => {
      const input = profileInput('changing', { id: profile.id, profileData: { alarms } });
      await t.registry.profiles.save(t.registry.admin, input);
      await t.settled();
    };
    await t.send(id, { t: 1 });
    await t.advance(10_000);
    await save([]);
    await t.send(id, { t: 9 });
    await t.advance(10_000);
    await t.send(id, { t: 2 });
    await t.advance(10_000);
    await save([definition({ MAJOR: rule(above(5)) }, rule(below(5)))]);
    await t.advance(10_000);
    await t.send(id, { t: 3 });
    await t.crash();
    expect(t.happened()).toEqual([]);
    await t.send(id, { t: 6 });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('keeps what a rule has counted when another one of the profile changes', async () => {
    const counting = definition({ MAJOR: rule(above(5), repeating(2)) });
    const other = (value: number) => definition({ MINOR: rule(below(value)) }, null, 'Low');
    const profile = await t.profile('changing', [counting, other(0)]);
    const { id } = await t.device('D2', profile);
    await t.send(id, { t: 6 });
    const profileData = { alarms: [counting, other(-1)] };
    await t.registry.profiles.save(t.registry.admin, profileInput('changing', { id: profile.id, profileData }));
    await t.settled();
    await t.send(id, { t: 6 });
    expect(t.happened()).toEqual(['created High MAJOR']);
  });

  it('forgets a device that was deleted', async () => {
    const { id } = await deviceWith(definition({ MAJOR: rule(above(5), duration(30)) }));
    await t.send(id, { t: 6 });
    await t.registry.devices.remove(t.registry.admin, id);
    await t.advance(60_000);
    expect(t.happened()).toEqual([]);
    expect(t.engine.counters().resident).toBe(0);
  });
});
