import { ADMIN_EMAIL, ADMIN_PASSWORD, type MoorageProcess } from './moorage-process.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  /** Parsed body, or undefined when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into
  readonly body: any;
}

/** Calls the HTTP API as the first administrator. */
export class ApiClient {
  readonly #server: MoorageProcess;
  #token = '';

  constructor(server: MoorageProcess) {
    this.#server = server;
  }

  async login(email = ADMIN_EMAIL, password = ADMIN_PASSWORD): Promise<ApiAnswer> {
    const answer = await this.call('POST', '/api/auth/login', { username: email, password });
    this.#token = answer.body?.token ?? '';
    return answer;
  }

  async call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const response = await fetch(this.#server.baseUrl + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(this.#token === '' ? {} : { 'x-authorization': `Bearer ${this.#token}` }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: parse(text) };
  }

  /** A new ThingsBoard device; resolves with its identifier. */
  async createDevice(name: string, accessToken: string): Promise<string> {
    const answer = await this.call('POST', `/api/device?accessToken=${encodeURIComponent(accessToken)}`, { name });
    if (answer.status !== 200) throw new Error(`device ${name}: ${answer.status} ${answer.text}`);
    return answer.body.id.id;
  }

  async createPlainDevice(name: string, username: string, password: string): Promise<string> {
    const answer = await this.call('POST', '/api/device-with-credentials', {
      device: { name },
      credentials: {
        credentialsType: 'PLAIN',
        credentialsId: username,
        credentialsValue: JSON.stringify({ username, password, clientId: null }),
      },
    });
    if (answer.status !== 200) throw new Error(`device ${name}: ${answer.status} ${answer.text}`);
    return answer.body.id.id;
  }

  /** Latest values in their own types. */
  async latest(deviceId: string, keys?: string): Promise<Record<string, { ts: number; value: unknown }[]>> {
    const query = keys === undefined ? '' : `&keys=${encodeURIComponent(keys)}`;
    const answer = await this.call(
      'GET',
      `/api/plugins/telemetry/DEVICE/${deviceId}/values/timeseries?useStrictDataTypes=true${query}`,
    );
    if (answer.status !== 200) throw new Error(`latest: ${answer.status} ${answer.text}`);
    return answer.body;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
