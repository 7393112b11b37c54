import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;
beforeAll(async () => {
  t = await openTestServer();
});
afterAll(() => t.server.close());

/** A POST to a call that takes no body. */
const disconnect = async (type: string, payload: string) =>
  t.send({
    method: 'POST',
    url: `/api/device/${await t.device(`Of ${type} ${payload.length}`)}/disconnect`,
    headers: { 'x-authorization': `Bearer ${t.token}`, 'content-type': type },
    payload,
  });

const FORM = 'application/x-www-form-urlencoded';

describe('a request without a body', () => {
  it.each([FORM, 'text/plain', 'application/json', 'multipart/form-data; boundary=x'])(
    'is taken whatever type is announced: %s',
    async (type) => {
      expect((await disconnect(type, '')).statusCode).toBe(200);
    },
  );

  it('is not one with a body of such a type', async () => {
    const answer = await disconnect(FORM, 'a=b');
    expect([answer.statusCode, answer.json().errorCode]).toEqual([415, 31]);
  });
});
