import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute } from '@moorage/dialect-api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiServer } from '../api-context.ts';
import { BodyMemory, HeldBody, LONG_BODIES_BYTES } from './body-memory.ts';
import { DeviceExchange } from './device-exchange.ts';
import { BodyRefusal, readBody } from './read-body.ts';
import { sendAnswer } from './send-answer.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of a path that a dialect declares. */
    deviceRoute?: DeviceHttpRoute;
  }
}

/** The HTTP APIs of the dialects' devices and what they work with. */
export interface DeviceApi {
  readonly routes: readonly DeviceHttpRoute[];
  /** Ends the polls that are under way when the server stops, before the server is closed. */
  readonly desk: DeviceDesk;
}

/**
 * Mounts the routes that dialects declare. They are not in the OpenAPI document: each is described by its vendor. Their
 * paths have credentials in them, so nothing here logs a path.
 */
export function mountDeviceRoutes(app: ApiServer, { routes, desk }: DeviceApi): void {
  if (routes.length === 0) return;
  const memory = new BodyMemory(LONG_BODIES_BYTES);
  for (const together of byVendor(routes)) mountTogether(app, together, desk, memory);
}

/** Paths of one vendor begin alike; those of several have nothing in common, unless it is the API's own first level. */
function byVendor(routes: readonly DeviceHttpRoute[]): readonly (readonly DeviceHttpRoute[])[] {
  return [
    ...Map.groupBy(routes, ({ path }) => {
      const [, first, second] = path.split('/', 3);
      return first === 'api' ? `${first}/${second}` : first;
    }).values(),
  ];
}

function mountTogether(app: ApiServer, routes: readonly DeviceHttpRoute[], desk: DeviceDesk, memory: BodyMemory): void {
  const prefix = commonPrefix(routes.map(({ path }) => path));
  // One scope for all: a scope for each route costs 80 KiB.
  app.register(
    async (scope: ApiServer) => {
      // Without it an unknown path would be answered for the users' API, which asks for a token first.
      if (prefix !== '') scope.setNotFoundHandler(async (_request, reply) => reply.code(404).send());
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', async (request: FastifyRequest) => {
        const route = routeOf(request);
        // What is sent to an unknown path is not read.
        return route === undefined ? null : readBody(request.raw, route.bodyLimit, memory);
      });
      scope.addHook('onRequest', ignoreContentType);
      scope.setErrorHandler(refuse);
      for (const route of routes) mount(scope, route, route.path.slice(prefix.length), desk);
    },
    { prefix },
  );
}

function mount(scope: ApiServer, route: DeviceHttpRoute, url: string, desk: DeviceDesk): void {
  scope.route({
    method: route.method,
    url,
    schema: { hide: true },
    config: { deviceRoute: route },
    handler(request, reply) {
      void new DeviceExchange(request, reply, route).run(desk, request.body instanceof HeldBody ? request.body : null);
    },
  });
}

/** The declaration that a request is for; undefined: it is for none. */
function routeOf(request: Pick<FastifyRequest, 'routeOptions'>): DeviceHttpRoute | undefined {
  return request.routeOptions.config.deviceRoute;
}

/** Devices send all kinds of content types, also wrong ones, and none at all. */
function ignoreContentType(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  delete request.headers['content-type'];
  done();
}

const NO_MEMORY: DeviceHttpAnswer = { status: 503, contentType: null, body: null };

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const route = routeOf(request);
  if (error instanceof BodyRefusal && route !== undefined) {
    sendAnswer(reply, error.kind === 'tooLarge' ? route.tooLarge(route.bodyLimit) : NO_MEMORY);
    return;
  }
  request.log.error({ err: error, route: route?.path }, 'a request of a device failed');
  reply.code(500).send();
}

/** The levels that all paths begin with, of those that are no parameters. */
function commonPrefix(paths: readonly string[]): string {
  const [first = '', ...others] = paths;
  const levels = first.split('/').slice(1, -1);
  let prefix = '';
  for (const level of levels) {
    const longer = `${prefix}/${level}`;
    if (level.startsWith(':') || !others.every((path) => path.startsWith(`${longer}/`))) break;
    prefix = longer;
  }
  // There an unknown path is for the users' API to answer.
  return prefix === '/api' ? '' : prefix;
}
