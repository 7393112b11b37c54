import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute, DeviceRequest } from '@moorage/dialect-api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HeldBody } from './body-memory.ts';
import { dropAnswer, sendAnswer } from './send-answer.ts';

/** Longest time a request may take. thingsboard-device.md, 9 */
const MAXIMUM_WAIT_MS = 300_000;

const NO_BYTES = new Uint8Array(0);
const ABORTED: DeviceHttpAnswer = { status: 503, contentType: null, body: null };
const FAILED: DeviceHttpAnswer = { status: 500, contentType: null, body: null };

/** One request of a device: answered once, by its route or for the time it took, or left because the client has. */
export class DeviceExchange {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #route: DeviceHttpRoute;
  readonly #whenGone = new Set<() => void>();
  #state: 'waiting' | 'answered' | 'gone' = 'waiting';

  constructor(request: FastifyRequest, reply: FastifyReply, route: DeviceHttpRoute) {
    this.#request = request;
    this.#reply = reply;
    this.#route = route;
  }

  async run(desk: DeviceDesk, body: HeldBody | null): Promise<void> {
    const cancelLimit = desk.after(MAXIMUM_WAIT_MS, () => {
      if (this.#state !== 'waiting') return;
      this.#leave();
      sendAnswer(this.#reply, ABORTED);
    });
    this.#reply.raw.once('close', () => this.#leave());
    if (this.#reply.raw.destroyed) this.#leave();
    try {
      this.#answer(await this.#route.handle(this.#deviceRequest(body), desk));
    } catch (error) {
      this.#request.log.error({ err: error, route: this.#route.path }, 'a request of a device failed');
      this.#answer(FAILED);
    } finally {
      cancelLimit();
      body?.release();
    }
  }

  #answer(answer: DeviceHttpAnswer): void {
    if (this.#state !== 'waiting') {
      dropAnswer(answer);
      return;
    }
    this.#state = 'answered';
    this.#whenGone.clear();
    sendAnswer(this.#reply, answer);
  }

  /** The route's answer, if one comes, has nobody to go to. */
  #leave(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'gone';
    for (const task of this.#whenGone) task();
    this.#whenGone.clear();
  }

  #deviceRequest(body: HeldBody | null): DeviceRequest {
    const { params, url, ip, headers, raw } = this.#request;
    const query = url.indexOf('?');
    return {
      parameters: textsOf(params),
      query: query === -1 ? [] : [...new URLSearchParams(url.slice(query + 1))],
      body: body?.bytes ?? NO_BYTES,
      remoteAddress: ip,
      peerAddress: raw.socket.remoteAddress ?? ip,
      target: raw.url ?? url,
      scheme: 'encrypted' in raw.socket && raw.socket.encrypted === true ? 'https' : 'http',
      headers: { ...headers, 'content-type': contentTypeOf(raw.rawHeaders) },
      onGone: (task) => {
        if (this.#state === 'waiting') this.#whenGone.add(task);
        else if (this.#state === 'gone') task();
      },
    };
  }
}

/** As it was sent: it was taken out of the headers, so that nothing depends on it but a route that asks for it. */
function contentTypeOf(rawHeaders: readonly string[]): string | undefined {
  const index = rawHeaders.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-type');
  return index === -1 ? undefined : rawHeaders[index + 1];
}

/** The router has decoded them already. */
function textsOf(parameters: unknown): Record<string, string> {
  const texts: Record<string, string> = {};
  if (typeof parameters !== 'object' || parameters === null) return texts;
  for (const [name, value] of Object.entries(parameters)) if (typeof value === 'string') texts[name] = value;
  return texts;
}
