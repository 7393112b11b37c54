import { Counter, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../testing/test-server.ts';

let t: TestServer;

beforeAll(async () => {
  t = await openTestServer();
});
afterAll(() => t.server.close());

describe('outside the API', () => {
  it('says what this is', async () => {
    const answer = await t.send({ url: '/' });
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect(answer.body).toContain('href="/docs"');
  });

  it('answers health checks, also by HEAD', async () => {
    expect((await t.send({ url: '/healthz' })).json()).toEqual({ status: 'ok' });
    expect((await t.send({ method: 'HEAD', url: '/healthz' })).statusCode).toBe(200);
    expect((await t.send({ url: '/readyz' })).json()).toEqual({
      ready: true,
      checks: [{ name: 'store', ok: true, reason: null }],
    });
  });

  it('is not ready with 503 and the reason', async () => {
    const checks = [{ name: 'store', ok: false, reason: 'still opening' }];
    const local = await openTestServer({ health: () => ({ ready: false, checks }) });
    const answer = await local.send({ url: '/readyz' });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual({ ready: false, checks });
    expect((await local.send({ url: '/healthz' })).statusCode).toBe(200);
    await local.server.close();
  });

  it('counts requests by route and never by id', async () => {
    const id = await t.device();
    await t.call('GET', `/api/device/${id}`);
    await t.call('GET', '/api/nonsense/12345');
    const answer = await t.send({ url: '/metrics' });
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(answer.body).toContain('moorage_http_requests_total{method="GET",route="/api/device/:id",status="200"} 1');
    expect(answer.body).toContain('process_resident_memory_bytes');
    expect(answer.body).not.toContain(id);
    expect(answer.body).not.toContain('12345');
  });

  it("shows the other parts' metrics from the registry given", async () => {
    const metricsRegistry = new Registry();
    new Counter({ name: 'moorage_other_total', help: 'Other.', registers: [metricsRegistry] }).inc(3);
    const local = await openTestServer({ metricsRegistry });
    expect((await local.send({ url: '/metrics' })).body).toContain('moorage_other_total 3');
    await local.server.close();
  });

  it('serves the API reference from its own files', async () => {
    const page = await t.send({ url: '/docs' });
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    const script = await t.send({ url: '/docs/static/swagger-initializer.js' });
    expect(script.body).toContain('"validatorUrl":null');
    expect((await t.send({ url: '/docs/static/swagger-ui.css' })).statusCode).toBe(200);
    const document = (await t.send({ url: '/openapi.json' })).json();
    expect((await t.send({ url: '/docs/json' })).json()).toEqual(document);
    expect((await t.send({ url: '/docs/static/..%2f..%2fpackage.json' })).statusCode).toBe(404);
    expect((await t.send({ url: '/docs/nonsense' })).statusCode).toBe(404);
  });
});
