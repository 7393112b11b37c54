import { isIP } from 'node:net';
import type { WebhookAttempt, WebhookSender } from '@moorage/core';
import { Agent, type Dispatcher } from 'undici';
import { failureText, isBadRequest } from './failure-text.ts';
import { AddressRefused, guardedConnector, isAllowed, type ResolvedAddress } from './guarded-connector.ts';

export interface WebhookSenderOptions {
  /** Also ask addresses of this machine and of private networks. Link-local and reserved ones are never asked. */
  readonly allowPrivateAddresses: boolean;
  /** Asks DNS; by default the system. */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>;
  /** Authorities that are trusted, in PEM; by default those of the system. */
  readonly ca?: string;
}

const USER_AGENT = 'Moorage';
const MAX_RESPONSE_BYTES = 65_536;
/** How long the rest of a response is waited for, so that its connection can be used again. */
const DRAIN_MS = 1_000;
const CLOSE_MS = 200;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 4_000;
const KEEP_ALIVE_MAX_MS = 60_000;
const CONNECTIONS_PER_ORIGIN = 64;
const MAX_ORIGINS = 1_024;
const MAX_HEADER_BYTES = 16_384;

const REFUSED_ADDRESS: WebhookAttempt = { kind: 'refused', reason: 'the address is private or reserved' };

/** Sends webhooks with undici: HTTP/1.1, no redirects, no proxy, no address inside unless that is allowed. */
export class UndiciWebhookSender implements WebhookSender {
  readonly #allowPrivateAddresses: boolean;
  readonly #agent: Agent;

  constructor({ allowPrivateAddresses, resolve, ca }: WebhookSenderOptions) {
    this.#allowPrivateAddresses = allowPrivateAddresses;
    this.#agent = new Agent({
      connect: guardedConnector({ allowPrivateAddresses, connectTimeoutMs: CONNECT_TIMEOUT_MS, resolve, ca }),
      // Header names would be written in lower case with HTTP/2.
      allowH2: false,
      connections: CONNECTIONS_PER_ORIGIN,
      maxOrigins: MAX_ORIGINS,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
  }

  async send(request: Parameters<WebhookSender['send']>[0]): Promise<WebhookAttempt> {
    const { headers, body, timeoutMs } = request;
    const url = URL.parse(request.url);
    if (url === null) return { kind: 'refused', reason: 'the address cannot be read' };
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      return { kind: 'refused', reason: 'the address is not one of http or https' };
    }
    if (url.username !== '' || url.password !== '') {
      return { kind: 'refused', reason: 'the address must not have a user name or a password' };
    }
    // Any spelling of an IPv4 address is in its usual form here.
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !isAllowed(host, this.#allowPrivateAddresses)) return REFUSED_ADDRESS;
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    // A request that waits for its connection does not hear of the abort before it would be written.
    const late = new Promise<WebhookAttempt>((resolve) => {
      timer = setTimeout(() => {
        resolve({ kind: 'failed', reason: `no answer within ${timeoutMs / 1_000} s` });
        abort.abort();
      }, timeoutMs);
    });
    try {
      return await Promise.race([this.#post(url, headers, body, abort.signal, () => clearTimeout(timer)), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
    onStatus: () => void,
  ): Promise<WebhookAttempt> {
    try {
      const { statusCode, body: response } = await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers: { 'User-Agent': USER_AGENT, ...headers },
        body,
        signal,
        // The caller's timer sees to both.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      onStatus();
      await drain(response);
      return { kind: 'status', status: statusCode };
    } catch (error) {
      if (error instanceof AddressRefused) return REFUSED_ADDRESS;
      return isBadRequest(error)
        ? { kind: 'refused', reason: 'the request is not valid HTTP' }
        : { kind: 'failed', reason: failureText(error) };
    }
  }

  /** Ends all connections; requests under way fail. One that is only being opened may take its time behind it. */
  async close(): Promise<void> {
    const destroyed = this.#agent.destroy();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([destroyed, late]);
    clearTimeout(timer);
  }
}

/** Reads the rest of a response, up to a size and for a moment, and drops it. Never rejects: the status is known. */
async function drain(response: Dispatcher.ResponseData['body']): Promise<void> {
  const timer = setTimeout(() => response.destroy(), DRAIN_MS);
  try {
    let bytes = 0;
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > MAX_RESPONSE_BYTES) break;
    }
  } catch {
    // The receiver said what it had to say with the status.
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
}
