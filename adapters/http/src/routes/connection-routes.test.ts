import { describe, expect, it } from 'vitest';
import type { LoggedConnection } from '../options.ts';
import { openTestServer } from '../testing/test-server.ts';

function line(deviceId: string | null, event: string, ts: number): LoggedConnection & { deviceId: string | null } {
  return {
    deviceId,
    ts,
    event,
    dialect: 'thingsboard',
    address: '10.0.0.1',
    listener: 'mqtt',
    level: 4,
    clientId: 'c',
    username: 'A1B2…(20)',
    code: event === 'refused' ? 5 : 0,
    reason: event === 'refused' ? 'user name or token not known' : event,
    row: event === 'refused' ? 'F8' : null,
    looksLike: null,
    said: [],
    count: 1,
  };
}

describe('connection log (api-additions.md, 3)', () => {
  it('pages the entries of a device and nobody else, newest first as given', async () => {
    const test = await openTestServer();
    const id = await test.device();
    test.state.connectionLog.push(line(id, 'disconnected', 3), line(id, 'connected', 2), line('other', 'connected', 1));
    const answer = await test.call('GET', `/api/device/${id}/connectionLog?pageSize=1&page=0`);
    expect(answer.json()).toMatchObject({
      data: [{ ts: 3, event: 'disconnected', protocolLevel: 4 }],
      totalPages: 2,
      totalElements: 2,
      hasNext: true,
    });
    expect((await test.call('GET', `/api/device/${id}/connectionLog?pageSize=0&page=0`)).statusCode).toBe(400);
  });

  it('shows refusals alone when asked, with row and reason', async () => {
    const test = await openTestServer();
    test.state.connectionLog.push(line(null, 'refused', 2), line('d', 'connected', 1));
    const all = await test.call('GET', '/api/connectionLog?pageSize=10&page=0');
    expect(all.json().totalElements).toBe(2);
    const refused = await test.call('GET', '/api/connectionLog?pageSize=10&page=0&refusedOnly=true');
    expect(refused.json().data).toMatchObject([
      { event: 'refused', row: 'F8', reason: 'user name or token not known' },
    ]);
  });

  it('is not for customer users, and a foreign or unknown device is refused', async () => {
    const test = await openTestServer();
    const token = await test.tokenOf('CUSTOMER_USER');
    const answer = await test.send({
      method: 'GET',
      url: '/api/connectionLog?pageSize=10&page=0',
      headers: { 'x-authorization': `Bearer ${token}` },
    });
    expect(answer.statusCode).toBe(403);
    const unknown = '00000000-0000-4000-8000-00000000dead';
    expect((await test.call('GET', `/api/device/${unknown}/connectionLog?pageSize=1&page=0`)).statusCode).toBe(404);
    expect((await test.call('POST', `/api/device/${unknown}/disconnect`)).statusCode).toBe(404);
  });

  it('disconnects a device', async () => {
    const test = await openTestServer();
    const id = await test.device();
    const answer = await test.call('POST', `/api/device/${id}/disconnect`);
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect(test.state.disconnected).toEqual([id]);
  });
});
