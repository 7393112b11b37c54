import { NAMED_SCHEMAS } from '@moorage/api-types';
import { type FastifyInstance, type FastifySchema, fastify, type RouteOptions } from 'fastify';
import { schemaController, validatorCompiler } from '../validation/compilers.ts';

/** One operation as the document needs it. */
export interface DocumentedRoute {
  readonly method: RouteOptions['method'];
  readonly url: string;
  readonly schema: FastifySchema;
}

/** Notes every route with a schema that is registered on `app` from now on. */
export function collectRoutes(app: FastifyInstance): readonly DocumentedRoute[] {
  const routes: DocumentedRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema }) => {
    if (schema !== undefined && schema.hide !== true) {
      routes.push({ method, url, schema });
    }
  });
  return routes;
}

/**
 * JSON text of the OpenAPI 3.1 document. Made by a throw-away server that is given the same routes, at the first request for it: the
 * generator is not loaded and nothing is kept for it in a server that nobody asks.
 */
export async function openApiText(routes: readonly DocumentedRoute[], version: string): Promise<string> {
  const { default: swagger } = await import('@fastify/swagger');
  const app = fastify({ schemaController, exposeHeadRoutes: false });
  app.setValidatorCompiler(validatorCompiler);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Moorage',
        version,
        description: 'The HTTP API. Where ThingsBoard has an endpoint for the job, this is that endpoint.',
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          xAuthorization: {
            type: 'apiKey',
            in: 'header',
            name: 'X-Authorization',
            description: '`Bearer <token>` or `ApiKey <value>`; beats `Authorization`.',
          },
        },
      },
      security: [{ bearer: [] }, { xAuthorization: [] }],
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) },
  });
  for (const schema of Object.values(NAMED_SCHEMAS)) app.addSchema(schema);
  for (const { method, url, schema } of routes) app.route({ method, url, schema, handler: noHandler });
  await app.ready();
  const text = JSON.stringify(app.swagger());
  await app.close();
  return text;
}

async function noHandler(): Promise<undefined> {
  return undefined;
}
