import { NAMED_SCHEMAS } from '@moorage/api-types';
import { type FastifyInstance, type FastifySchema, fastify, type RouteOptions } from 'fastify';
import { schemaController, validatorCompiler } from '../validation/compilers.ts';
import { finishDocument, type OpenApiDocument, type RequestBody } from './finish-document.ts';
import { TAGS } from './tags.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** What the document says of the request body, where `body` is not the whole truth: optional, or not JSON. */
    readonly documentedBody?: RequestBody;
  }
}

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
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [...TAGS],
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
  const document = app.swagger();
  await app.close();
  finishDocument(document as unknown as OpenApiDocument, documentedBodies(routes));
  return JSON.stringify(document);
}

function documentedBodies(routes: readonly DocumentedRoute[]): ReadonlyMap<string, RequestBody> {
  const bodies = new Map<string, RequestBody>();
  for (const { schema } of routes) {
    const { operationId, documentedBody } = schema;
    if (operationId !== undefined && documentedBody !== undefined) bodies.set(operationId, documentedBody);
  }
  return bodies;
}

async function noHandler(): Promise<undefined> {
  return undefined;
}
