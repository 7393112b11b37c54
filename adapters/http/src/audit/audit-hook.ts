import { type AuditEntry, NULL_ID } from '@moorage/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import { actionOf, isRecorded, isSignIn, operationOf } from './audited-calls.ts';
import { namesEntity, subjectOf, textOf } from './call-subject.ts';
import { snippetOf } from './snippet.ts';

/** Answers are read for the id of what was made up to this size. */
const MAX_ANSWER_LENGTH = 65_536;
/** ThingsBoard's name of a log-in that was refused because of too many before it. */
const LOCKED = 'User account is locked due to security policy';

type Person = Pick<AuditEntry, 'tenantId' | 'customerId' | 'userId' | 'userName'>;

/**
 * A hook for every request of the server: whatever is called below `/api` is recorded when its answer is sent, unless it
 * is known to change nothing, so that no route can be forgotten. It never holds an answer up.
 */
export function auditHook({ platform, clock }: Pick<ApiContext, 'platform' | 'clock'>) {
  return function audit(
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error: null, payload: unknown) => void,
  ): void {
    try {
      const entry = isRecorded(request) && !request.is404 ? entryOf(request, reply, payload, clock.now()) : null;
      if (entry !== null) platform.audit.record(entry);
    } catch (error) {
      request.log.error(error, 'a call could not be recorded in the audit log');
    }
    done(null, payload);
  };
}

/** null: nobody did it. */
function entryOf(request: FastifyRequest, reply: FastifyReply, payload: unknown, ts: number): AuditEntry | null {
  const answer = answerOf(payload);
  const failed = reply.statusCode >= 400;
  const failure = failed ? (textOf(answer, 'message') ?? plainText(payload) ?? `HTTP ${reply.statusCode}`) : null;
  const person = personOf(request, failed ? null : answer);
  if (person === null) return null;
  const { body, params, query } = request;
  const signsIn = isSignIn(request);
  const subject = signsIn
    ? { entityType: 'USER', entityId: person.userId, entityName: person.userName }
    : subjectOf(request, params, failed ? null : answer, body);
  const action = actionOf(request, namesEntity(body));
  return {
    ts,
    ...ofOtherTenant(person, answer),
    ...subject,
    actionType: action === 'LOGIN' && failure === LOCKED ? 'LOCKOUT' : action,
    actionData: {
      operation: operationOf(request),
      ...(signsIn ? { clientAddress: request.ip } : {}),
      ...(isEmpty(params) ? {} : { params: snippetOf(params) }),
      ...(isEmpty(query) ? {} : { query: snippetOf(query) }),
      ...(isEmpty(body) ? {} : { body: snippetOf(body) }),
    },
    failure,
  };
}

function personOf(request: FastifyRequest, answer: unknown): Person | null {
  const { signedIn } = request;
  if (signedIn !== null) {
    const { userId, tenantId, customerId } = signedIn.caller;
    return { tenantId, customerId, userId, userName: signedIn.userName };
  }
  if (!isSignIn(request)) return null;
  const token = textOf(answer, 'token');
  if (token !== null) return personOfToken(token);
  const userName = textOf(request.body, 'username') ?? textOf(request.body, 'publicId');
  return { tenantId: null, customerId: NULL_ID, userId: null, userName };
}

/** Of a token that this server has just issued. */
function personOfToken(token: string): Person {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return {
    tenantId: textOf(claims, 'tenantId'),
    customerId: textOf(claims, 'customerId') ?? NULL_ID,
    userId: textOf(claims, 'userId'),
    userName: textOf(claims, 'sub'),
  };
}

/** What a system administrator does in a tenant, the tenant is to see. */
function ofOtherTenant(person: Person, answer: unknown): Person {
  if (person.tenantId !== NULL_ID || typeof answer !== 'object' || answer === null) return person;
  return { ...person, tenantId: textOf(Reflect.get(answer, 'tenantId'), 'id') ?? person.tenantId };
}

function answerOf(payload: unknown): unknown {
  if (typeof payload !== 'string' || payload.length > MAX_ANSWER_LENGTH || !/^\s*\{/.test(payload)) return null;
  try {
    return JSON.parse(payload);
  } catch {
    return null;
  }
}

/** Some families refuse with a bare sentence. */
function plainText(payload: unknown): string | null {
  return typeof payload === 'string' && payload !== '' && payload.length <= 255 ? payload : null;
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined || value === null || value === '';
  return !(value instanceof Uint8Array) && Object.keys(value).length === 0;
}
