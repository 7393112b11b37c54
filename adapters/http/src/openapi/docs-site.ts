import type { IncomingMessage, ServerResponse } from 'node:http';
import { fastify } from 'fastify';
import { schemaController } from '../validation/compilers.ts';

/** Everything comes from this server, also behind plain HTTP on another host. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" width="180" height="40"><text x="0" y="28" ' +
  'font-family="sans-serif" font-size="26" font-weight="bold" fill="#fff">Moorage</text></svg>';

/** The pages below `/docs`. */
export interface DocsSite {
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

/** Loads the API reference: a server of its own without a socket, made when the first page is asked for. */
export async function openDocsSite(openApiText: string): Promise<DocsSite> {
  const [{ default: swagger }, { default: swaggerUi }] = await Promise.all([
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
  ]);
  const app = fastify({ schemaController, exposeHeadRoutes: false });
  await app.register(swagger, { mode: 'static', specification: { document: JSON.parse(openApiText) } });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    logo: { type: 'image/svg+xml', content: LOGO, href: '/docs' },
    theme: { title: 'Moorage API' },
    // `validatorUrl`: the default asks a server in the internet.
    uiConfig: { validatorUrl: null, deepLinking: true, docExpansion: 'none' },
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
  });
  app.setNotFoundHandler(async (_request, reply) => {
    reply.code(404).type('text/plain; charset=utf-8');
    return 'There is no such page';
  });
  await app.ready();
  return {
    handle: (request, response) => app.routing(request, response),
    close: () => app.close(),
  };
}
