import { RpcAccepted, RpcRequest } from '@moorage/api-types';
import type { RpcReply } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { readRpcRequest } from '../entities/rpc.ts';
import { ErrorCode } from '../refusals/refusals.ts';
import { rawBody } from '../telemetry/read-values.ts';
import { barePlatformRefusal, telemetryRefusalResponses } from '../telemetry/telemetry-refusals.ts';
import { DeviceParams } from './operation.ts';

const tags = ['rpc'];
/** Holds the largest params, whatever the number of bytes of a character. */
const BODY_LIMIT_BYTES = 1_048_576;
const JSON_TYPE = 'application/json; charset=utf-8';
/** Nobody hears it: the client has gone away. */
const CLIENT_CLOSED_REQUEST = 499;

/** What tells the two generations of paths apart. thingsboard-server.md, 4.2 */
export interface RpcStatusCodes {
  readonly version: 'V1' | 'V2';
  /** Sent, no answer in time; also: its time was past at once. */
  readonly timeout: number;
  /** Never sent. */
  readonly offline: number;
}

export const RPC_V1: RpcStatusCodes = { version: 'V1', timeout: 408, offline: 409 };
export const RPC_V2: RpcStatusCodes = { version: 'V2', timeout: 504, offline: 504 };

const answer = Type.Unsafe<string>({
  description:
    'The answer of the device, or the id of a persistent RPC; empty for a one-way call that was sent. A command that is ' +
    'published for whoever subscribes has no answer: `{"receivers":n}` tells how many it reached.',
  anyOf: [{ $ref: RpcAccepted.$id }, {}],
});

const empty = (description: string) => Type.Unsafe<undefined>({ type: 'null', description });

/** Calling methods of devices. thingsboard-server.md, 4.1 and 4.2 */
export function registerRpcCallRoutes(app: ApiServer, context: ApiContext, codes: RpcStatusCodes): void {
  const { refusals } = context;
  const { rpc } = context.platform;
  const { version, timeout, offline } = codes;

  const send = (reply: FastifyReply, outcome: RpcReply) => {
    switch (outcome.kind) {
      case 'answer':
        return outcome.json ? reply.type(JSON_TYPE).send(outcome.payload) : reply.code(406).send();
      case 'persistent':
        return reply.type(JSON_TYPE).send(JSON.stringify({ rpcId: outcome.rpcId }));
      case 'routed':
        return reply.type(JSON_TYPE).send(JSON.stringify({ receivers: outcome.receivers }));
      case 'tooLarge':
        return refusals.object(reply, 413, ErrorCode.badRequest, outcome.message);
      case 'sent':
        return reply.send();
      case 'timeout':
      case 'expired':
        return reply.code(timeout).send();
      case 'offline':
        return reply.code(offline).send();
      case 'abandoned':
        return reply.code(CLIENT_CLOSED_REQUEST).send();
      default:
        return outcome satisfies never;
    }
  };

  for (const oneway of [true, false]) {
    const [way, name] = oneway ? ['oneway', 'OneWay'] : ['twoway', 'TwoWay'];
    app.post(
      `/${way}/:deviceId`,
      {
        bodyLimit: BODY_LIMIT_BYTES,
        schema: {
          operationId: `handle${name}DeviceRPCRequest${version}`,
          tags,
          summary: oneway ? 'Call a method of a device without waiting for its answer' : 'Call a method of a device',
          description:
            `No answer in time: ${timeout}; no connection that listens: ${offline}; an answer that is not JSON: 406; ` +
            'all with an empty body. A command larger than the device can take: 413.',
          params: DeviceParams,
          body: rawBody(RpcRequest),
          response: {
            200: answer,
            406: empty('The device answered something that is not JSON.'),
            [offline]: empty('No connection of the device listened.'),
            [timeout]: empty(timeout === offline ? 'No answer in time, or nothing listened.' : 'No answer in time.'),
            ...telemetryRefusalResponses,
          },
        },
      },
      async (request, reply) => {
        const read = readRpcRequest(request.body, oneway);
        if (!read.ok) return refusals.badRequest(reply, read.message);
        const { deviceId } = request.params;
        const result = await rpc.call(callerOf(request), deviceId, read.value, (giveUp) => {
          if (reply.raw.closed) giveUp();
          else reply.raw.once('close', giveUp);
        });
        return result.ok ? send(reply, result.value) : barePlatformRefusal(reply, result);
      },
    );
  }
}
