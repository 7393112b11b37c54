import type { DeviceDesk, DeviceHttpRoute } from '@moorage/dialect-api';
import type { FakeTime } from '@moorage/testkit';

export const DEVICE_TOKEN = '0123456789ABCDEF0123456789ABCDEF';
export const API_TOKEN = 'FEDCBA9876543210FEDCBA9876543210';

export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
  /** Parsed text, or undefined where it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
  readonly body: any;
}

type Headers = Readonly<Record<string, string>>;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sends requests to routes as an adapter hands them over. */
export abstract class RestClient {
  abstract readonly time: FakeTime;
  abstract readonly routes: readonly DeviceHttpRoute[];
  abstract readonly credentials: DeviceDesk['credentials'];
  readonly refusals: string[] = [];

  #desk(): DeviceDesk {
    const notAsked = () => Promise.reject(new TypeError('not asked'));
    return {
      credentials: this.credentials,
      now: () => this.time.now(),
      text(payload) {
        try {
          return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
        } catch {
          return undefined;
        }
      },
      refused: async (_address, name, reason) => void this.refusals.push(`${name} ${reason}`),
      submit: notAsked,
      attributes: notAsked,
      listen: () => ({ close: () => undefined }),
      clientRpc: notAsked,
      provision: notAsked,
      download: notAsked,
      after: (delayMs, task) => this.time.after(delayMs, task),
    };
  }

  find(method: string, path: string): { readonly route: DeviceHttpRoute; readonly id: string | undefined } {
    const levels = path.split('/');
    for (const route of this.routes) {
      const pattern = route.path.split('/');
      const fits = pattern.every((level, index) => (level === ':id' ? levels[index] !== '' : level === levels[index]));
      if (route.method !== method || pattern.length !== levels.length || !fits) continue;
      const id = levels[pattern.indexOf(':id')];
      return { route, id: pattern.includes(':id') && id !== undefined ? decodeURIComponent(id) : undefined };
    }
    throw new TypeError(`no route for ${method} ${path}`);
  }

  /** A request as it is, with nothing added to its headers. */
  async send(method: string, path: string, headers: Headers, body: string | Uint8Array = ''): Promise<Answer> {
    const { route, id } = this.find(method, path);
    const answer = await route.handle(
      {
        parameters: id === undefined ? {} : { id },
        query: [],
        body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
        remoteAddress: '192.0.2.1',
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        onGone: () => undefined,
      },
      this.#desk(),
    );
    const text = typeof answer.body === 'string' ? answer.body : '';
    return { status: answer.status, contentType: answer.contentType, text, body: parsed(text) };
  }

  /** A call of the REST API with the right token, a second after the one before. */
  call(method: string, path: string, body: object | string = '', headers: Headers = {}): Promise<Answer> {
    this.time.advance(1000);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.send(method, `/v2/${path}`, { 'X-APITOKEN': API_TOKEN, ...headers }, text);
  }

  get(path: string, headers: Headers = {}): Promise<Answer> {
    return this.call('GET', path, '', headers);
  }

  /** A message to the connector with the right token. */
  post(version: 1 | 2, deviceId: string, body: string | Uint8Array, headers: Headers = {}): Promise<Answer> {
    const all = { 'X-DEVICETOKEN': DEVICE_TOKEN, 'X-DEVICEID': deviceId, ...headers };
    return this.send('POST', `/post_v${version}/`, all, body);
  }
}
