import { describe, expect, it } from 'vitest';
import { OpenApiClient } from '../testing/open-api-client.ts';
import { application, device, examples, NEW_YEAR, openDialect } from '../testing/tools.ts';

const LIST = '/developers/device/list';
const INVALID = { status: 400, body: { info: 'Invalid signature' } };

function scene(options: Parameters<typeof openDialect>[0] = {}) {
  const test = openDialect(options);
  const thermometer = device(1);
  test.platform.add(thermometer);
  test.platform.attribute(thermometer, 'SERVER', 'sensoro.sn', examples.sn);
  return { test, client: new OpenApiClient(test) };
}

describe('the signature of a request', () => {
  it('SEN-39 the requests of the examples are accepted with every signature they have, and answered as they are', async () => {
    for (const { method, target, body, signatures, answer, host } of examples.requests) {
      for (const signature of signatures) {
        const { client } = scene({ nonceWindowMs: 0 });
        const given = { method: method === 'GET' ? 'GET' : 'POST', target, body, signature } as const;
        const got = await client.call({ ...given, nonce: examples.nonce, headers: { host } });
        expect(got.status, target).toBe(200);
        expect(got.body.err_code, target).toBe(0);
        if (answer !== undefined) expect(JSON.stringify(got.body)).toBe(answer);
        const at = signature.length - 3;
        const changed = signature.slice(0, at) + (signature[at] === 'A' ? 'B' : 'A') + signature.slice(at + 1);
        expect(await client.call({ ...given, nonce: examples.nonce, signature: changed })).toEqual(INVALID);
      }
    }
  });

  it('SEN-39 a GET signed over {} and over nothing are both accepted, one changed character is not', async () => {
    const { client } = scene();
    for (const signedBody of ['{}', '']) expect((await client.call({ target: LIST, signedBody })).status).toBe(200);
    expect(await client.call({ target: LIST, signedBody: '{ }' })).toEqual(INVALID);
    expect(await client.call({ target: LIST, secret: `${examples.appSecret}x` })).toEqual(INVALID);
    expect(await client.call({ target: LIST, signedUrl: `https://iot.example.com${LIST}?` })).toEqual(INVALID);
    expect(await client.call({ target: LIST, signedUrl: `ftp://iot.example.com${LIST}` })).toEqual(INVALID);
    expect(client.refusals[0]).toBe(`10.0.0.1 foobar Wrong signature of a request to ${LIST}.`);
  });

  it('may be over the body as it came, or as JSON.stringify writes it', async () => {
    const { client } = scene();
    const body = '{ "sns" : [], "cfg": {"interval": 300.0} }';
    const [raw, again] = [body, JSON.stringify(JSON.parse(body))];
    for (const signedBody of [raw, again])
      expect((await client.post('/developers/device/interval', body, { signedBody })).status).toBe(200);
    expect(await client.post('/developers/device/interval', body, { signedBody: '{}' })).toEqual(INVALID);
  });

  it('is asked of unknown and disabled AppIDs and of requests without a header in the same words', async () => {
    const { test } = scene();
    const disabled = application({ appId: 'disabled', enabled: false });
    const client = new OpenApiClient(test, application(), disabled);
    for (const appId of ['nobody', 'disabled', '__proto__']) {
      expect(await client.call({ target: LIST, appId })).toEqual(INVALID);
    }
    for (const name of ['x-access-id', 'x-access-nonce', 'x-access-signature']) {
      expect(await client.call({ target: LIST, headers: { [name]: undefined } })).toEqual(INVALID);
      expect(await client.call({ target: LIST, headers: { [name]: 'x'.repeat(10_000) } })).toEqual(INVALID);
    }
  });

  it('holds with the AppSecret before a rotation as long as that is valid', async () => {
    const { test } = scene();
    const secrets = { previousAppSecret: 'the one before', previousAppSecretValidUntil: String(NEW_YEAR + 1) };
    const client = new OpenApiClient(test, application({ secrets }));
    expect((await client.call({ target: LIST, secret: 'the one before' })).status).toBe(200);
    test.now += 1;
    expect(await client.call({ target: LIST, secret: 'the one before' })).toEqual(INVALID);
    expect((await client.call({ target: LIST })).status).toBe(200);
  });

  it('SEN-40 is over https behind a proxy that ends TLS, whose own name for the server counts if it is trusted', async () => {
    const { client } = scene({ trustedProxy: (address) => address === '10.0.0.9' });
    const inside = { target: LIST, scheme: 'http', headers: { host: 'inner:8080' }, peerAddress: '10.0.0.9' } as const;
    expect((await client.call({ ...inside, signedUrl: `https://inner:8080${LIST}` })).status).toBe(200);
    const forwarded = { host: 'inner:8080', 'x-forwarded-host': 'iot.example.com, x', 'x-forwarded-proto': 'https' };
    expect((await client.call({ ...inside, headers: forwarded })).status).toBe(200);
  });

  it('SEN-41 X-Forwarded-* of a peer that is not trusted are ignored', async () => {
    const { client } = scene({ trustedProxy: (address) => address === '10.0.0.9' });
    const headers = { host: 'inner:8080', 'x-forwarded-host': 'iot.example.com', 'x-forwarded-proto': 'https' };
    expect(await client.call({ target: LIST, headers, peerAddress: '10.0.0.8' })).toEqual(INVALID);
  });

  it('may be over a configured public name, and over the usual port', async () => {
    const { client } = scene({ publicNames: ['iot.example.com', 'iot.example.com:8080'] });
    const inside = { target: LIST, headers: { host: '10.1.1.1:8080' } } as const;
    expect((await client.call(inside)).status).toBe(200);
    expect((await client.call({ ...inside, signedUrl: `http://iot.example.com:8080${LIST}` })).status).toBe(200);
    for (const [host, url] of [
      ['h:443', `https://h${LIST}`],
      ['h:80', `http://h${LIST}`],
      ['h:443', `https://h:443${LIST}`],
    ] as const) {
      expect((await client.call({ target: LIST, headers: { host }, signedUrl: url })).status).toBe(200);
    }
    expect(await client.call({ ...inside, signedUrl: `https://other.example.com${LIST}` })).toEqual(INVALID);
  });

  it('SEN-42 is over the query as it was sent', async () => {
    const { client } = scene();
    const target = `${LIST}?count=5&%70age=1&x=%2F%20+`;
    expect((await client.get(target)).body.data).toMatchObject({ page: 1, count: 5 });
    for (const other of [`${LIST}?page=1&count=5&x=%2F%20+`, `${LIST}?count=5&page=1&x=/%20+`]) {
      expect(await client.call({ target, signedUrl: `https://iot.example.com${other}` })).toEqual(INVALID);
    }
  });
});

describe('the nonce', () => {
  const REFUSED = { status: 400, body: { info: 'Invalid nonce' } };

  it('SEN-48 is refused 16 minutes off, and accepted with window 0', async () => {
    for (const minutes of [16, -16]) {
      const nonce = String(NEW_YEAR + minutes * 60_000);
      expect(await scene().client.call({ target: LIST, nonce })).toEqual(REFUSED);
      expect((await scene({ nonceWindowMs: 0 }).client.call({ target: LIST, nonce })).status).toBe(200);
    }
    for (const off of [900_000, -900_000])
      expect((await scene().client.call({ target: LIST, nonce: String(NEW_YEAR + off) })).status).toBe(200);
  });

  it('is an integer', async () => {
    for (const nonce of ['x', '1.5', '-1', '1e3', '99999999999999999'])
      expect(await scene({ nonceWindowMs: 0 }).client.call({ target: LIST, nonce })).toEqual(REFUSED);
  });
});

describe('repetition', () => {
  const INTERVAL = '/developers/device/interval';
  const BODY = { sns: [examples.sn], cfg: { interval: 300 } };

  it('SEN-49 the same signed POST does its work once and is answered the same', async () => {
    const { test, client } = scene();
    const nonce = String(NEW_YEAR);
    const [first, second] = await Promise.all([
      client.post(INTERVAL, BODY, { nonce }),
      client.post(INTERVAL, BODY, { nonce }),
    ]);
    const third = await client.post(INTERVAL, BODY, { nonce });
    expect(first?.body.err_code).toBe(0);
    expect([second, third]).toEqual([first, first]);
    expect(test.platform.commands).toHaveLength(1);
    await client.post(INTERVAL, BODY, { nonce: String(NEW_YEAR + 1) });
    expect(test.platform.commands).toHaveLength(2);
  });

  it('of a GET is asked anew, and a POST after the window is refused by its nonce', async () => {
    const { test, client } = scene();
    const nonce = String(NEW_YEAR);
    await client.call({ target: LIST, nonce });
    test.platform.add(device(2));
    test.dialect.pushes.deviceTouched?.(device(2).id);
    expect((await client.call({ target: LIST, nonce })).body.data.total).toBe(2);
    await client.post(INTERVAL, BODY, { nonce });
    test.now += 900_001;
    expect((await client.post(INTERVAL, BODY, { nonce })).body).toEqual({ info: 'Invalid nonce' });
    expect(test.platform.commands).toHaveLength(1);
  });

  it('of a POST that failed is tried again', async () => {
    const { test, client } = scene();
    test.platform.fails = true;
    const nonce = String(NEW_YEAR);
    await expect(client.post(INTERVAL, BODY, { nonce })).rejects.toThrow('no store');
    test.platform.fails = false;
    expect((await client.post(INTERVAL, BODY, { nonce })).body.err_code).toBe(0);
    expect(test.platform.commands).toHaveLength(1);
  });
});

describe('limits', () => {
  it('20 requests in a second are answered, the next one with 429, each application by itself', async () => {
    const { test } = scene();
    const client = new OpenApiClient(test, application(), application({ appId: 'other', id: 'other' }));
    const statuses: number[] = [];
    for (let i = 0; i < 21; i++) statuses.push((await client.get(LIST)).status);
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 429]);
    expect(await client.get(LIST)).toEqual({ status: 429, body: { info: 'Too many requests' } });
    expect((await client.call({ target: LIST, appId: 'other' })).status).toBe(200);
    test.now += 50;
    expect([(await client.get(LIST)).status, (await client.get(LIST)).status]).toEqual([200, 429]);
    test.now += 60_000;
    for (let i = 0; i < 20; i++) expect((await client.get(LIST)).status).toBe(200);
    expect((await client.get(LIST)).status).toBe(429);
  });

  it('requests with a wrong signature use up nothing', async () => {
    const { client } = scene();
    for (let i = 0; i < 50; i++) await client.call({ target: LIST, secret: 'wrong' });
    expect((await client.get(LIST)).status).toBe(200);
  });

  it('a body over 256 KiB is answered with 413', () => {
    const { client } = scene();
    expect(client.tooLarge('/developers/device/interval')).toMatchObject({ limit: 262_144, answer: { status: 413 } });
  });

  it('a body that is no JSON is answered with 400', async () => {
    const { client } = scene();
    const expected = { status: 400, body: { err_code: 5020400, err_msg: 'invalid json' } };
    for (const body of ['{', 'x', '{"sns":[}'])
      expect(await client.post('/developers/device/interval', body)).toEqual(expected);
    expect(await client.post('/developers/device/interval', '', { signedBody: '{}' })).toEqual(expected);
  });
});
