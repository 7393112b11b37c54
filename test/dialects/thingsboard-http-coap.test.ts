import { request as coapRequest } from 'coap';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { COAP, run } from '../harness/real-clients.ts';

const server = new MoorageProcess();
const api = new ApiClient(server);
let number = 0;

beforeAll(async () => {
  await server.start();
  await api.login();
});
afterAll(() => server.dispose());

async function newDevice(): Promise<{ id: string; token: string; url: string }> {
  number++;
  const token = `HTTPTOKEN${String(number).padStart(11, '0')}`;
  const id = await api.createDevice(`http ${number}`, token);
  return { id, token, url: `${server.baseUrl}/api/v1/${token}` };
}

const curl = (...args: string[]) => run('curl', ['-s', '-w', '\n%{http_code}', ...args]);
const share = (id: string, values: object) =>
  api.call('POST', `/api/plugins/telemetry/DEVICE/${id}/attributes/SHARED_SCOPE`, values);

describe('the HTTP device API', () => {
  it('TB-97 all POST paths answer 200 with an empty body, an unknown token 401', async () => {
    const { id, url } = await newDevice();
    expect((await curl('-d', '{temperature: 25}', `${url}/telemetry`)).stdout).toBe('\n200');
    expect((await curl('-d', '{}', `${url}/telemetry`)).stdout).toBe('\n200');
    expect(
      (await curl('-d', '{"model":"x"}', '-H', 'content-type: application/json', `${url}/attributes`)).stdout,
    ).toBe('\n200');
    expect((await curl('-d', '{"any":1}', `${url}/rpc/7`)).stdout).toBe('\n200');
    expect((await curl('-X', 'POST', `${url}/claim`)).stdout).toBe('\n200');
    expect((await api.latest(id)).temperature?.[0]?.value).toBe(25);
    expect((await curl(`${url}/attributes?clientKeys=model`)).stdout).toBe('{"client":{"model":"x"}}\n200');
    expect((await curl('-d', '{}', `${server.baseUrl}/api/v1/NOSUCHTOKEN/telemetry`)).stdout).toBe('\n401');
    expect((await curl('-d', '{"a":', `${url}/telemetry`)).stdout).toMatch(/\n400$/);
    expect((await curl('-d', '{"method":"getTime","params":{}}', `${url}/rpc`)).stdout).toMatch(/^\d+\n200$/);
  });

  it('TB-98 attribute updates: one of them, or 408 after the timeout', async () => {
    const { id, url } = await newDevice();
    expect((await curl(`${url}/attributes/updates?timeout=50`)).stdout).toBe('\n408');
    const poll = curl(`${url}/attributes/updates?timeout=20000`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await share(id, { target: 20 });
    expect((await poll).stdout).toBe('{"target":20}\n200');
  });

  it('TB-98 RPC: the message, and its answer completes the call', async () => {
    const { id, url } = await newDevice();
    expect((await curl(`${url}/rpc?timeout=50`)).stdout).toBe('\n408');
    const poll = curl(`${url}/rpc?timeout=20000`);
    const call = api.call('POST', `/api/rpc/twoway/${id}`, { method: 'set', params: [1] });
    const [text = '', code] = (await poll).stdout.split('\n');
    expect(code).toBe('200');
    const request = JSON.parse(text);
    expect(request).toEqual({ id: expect.any(Number), method: 'set', params: [1] });
    expect((await curl('-d', '{"ok":true}', `${url}/rpc/${request.id}`)).stdout).toBe('\n200');
    expect(await call).toMatchObject({ status: 200, body: { ok: true } });
    expect((await curl('-d', '{}', `${url}/rpc/x`)).stdout).toMatch(/\n400$/);
  });

  it('TB-99 a body over the limit is refused with 413', async () => {
    const { url } = await newDevice();
    const big = await curl('-d', `{"method":"m","params":"${'x'.repeat(70_000)}"}`, `${url}/rpc`);
    expect(big.stdout).toMatch(/\n413$/);
    expect((await fetch(`${server.baseUrl}/healthz`)).status).toBe(200);
  });
});

interface CoapAnswer {
  readonly code: string;
  readonly text: string;
}

/** One request with the `coap` package; with `observe` its notifications come one by one. */
function coap(method: string, path: string, body = ''): Promise<CoapAnswer> {
  const [pathname = '', query] = path.split('?');
  return new Promise((resolve, reject) => {
    const request = coapRequest({
      hostname: '127.0.0.1',
      port: server.port('coap'),
      method: method as 'GET',
      pathname,
      ...(query === undefined ? {} : { query }),
    });
    request.on('response', (response) => resolve({ code: response.code, text: response.payload.toString() }));
    request.on('error', reject);
    request.end(body);
  });
}

function observe(pathname: string): {
  next(): Promise<CoapAnswer>;
  close(): void;
} {
  const answers: CoapAnswer[] = [];
  let wake = () => {};
  const request = coapRequest({ hostname: '127.0.0.1', port: server.port('coap'), pathname, observe: true });
  let close = () => {};
  request.on('response', (response) => {
    answers.push({ code: response.code, text: '' });
    answers.pop();
    response.on('data', (chunk: Buffer) => {
      answers.push({ code: response.code, text: chunk.toString() });
      wake();
    });
    close = () => response.close();
  });
  request.end();
  return {
    async next() {
      for (;;) {
        const answer = answers.shift();
        if (answer !== undefined) return answer;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    close: () => close(),
  };
}

describe('the CoAP device API', () => {
  it('TB-100 telemetry 2.01, attributes 2.05 or 4.04', async () => {
    const { id, token } = await newDevice();
    expect((await coap('POST', `/api/v1/${token}/telemetry`, '{"t":1}')).code).toBe('2.01');
    expect((await api.latest(id)).t?.[0]?.value).toBe(1);
    expect((await coap('GET', `/api/v1/${token}/attributes`)).code).toBe('4.04');
    expect((await coap('POST', `/api/v1/${token}/attributes`, '{"model":"x"}')).code).toBe('2.01');
    const read = await coap('GET', `/api/v1/${token}/attributes?clientKeys=model`);
    expect(read.code).toBe('2.05');
    expect(JSON.parse(read.text)).toEqual({ client: { model: 'x' } });
  });

  it('TB-100 observing attributes gives the present ones first, then each change', async () => {
    const { id, token } = await newDevice();
    await share(id, { target: 20 });
    const observation = observe(`/api/v1/${token}/attributes`);
    expect(await observation.next()).toEqual({ code: '2.05', text: '{"target":20}' });
    await share(id, { target: 21 });
    expect(await observation.next()).toEqual({ code: '2.05', text: '{"target":21}' });
    observation.close();
  });

  it('TB-100, TB-101 observing RPC begins with 2.03; an RPC is answered by POST with its id; a bad token gives 4.01, bad JSON 4.00', async () => {
    const { id, token } = await newDevice();
    const observation = observe(`/api/v1/${token}/rpc`);
    expect(await observation.next()).toEqual({ code: '2.03', text: '' });
    const call = api.call('POST', `/api/rpc/twoway/${id}`, { method: 'set', params: 1 });
    const request = JSON.parse((await observation.next()).text);
    expect(request).toMatchObject({ method: 'set', params: 1 });
    expect((await coap('POST', `/api/v1/${token}/rpc/${request.id}`, '{"ok":true}')).code).toBe('2.01');
    expect(await call).toMatchObject({ status: 200, body: { ok: true } });
    expect((await coap('POST', '/api/v1/NOSUCHTOKEN/telemetry', '{"t":1}')).code).toBe('4.01');
    expect((await coap('POST', `/api/v1/${token}/telemetry`, '{"t":')).code).toBe('4.00');
    observation.close();
  });

  it('TB-100 the command line client of the field posts telemetry', async () => {
    const { id, token } = await newDevice();
    const url = `coap://127.0.0.1:${server.port('coap')}/api/v1/${token}/telemetry`;
    const result = await run(COAP, ['post', url, '-p', '{"v":3}']);
    expect(result.stdout + result.stderr).toMatch(/2\.01/);
    expect((await api.latest(id)).v?.[0]?.value).toBe(3);
  });
});
