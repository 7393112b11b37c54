import { describe, expect, it } from 'vitest';
import { ConnectionLog, type ConnectionLogEntry, shorten } from './connection-log.ts';

function entry(principalId: string | null, ts: number): ConnectionLogEntry {
  return {
    ts,
    event: 'connected',
    tenantId: null,
    principalId,
    dialect: null,
    address: '127.0.0.1',
    listener: 'mqtt',
    level: 4,
    clientId: '',
    username: null,
    code: 0,
    reason: '',
    row: null,
    looksLike: null,
    said: [],
  };
}

describe('connection log', () => {
  it('keeps the newest entries of each principal, newest first', () => {
    const log = new ConnectionLog(2, 10);
    for (let ts = 1; ts <= 3; ts++) log.add(entry('a', ts));
    log.add(entry('b', 9));
    expect(log.of('a').map((line) => line.ts)).toEqual([3, 2]);
    expect(log.of('b').map((line) => line.ts)).toEqual([9]);
    expect(log.of('c')).toEqual([]);
  });

  it('a message that is refused again for the same reason within a minute is counted, not entered', () => {
    const log = new ConnectionLog(3, 10);
    const refused = (ts: number, reason = 'no right') =>
      log.add({ ...entry('a', ts), tenantId: 't', event: 'message', code: 0x87, reason });
    log.add(entry('a', 1));
    for (let ts = 10; ts < 60_010; ts += 1_000) refused(ts);
    refused(500, 'another reason');
    refused(60_010);
    expect(log.of('a').map(({ ts, reason, count }) => [ts, reason, count])).toEqual([
      [60_010, 'no right', 1],
      [500, 'another reason', 1],
      [10, 'no right', 60],
    ]);
    expect(log.recent('t').map(({ count }) => count)).toEqual([1, 1, 60]);
    log.add(entry('a', 2));
    log.add(entry('a', 2));
    expect(
      log
        .of('a')
        .slice(0, 2)
        .map(({ event }) => event),
    ).toEqual(['connected', 'connected']);
  });

  it('forgets the quietest principal first', () => {
    const log = new ConnectionLog(2, 2);
    log.add(entry('a', 1));
    log.add(entry('b', 2));
    log.add(entry('a', 3));
    log.add(entry('c', 4));
    expect(log.of('b')).toEqual([]);
    expect(log.of('a')).toHaveLength(2);
  });

  it('keeps the newest entries of a tenant, and apart from them the attempts nobody claimed', () => {
    const log = new ConnectionLog();
    for (let ts = 0; ts < 5_000; ts++) log.add({ ...entry(`p${ts % 7}`, ts), tenantId: 't' });
    log.add(entry(null, 9_999));
    const recent = log.recent('t');
    expect(recent[0]?.ts).toBe(4_999);
    expect(recent.length).toBeGreaterThanOrEqual(1_000);
    expect(recent.length).toBeLessThan(2_000);
    expect(log.recent(null).map((line) => line.ts)).toEqual([9_999]);
  });

  it('REC-37 a name that may be a token is shown shortened', () => {
    expect(shorten('A1B2C3D4E5F6G7H8I9J0')).toBe('A1B2…(20)');
    expect(shorten('short')).toBe('sh…');
  });
});
