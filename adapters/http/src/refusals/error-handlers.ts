import type { FastifyReply, FastifyRequest } from 'fastify';
import { bareRefusal } from '../telemetry/telemetry-refusals.ts';
import { toFailure } from './failure.ts';
import type { Refusals } from './refusals.ts';
import { RequestRefusal } from './request-refusal.ts';

export type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** Answers whatever was thrown with an error object; what broke on our side is logged and not shown. */
export function errorObjectHandler(refusals: Refusals): ErrorHandler {
  return function handleError(error, request, reply) {
    const { status, errorCode, message, internal } = toFailure(error);
    if (internal) request.log.error({ err: error, route: request.routeOptions.url }, 'a request failed');
    reply.send(refusals.object(reply, status, errorCode, message));
  };
}

/** The same for the telemetry family, whose own refusals are bare sentences. thingsboard-server.md, 0.5 */
export function bareErrorHandler(refusals: Refusals): ErrorHandler {
  const otherwise = errorObjectHandler(refusals);
  return function handleError(error, request, reply) {
    if (error instanceof RequestRefusal && error.subject === 'other') {
      reply.send(bareRefusal(reply, error.statusCode, error.message));
    } else otherwise(error, request, reply);
  };
}
