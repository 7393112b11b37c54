import { type ConnectCredential, parseJson } from '@moorage/core';
import type { DeviceDesk, DeviceHttpAnswer, DeviceHttpRoute, DeviceRequest } from '@moorage/dialect-api';
import { type Applications, credentialOf, type SensoroApplication, secretsOf } from '../applications.ts';
import { info, invalidJson } from './answers.ts';
import type { FirstAnswers } from './first-answers.ts';
import type { RequestRate } from './request-rate.ts';
import { type AccessHeaders, accessHeaders, type RequestSignature } from './request-signature.ts';

/** Bytes. sensoro.md, 6 */
const BODY_LIMIT = 262_144;

/** A call whose application is known for certain. */
export interface OpenApiCall {
  readonly application: SensoroApplication;
  readonly parameters: DeviceRequest['parameters'];
  readonly query: DeviceRequest['query'];
  /** Parsed JSON of a POST. */
  readonly body: unknown;
}

export interface GateOptions {
  readonly applications: Applications;
  readonly signature: RequestSignature;
  readonly rate: RequestRate;
  readonly answers: FirstAnswers;
  /** Milliseconds that a nonce may differ from the clock; 0: any. */
  readonly nonceWindowMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

type Handle = (call: OpenApiCall) => Promise<DeviceHttpAnswer>;

interface Signed {
  readonly application: SensoroApplication;
  readonly access: AccessHeaders;
}

/** Lets signed calls through to their routes: signature, rate, nonce, repetition, JSON, in this order. sensoro.md, 4.7 */
export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  route(method: 'GET' | 'POST', path: string, handle: Handle): DeviceHttpRoute {
    return {
      method,
      path,
      bodyLimit: BODY_LIMIT,
      tooLarge: () => info('tooLarge'),
      handle: (request, desk) => this.#admit(request, desk, method, handle),
    };
  }

  async #admit(request: DeviceRequest, desk: DeviceDesk, method: string, handle: Handle): Promise<DeviceHttpAnswer> {
    const { rate, answers } = this.#options;
    const signed = await this.#signed(request, desk, method);
    if (signed === null) return info('signature');
    const { application, access } = signed;
    if (!rate.take(application.appId)) return info('rate');
    if (!this.#isTimely(access.nonce)) return info('nonce');
    const { parameters, query } = request;
    if (method === 'GET') return handle({ application, parameters, query, body: null });
    return answers.get(`${application.id} ${access.nonce} ${access.signature}`, async () => {
      const text = desk.text(request.body);
      const body = text === undefined ? undefined : parseJson(text);
      return body === undefined ? invalidJson() : handle({ application, parameters, query, body });
    });
  }

  async #signed(request: DeviceRequest, desk: DeviceDesk, method: string): Promise<Signed | null> {
    const access = accessHeaders(request);
    const credential = access === undefined ? undefined : credentialOf(access.appId, desk.credentials);
    const application = credential === undefined ? undefined : this.#options.applications.of(credential);
    if (access !== undefined && credential !== undefined && application !== undefined) {
      if (this.#matches(request, method, access, credential)) return { application, access };
    }
    const appId = access?.appId ?? '';
    await desk.refused(
      request.remoteAddress,
      appId,
      `Wrong signature of a request to ${request.target ?? 'the open API'}.`,
    );
    return null;
  }

  #matches(request: DeviceRequest, method: string, access: AccessHeaders, credential: ConnectCredential): boolean {
    const { signature, now } = this.#options;
    return signature.matches(request, method, access, secretsOf(credential, now()));
  }

  #isTimely(nonce: string): boolean {
    if (!/^\d{1,16}$/.test(nonce)) return false;
    const { nonceWindowMs, now } = this.#options;
    return nonceWindowMs === 0 || Math.abs(now() - Number(nonce)) <= nonceWindowMs;
  }
}
