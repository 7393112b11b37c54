import { Health, Readiness, refTo } from '@moorage/api-types';
import type { Registry } from 'prom-client';
import { Type } from 'typebox';
import type { ApiServer } from '../api-context.ts';
import type { HealthReport } from '../options.ts';
import { PUBLIC } from './operation.ts';

const tags = ['server'];
const HTML = 'text/html; charset=utf-8';
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Moorage</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}</style>
</head>
<body>
<h1>Moorage</h1>
<p>A self-hosted IoT cloud: an MQTT server, a device registry and a time-series store behind one HTTP API.</p>
<ul>
<li><a href="/docs">API reference</a></li>
<li><a href="/openapi.json">OpenAPI document</a></li>
<li><a href="/readyz">Readiness</a></li>
<li><a href="/metrics">Metrics</a></li>
</ul>
</body>
</html>
`;

export interface RootServices {
  readonly health: () => HealthReport;
  readonly registry: Registry;
  /** JSON text of the OpenAPI document. */
  readonly openApi: () => Promise<string>;
}

/** What lies outside `/api`. recognition.md, section 7 */
export function registerRootRoutes(app: ApiServer, services: RootServices): void {
  app.get('/', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('content-security-policy', PAGE_POLICY).type(HTML);
    return PAGE;
  });

  app.get(
    '/healthz',
    {
      exposeHeadRoute: true,
      schema: {
        operationId: 'getHealth',
        tags,
        summary: 'Whether the process answers',
        security: PUBLIC,
        response: { 200: refTo(Health) },
      },
    },
    async (): Promise<Health> => ({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      exposeHeadRoute: true,
      schema: {
        operationId: 'getReadiness',
        tags,
        summary: 'Whether the server can do its work, and if not, why',
        security: PUBLIC,
        response: { 200: refTo(Readiness), 503: refTo(Readiness) },
      },
    },
    async (_request, reply) => {
      const { ready, checks } = services.health();
      reply.code(ready ? 200 : 503);
      return { ready, checks: checks.map(({ name, ok, reason }) => ({ name, ok, reason })) };
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        tags,
        summary: 'Metrics in the text format of Prometheus',
        security: PUBLIC,
        produces: ['text/plain'],
        response: { 200: Type.String() },
      },
    },
    async (_request, reply) => {
      reply.type(services.registry.contentType);
      return services.registry.metrics();
    },
  );

  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenApi',
        tags,
        summary: 'This document',
        security: PUBLIC,
        response: { 200: Type.Unsafe<string>({ type: 'object', additionalProperties: true }) },
      },
    },
    async (_request, reply) => {
      reply.type('application/json; charset=utf-8');
      return services.openApi();
    },
  );
}
