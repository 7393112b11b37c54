import type { DeviceHttpAnswer } from '@moorage/dialect-api';
import type { FastifyReply } from 'fastify';
import { PayloadStream } from './payload-stream.ts';

/** Sends the answer of a route; a payload that is pulled is closed in any case. */
export function sendAnswer(reply: FastifyReply, { status, contentType, headers, body }: DeviceHttpAnswer): void {
  reply.code(status);
  if (headers !== undefined) reply.headers(headers);
  if (body === null) {
    reply.send();
    return;
  }
  reply.type(contentType ?? 'application/octet-stream');
  if (typeof body === 'string') reply.send(body);
  else if (body instanceof Uint8Array) reply.send(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  else reply.header('content-length', body.length).send(new PayloadStream(body));
}

/** Lets go of an answer that nobody will get. */
export function dropAnswer({ body }: DeviceHttpAnswer): void {
  if (body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) body.close();
}
