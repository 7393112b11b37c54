import type { ConnectCredential } from '@moorage/core';
import type { DeviceDesk, DeviceHttpAnswer, DeviceRequest } from '@moorage/dialect-api';
import { signatureOf } from '../push/signature.ts';
import { application, examples, hmacSha256Base64, lookupOf, type TestDialect } from './tools.ts';

/** A request as a client of the open API makes it; what is left out is right. */
export interface ClientRequest {
  readonly method?: 'GET' | 'POST';
  readonly target: string;
  /** An object is sent as compact JSON. */
  readonly body?: string | object;
  /** What is signed in place of it. */
  readonly signedBody?: string;
  readonly signedUrl?: string;
  readonly nonce?: string;
  readonly appId?: string;
  readonly secret?: string;
  readonly signature?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly scheme?: 'http' | 'https';
  readonly peerAddress?: string;
}

export interface ClientAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
  readonly body: any;
}

const HOST = 'iot.example.com';

/** Calls the routes of a dialect without a server. */
export class OpenApiClient {
  readonly test: TestDialect;
  readonly refusals: string[] = [];
  readonly #credentials: readonly ConnectCredential[];

  constructor(test: TestDialect, ...credentials: readonly ConnectCredential[]) {
    this.test = test;
    this.#credentials = credentials.length === 0 ? [application()] : credentials;
  }

  get(target: string): Promise<ClientAnswer> {
    return this.call({ target });
  }

  post(target: string, body: string | object, more: Partial<ClientRequest> = {}): Promise<ClientAnswer> {
    return this.call({ method: 'POST', target, body, ...more });
  }

  async call(request: ClientRequest): Promise<ClientAnswer> {
    const { method = 'GET', target, scheme = 'https', peerAddress = '10.0.0.1', headers = {} } = request;
    const text = typeof request.body === 'object' ? JSON.stringify(request.body) : (request.body ?? '');
    const nonce = request.nonce ?? String(this.test.now);
    const url = request.signedUrl ?? `https://${HOST}${target}`;
    const signed = request.signedBody ?? (text === '' ? '{}' : text);
    const secret = request.secret ?? examples.appSecret;
    const signature = request.signature ?? signatureOf(hmacSha256Base64, secret, { nonce, method, url, body: signed });
    const [path = ''] = target.split('?', 1);
    const { route, parameters } = this.#find(method, path);
    const deviceRequest: DeviceRequest = {
      parameters,
      query: [...new URLSearchParams(target.split('?')[1] ?? '')],
      body: new TextEncoder().encode(text),
      remoteAddress: peerAddress,
      peerAddress,
      target,
      scheme,
      headers: {
        host: HOST,
        'x-access-id': request.appId ?? examples.appId,
        'x-access-nonce': nonce,
        'x-access-signature': signature,
        ...headers,
      },
      onGone: () => {},
    };
    return shown(await route.handle(deviceRequest, this.#desk()));
  }

  /** The answer to a body over the limit of a route. */
  tooLarge(path: string): { readonly limit: number; readonly answer: ClientAnswer } {
    const { route } = this.#find('POST', path);
    return { limit: route.bodyLimit, answer: shown(route.tooLarge(route.bodyLimit)) };
  }

  /** As the server does: fixed levels before parameters. */
  #find(method: string, path: string) {
    const levels = path.split('/');
    const routes = [...this.test.dialect.httpRoutes].sort((a, b) => parametersIn(a.path) - parametersIn(b.path));
    for (const route of routes) {
      const pattern = route.path.split('/');
      if (route.method !== method || pattern.length !== levels.length) continue;
      const parameters: Record<string, string> = {};
      const fits = pattern.every((level, at) => {
        if (!level.startsWith(':')) return level === levels[at];
        parameters[level.slice(1)] = decodeURIComponent(levels[at] ?? '');
        return true;
      });
      if (fits) return { route, parameters };
    }
    throw new TypeError(`no route ${method} ${path}`);
  }

  #desk(): DeviceDesk {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const notAsked = (): never => {
      throw new TypeError('not asked for');
    };
    return {
      credentials: lookupOf(...this.#credentials),
      now: () => this.test.now,
      text: (payload) => {
        try {
          return decoder.decode(payload);
        } catch {
          return undefined;
        }
      },
      refused: async (address, name, reason) => void this.refusals.push(`${address} ${name} ${reason}`),
      submit: notAsked,
      attributes: notAsked,
      listen: notAsked,
      clientRpc: notAsked,
      provision: notAsked,
      download: notAsked,
      after: notAsked,
    };
  }
}

function parametersIn(path: string): number {
  return path.split(':').length;
}

function shown({ status, body }: DeviceHttpAnswer): ClientAnswer {
  if (typeof body !== 'string') throw new TypeError('the open API answers with JSON text');
  return { status, body: JSON.parse(body) };
}
