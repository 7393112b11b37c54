import { beforeEach, describe, expect, it } from 'vitest';
import { NOW, RestBench } from './testing/rest-bench.ts';

let bench: RestBench;
beforeEach(() => {
  bench = new RestBench();
});

describe('sessions', () => {
  it('TS-47 are live connections with their protocol', async () => {
    expect((await bench.get('session')).text).toBe('[]');
    const session = { clientId: 'a', remoteAddress: '192.0.2.7', cleanStart: true, keepAlive: 60, connectedAt: NOW };
    bench.sessions = [
      { ...session, level: 3 },
      { ...session, clientId: 'b', cleanStart: false, level: 4 },
    ];
    const shown = { ipaddress: '192.0.2.7', keepalive: 60, connected_at: '2026-01-05T10:00:03+0900' };
    expect((await bench.get('session/')).body).toEqual([
      { client_id: 'a', clean_sess: true, proto_ver: 3, ...shown },
      { client_id: 'b', clean_sess: false, proto_ver: 4, ...shown },
    ]);
  });
});

describe('the user', () => {
  const USER = {
    user_id: 'U000123',
    email: 'a@example.com',
    timezone: 'Asia/Tokyo',
    device_count: 1,
    channel_count: 2,
  };

  it('is shown, and changes e-mail and time zone', async () => {
    await bench.account.createDevice('dev01');
    await bench.account.createChannel(7, null);
    expect((await bench.get('user')).body).toEqual(USER);
    const changed = await bench.call('PUT', 'user', { timezone: 'America/New_York', email: '', device_count: 9 });
    expect([changed.status, changed.body]).toEqual([200, { ...USER, email: '', timezone: 'America/New_York' }]);
    expect((await bench.get('device')).body[0].activate_at).toMatch(/-0500$/);
  });

  it.each([
    '',
    '[]',
    '{"timezone":"Tokyo"}',
    '{"timezone":""}',
    '{"timezone":9}',
    '{"email":"a"}',
    '{"email":"a@b c"}',
  ])('is not changed by %s', async (body) => {
    const answer = await bench.call('PUT', 'user', body);
    expect([answer.status, answer.text]).toEqual([400, '{"error":"BAD_JSON_FORMAT"}']);
    expect(bench.account.settings.timezone).toBe('Asia/Tokyo');
  });
});
