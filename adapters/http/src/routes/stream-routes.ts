import { Type } from 'typebox';
import type { ApiContext, ApiServer } from '../api-context.ts';
import { readAuthorization } from '../auth/authorization-header.ts';
import { EventStream } from '../websocket/event-stream.ts';
import { SessionAuth } from '../websocket/session-auth.ts';
import { DeviceParams, refusalResponses } from './operation.ts';

const tags = ['live'];

/** Live values over plain HTTP. api-additions.md, 3 */
export function registerStreamRoutes(app: ApiServer, context: ApiContext): void {
  const { platform, refusals, clock } = context;
  const { sessions, settings } = context.live;

  app.get(
    '/stream/devices/:deviceId',
    {
      schema: {
        operationId: 'streamDevice',
        tags,
        summary: 'Telemetry, attributes and events of a device as Server-Sent Events',
        description:
          'Events: `telemetry`, `attributes`, what happens to the device under its type (such as `connected`); `lost` when ' +
          'this reader was too slow, and `ended`.',
        params: DeviceParams,
        produces: ['text/event-stream'],
        response: {
          200: Type.Unsafe<string>({ type: 'string', description: 'Without end.' }),
          ...refusalResponses,
        },
      },
    },
    async (request, reply) => {
      if (sessions.full) return refusals.object(reply, 429, 33, 'Too many live connections');
      const auth = await SessionAuth.of(context, readAuthorization(request.headers), request.ip);
      if (auth === undefined) return refusals.object(reply, 401, 10, 'Authentication failed');
      const { raw } = reply;
      const { highWaterBytes } = settings;
      const ended = (one: EventStream): void => sessions.delete(one);
      const stream = new EventStream({ target: raw, auth, clock, highWaterBytes, ended });
      const interest = { telemetry: true, attributes: true, events: true };
      const watch = platform.live.watch(auth.caller, request.params.deviceId, interest, stream);
      if (!watch.ok) return refusals.platform(reply, watch);
      reply.hijack();
      raw.on('close', () => stream.gone());
      raw.on('drain', () => stream.drained());
      raw.on('error', () => undefined);
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) raw.setHeader(name, value);
      }
      raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
      sessions.add(stream);
      stream.begin(watch.value);
      if (raw.destroyed) stream.gone();
      return reply;
    },
  );

  const upgradeNeeded = async (_request: unknown, reply: Parameters<typeof refusals.object>[0]) =>
    refusals.object(reply, 426, 31, 'This path speaks WebSocket');
  for (const url of ['/ws', '/ws/*']) app.get(url, { schema: { hide: true } }, upgradeNeeded);
}
