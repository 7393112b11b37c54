import type { Socket } from 'node:net';
import type { Clock } from '@moorage/core';

interface SocketError extends Error {
  readonly code?: string;
}

function statusOf(code: string | undefined): { readonly status: number; readonly reason: string } {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, reason: 'Request Timeout' };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, reason: 'Request Header Fields Too Large' };
    default:
      return { status: 400, reason: 'Bad Request' };
  }
}

/** Answers bytes that are not HTTP with an error object and closes the connection. */
export function clientErrorHandler(clock: Clock) {
  return function handleClientError(error: SocketError, socket: Socket): void {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const { status, reason } = statusOf(error.code);
    const body = JSON.stringify({ status, message: reason, errorCode: 31, timestamp: clock.now() });
    if (socket.writable) {
      socket.write(
        `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json; charset=utf-8\r\n` +
          `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
    }
    socket.destroy(error);
  };
}
