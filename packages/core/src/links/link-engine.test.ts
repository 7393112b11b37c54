import { MemoryRepositories } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { PointList } from '../values/point-list.ts';
import { ValueKind } from '../values/value.ts';
import { linkInput, listOf, openTestLinks } from './testing/test-links.ts';

describe('LinkEngine', () => {
  it('calls a method of the target with the value of the key, and tells what became of it', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    const link = await t.link({ from: [a, 'temperature'], to: b, method: 'show' });
    expect([t.engine.wants(a), t.engine.wants(b)]).toEqual([true, false]);
    expect(await t.outcome(link)).toEqual({ lastOutcome: null, lastTime: null });
    await t.report(a, { temperature: 21.5, humidity: 40 });
    await t.report(a, { humidity: 41 });
    await t.report(b, { temperature: 1 });
    expect(t.called()).toEqual(['B show 21.5']);
    expect(await t.outcome(link)).toEqual({ lastOutcome: 'SENT', lastTime: t.time.now() });
  });

  it('sends every kind of value as JSON', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'k'], to: b, method: 'm' });
    const points = [
      [ValueKind.Boolean, true],
      [ValueKind.Long, 9007199254740993n],
      [ValueKind.Double, 42],
      [ValueKind.String, 'on"'],
      [ValueKind.Json, '{"x":[1]}'],
    ] as const;
    for (const [kind, value] of points) {
      const list = new PointList();
      list.add(t.time.now(), 'k', kind, value);
      t.engine.telemetryStored(a, list);
    }
    await t.settle();
    expect(t.called()).toEqual(['B m true', 'B m 9007199254740993', 'B m 42.0', 'B m "on\\""', 'B m {"x":[1]}']);
  });

  it('sends the last value of several points of a message: the newest by time, of equal times the later one', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'k'], to: b, method: 'm' });
    const points = new PointList();
    for (const [ts, value] of [
      [3, 1],
      [9, 2],
      [9, 3],
      [5, 4],
    ] as const) {
      points.add(ts, 'k', ValueKind.Long, value);
    }
    t.engine.telemetryStored(a, points);
    await t.settle();
    expect(t.called()).toEqual(['B m 3']);
  });

  it('sends the values of one link in their order, one command for each message', async () => {
    const t = await openTestLinks({ limits: { maxSentPerTurn: 2 } });
    const [a, b, c] = [await t.device('A'), await t.device('B'), await t.device('C')];
    await t.link({ from: [a, 'k'], to: b, method: 'm' });
    await t.link({ from: [a, 'k'], to: c, attribute: 'k' });
    for (const value of [1, 2, 3, 4, 5]) t.engine.telemetryStored(a, listOf({ k: value }, value));
    expect(t.called()).toEqual([]);
    await t.settle();
    expect(t.called()).toEqual([1, 2, 3, 4, 5].map((value) => `B m ${value}`));
    expect(t.told).toEqual([1, 2, 3, 4, 5].map((value) => `C k=${value}`));
  });

  it('stores a shared attribute of the target and tells the device', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    const link = await t.link({ from: [a, 'switch'], to: b, attribute: 'relay' });
    await t.report(a, { switch: true });
    expect(t.told).toEqual(['B relay=true']);
    const [stored] = await t.store.read(b, 'SHARED', null);
    expect(stored).toMatchObject({ key: 'relay', kind: ValueKind.Boolean, value: true });
    expect((await t.outcome(link)).lastOutcome).toBe('STORED');
  });

  it('hears client attributes, and no others', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'mode'], to: b, method: 'm' });
    await t.write(a, 'CLIENT', { mode: 'eco' });
    await t.write(a, 'SERVER', { mode: 'no' });
    await t.write(a, 'SHARED', { mode: 'no' });
    expect(t.called()).toEqual(['B m "eco"']);
  });

  it('maps by the text of the value, sends JSON as it stands in the map, and nothing that is not in it', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    const map = { true: 1, '2': { level: [2, null] }, on: 'AN', '1.5': null };
    await t.link({ from: [a, 'k'], to: b, method: 'm', map });
    for (const k of [true, false, 2, 'on', 'off', 1.5, '__proto__', 'toString']) await t.report(a, { k });
    const double = new PointList();
    double.add(1, 'k', ValueKind.Double, 2);
    t.engine.telemetryStored(a, double);
    await t.settle();
    expect(t.called()).toEqual(['B m 1', 'B m {"level":[2,null]}', 'B m "AN"', 'B m null', 'B m {"level":[2,null]}']);
    expect(t.counts.get('link_unmapped')).toBe(4);
  });

  it('maps for an attribute too', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'k'], to: b, attribute: 'relay', map: { on: 1, off: { CH1: 0 } } });
    await t.report(a, { k: 'on' });
    await t.report(a, { k: 'off' });
    expect(t.told).toEqual(['B relay=1', 'B relay={"CH1":0}']);
  });

  it('sends nothing for a link that is switched off, until it is switched on', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    const link = await t.link({ from: [a, 'k'], to: b, method: 'm', enabled: false });
    expect(t.engine.wants(a)).toBe(false);
    await t.report(a, { k: 1 });
    await t.link({ id: link.id, from: [a, 'k'], to: b, method: 'm' });
    await t.report(a, { k: 2 });
    // What waits is not sent any more either.
    t.engine.telemetryStored(a, listOf({ k: 3 }, 3));
    await t.links.save(
      t.registry.admin,
      linkInput({ id: link.id, from: [a, 'k'], to: b, method: 'm', enabled: false }),
    );
    await t.settle();
    expect(t.called()).toEqual(['B m 2']);
  });

  it('shows why a value did not reach its target', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    const link = await t.link({ from: [a, 'k'], to: b, method: 'm' });
    const outcome = async () => (await t.outcome(link)).lastOutcome;
    t.devices.listening.delete(b);
    await t.report(a, { k: 1 });
    expect(await outcome()).toBe('OFFLINE');
    t.devices.unsupported = true;
    await t.report(a, { k: 2 });
    expect(await outcome()).toBe('NOT_SUPPORTED');
    await t.report(a, { k: 'x'.repeat(300_000) });
    expect(await outcome()).toBe('INVALID');
    expect(t.counts).toEqual(
      new Map([
        ['link_offline', 1],
        ['link_not_supported', 1],
        ['link_invalid', 1],
      ]),
    );
    // What came while it was away is not sent later.
    t.devices.unsupported = false;
    t.devices.listening.add(b);
    await t.settle();
    expect(t.called()).toEqual([]);
  });

  it('refuses values beyond what may wait', async () => {
    const t = await openTestLinks({ limits: { maxWaiting: 2, maxWriting: 1 } });
    const [a, b] = [await t.device('A'), await t.device('B')];
    const link = await t.link({ from: [a, 'k'], to: b, method: 'm' });
    for (const value of [1, 2, 3]) t.engine.telemetryStored(a, listOf({ k: value }, value));
    expect((await t.outcome(link)).lastOutcome).toBe('TOO_MANY');
    await t.settle();
    expect(t.called()).toEqual(['B m 1', 'B m 2']);
    const other = await t.link({ from: [a, 'x'], to: b, attribute: 'x' });
    for (const value of [1, 2]) t.engine.telemetryStored(a, listOf({ x: value }, value));
    t.time.endOneTurn();
    expect((await t.outcome(other)).lastOutcome).toBe('TOO_MANY');
    await t.settle();
    expect(t.told).toEqual(['B x=1']);
  });

  it('sends what waits when it is closed, and hears nothing after that', async () => {
    const t = await openTestLinks({ limits: { maxSentPerTurn: 1 } });
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'k'], to: b, method: 'm' });
    for (const value of [1, 2, 3]) t.engine.telemetryStored(a, listOf({ k: value }, value));
    await t.engine.close();
    expect(t.called()).toHaveLength(3);
    await t.report(a, { k: 4 });
    expect(t.called()).toEqual([]);
    expect(t.time.timers).toBe(0);
  });

  it('costs a device without links one look-up', async () => {
    const t = await openTestLinks();
    const b = await t.device('B');
    const keys = new Proxy(new PointList(), {
      get() {
        throw new TypeError('the points were read');
      },
    });
    expect(() => t.engine.telemetryStored(b, keys)).not.toThrow();
    expect(() => t.engine.attributesStored(b, 'CLIENT', keys)).not.toThrow();
  });
});

describe('loops of links', () => {
  it('of two devices that answer each other end after one round, by telemetry and by client attributes', async () => {
    for (const answer of ['report', 'write'] as const) {
      const t = await openTestLinks();
      const [a, b] = [await t.device('A'), await t.device('B')];
      await t.link({ from: [a, 'switch'], to: b, method: 'switch' });
      await t.link({ from: [b, 'switch'], to: a, method: 'switch' });
      let answers = 0;
      t.devices.onSend = ({ deviceId, params }) => {
        if (++answers > 100) return;
        const values = listOf({ switch: JSON.parse(params) }, t.time.now());
        if (answer === 'report') t.engine.telemetryStored(deviceId, values);
        else t.engine.attributesStored(deviceId, 'CLIENT', values);
      };
      await t.report(a, { switch: true });
      expect(t.called()).toEqual(['B switch true', 'A switch true']);
      expect(t.counts.get('link_repeat_suppressed')).toBe(1);
      // Nothing of it is a failure.
      expect(t.stopped).toEqual([]);
    }
  });

  it('end where the target is an attribute, and where the device reports under the bare name of its setter', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'relay'], to: b, attribute: 'relay' });
    await t.link({ from: [b, 'relay'], to: a, method: 'setRelay' });
    await t.report(a, { relay: 1 });
    await t.report(b, { relay: 1 });
    await t.report(a, { relay: 1 });
    expect(t.told).toEqual(['B relay=1']);
    expect(t.called()).toEqual(['A setRelay 1']);
  });

  it('end where the device reports a member of the parameters', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'k'], to: b, method: 'write', map: { '1': { CH1: 1 } } });
    await t.link({ from: [b, 'CH1'], to: a, method: 'k' });
    await t.report(a, { k: 1 });
    await t.report(b, { CH1: 1 });
    await t.report(a, { k: 1 });
    expect(t.called()).toEqual(['B write {"CH1":1}', 'A k 1']);
  });

  it('a chain of five links stops after four commands; the fifth is counted, shown, and told once a minute', async () => {
    const t = await openTestLinks();
    const ids = await Promise.all(['A', 'B', 'C', 'D', 'E', 'F'].map((name) => t.device(name)));
    const links = [];
    for (let i = 0; i < 5; i++) {
      links.push(await t.link({ name: `link ${i + 1}`, from: [ids[i] ?? '', 'v'], to: ids[i + 1] ?? '', method: 'v' }));
    }
    t.devices.onSend = ({ deviceId, params }) => {
      t.engine.telemetryStored(deviceId, listOf({ v: JSON.parse(params) }, t.time.now()));
    };
    await t.report(ids[0] ?? '', { v: 1 });
    expect(t.called()).toEqual(['B v 1', 'C v 1', 'D v 1', 'E v 1']);
    const [fourth, fifth] = links.slice(3);
    expect(fourth && (await t.outcome(fourth)).lastOutcome).toBe('SENT');
    expect(fifth && (await t.outcome(fifth)).lastOutcome).toBe('HOP_LIMIT');
    expect(t.stopped.map(({ name }) => name)).toEqual(['link 5']);
    await t.report(ids[0] ?? '', { v: 2 });
    expect(t.stopped).toHaveLength(1);
    await t.advance(60_000);
    await t.report(ids[0] ?? '', { v: 3 });
    expect(t.stopped).toHaveLength(2);
    expect(t.counts.get('link_hop_limit')).toBe(3);
  });

  it('a ring of three devices ends where it began', async () => {
    const t = await openTestLinks();
    const ids = await Promise.all(['A', 'B', 'C'].map((name) => t.device(name)));
    for (let i = 0; i < 3; i++) {
      await t.link({ from: [ids[i] ?? '', 'v'], to: ids[(i + 1) % 3] ?? '', method: 'v' });
    }
    t.devices.onSend = ({ deviceId }) => t.engine.telemetryStored(deviceId, listOf({ v: 1 }, t.time.now()));
    await t.report(ids[1] ?? '', { v: 1 });
    expect(t.called()).toEqual(['C v 1', 'A v 1', 'B v 1']);
  });

  it('a device that answers a command twice makes no link fire twice', async () => {
    const t = await openTestLinks();
    const [a, b, c] = [await t.device('A'), await t.device('B'), await t.device('C')];
    await t.link({ from: [a, 'v'], to: b, method: 'v' });
    await t.link({ from: [b, 'v'], to: c, method: 'v' });
    await t.report(a, { v: 1 });
    for (let i = 0; i < 3; i++) await t.report(b, { v: 1 });
    expect(t.called()).toEqual(['B v 1', 'C v 1']);
  });

  it('a chain carries every one of values that follow one another quickly, in their order', async () => {
    const t = await openTestLinks();
    const [a, b, c] = [await t.device('A'), await t.device('B'), await t.device('C')];
    await t.link({ from: [a, 'v'], to: b, method: 'v' });
    await t.link({ from: [b, 'v'], to: c, method: 'v' });
    for (const v of [1, 2, 3]) await t.report(a, { v });
    for (const v of [1, 2, 3]) await t.report(b, { v });
    expect(t.called().slice(3)).toEqual(['C v 1', 'C v 2', 'C v 3']);
  });

  it('two links of one message fire both, also where they lead to the same key', async () => {
    const t = await openTestLinks();
    const [a, b, c] = [await t.device('A'), await t.device('B'), await t.device('C')];
    await t.link({ from: [a, 'x'], to: b, method: 'v' });
    await t.link({ from: [a, 'y'], to: b, method: 'v' });
    await t.link({ from: [b, 'v'], to: c, method: 'v' });
    await t.report(a, { x: 1, y: 2 });
    await t.report(b, { v: 1 });
    await t.report(b, { v: 2 });
    expect(t.called()).toEqual(['B v 1', 'B v 2', 'C v 1']);
  });

  it('end also when two originals cross within the same seconds', async () => {
    const t = await openTestLinks();
    const [a, b, c] = [await t.device('A'), await t.device('B'), await t.device('C')];
    await t.link({ from: [a, 'v'], to: b, method: 'v' });
    await t.link({ from: [b, 'v'], to: a, method: 'v' });
    await t.link({ from: [c, 'v'], to: b, method: 'v' });
    let commands = 0;
    const answers: string[] = [];
    t.devices.onSend = ({ deviceId }) => {
      commands += 1;
      answers.push(deviceId);
    };
    await t.report(a, { v: 1 });
    await t.report(c, { v: 2 });
    for (let deviceId = answers.shift(); deviceId !== undefined && commands < 50; deviceId = answers.shift()) {
      await t.report(deviceId, { v: 1 });
    }
    // Of each of the two originals every link fired once at most.
    expect(commands).toBe(5);
  });

  it('what comes 10 s after the command is an original message again', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'v'], to: b, method: 'v' });
    await t.link({ from: [b, 'v'], to: a, method: 'v' });
    await t.report(a, { v: 1 });
    await t.advance(9_999);
    await t.report(b, { v: 1 });
    expect(t.called()).toEqual(['B v 1', 'A v 1']);
    await t.advance(9_999);
    await t.report(a, { v: 2 });
    expect(t.called()).toEqual([]);
    await t.advance(1);
    await t.report(a, { v: 2 });
    expect(t.called()).toEqual(['B v 2']);
  });

  it('a command that did not go out is followed by nothing', async () => {
    const t = await openTestLinks();
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'v'], to: b, method: 'v' });
    await t.link({ from: [b, 'v'], to: a, method: 'v' });
    t.devices.listening.delete(b);
    await t.report(a, { v: 1 });
    t.devices.listening.add(b);
    t.devices.received.splice(0);
    await t.report(b, { v: 5 });
    await t.report(a, { v: 5 });
    // Of the second report link 1 is the first one, since nothing of it had reached B before.
    expect(t.called()).toEqual(['A v 5', 'B v 5']);
  });

  it('lineages are swept when they are over', async () => {
    const t = await openTestLinks({ repositories: new MemoryRepositories() });
    const [a, b] = [await t.device('A'), await t.device('B')];
    await t.link({ from: [a, 'v'], to: b, method: 'm' });
    await t.report(a, { v: 1 });
    expect(t.engine.counters().lineages).toBe(1);
    await t.advance(20_000);
    expect(t.engine.counters()).toEqual({ waiting: 0, writing: 0, lineages: 0 });
  });
});
