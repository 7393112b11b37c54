import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { PointList, ValueKind } from '@moorage/core';
import { afterEach, describe, expect, it } from 'vitest';
import { sensoroWebhookKind } from './push/webhook-kind.ts';
import {
  application,
  device,
  examples,
  hmacSha256Base64,
  lookupOf,
  NEW_YEAR,
  normaliseUrl,
  openDialect,
  texts,
} from './testing/tools.ts';

/** As far as the demo receiver uses them. */
interface Request {
  readonly body: Readonly<Record<string, unknown>>;
  readonly originalUrl: string;
  get(name: string): string | undefined;
}
interface Response {
  status(code: number): Response;
  json(body: object): void;
}
interface Express {
  use(handler: unknown): void;
  post(path: string, handler: (request: Request, response: Response) => void): void;
  listen(port: number, host: string, done: () => void): Server;
}
const load = createRequire(import.meta.url);
const express: (() => Express) & { json(): unknown } = load('express');
const Decrypter: new (token: string, key: string, id: string) => { decrypt(text: string): object } =
  load('wechat-crypto');

/** The vendor's demo receiver: it parses the body, serialises it again, and checks the signature of that. */
class DemoReceiver {
  readonly decrypted: object[] = [];
  readonly bodies: Readonly<Record<string, unknown>>[] = [];
  readonly #server: Server;

  private constructor(app: Express, server: Server) {
    this.#server = server;
    const decrypter = new Decrypter(examples.appSecret, examples.appKey, examples.appId);
    app.use(express.json());
    app.post('/sensoro/webhooks', (request, response) => {
      const { body } = request;
      const scheme = request.get('x-forwarded-proto') ?? 'http';
      const url = `${scheme}://${request.get('host')}${request.originalUrl}`;
      const text = `${request.get('x-access-nonce')}POST${url}${JSON.stringify(body)}`;
      if (hmacSha256Base64(examples.appSecret, text) !== request.get('x-access-signature')) {
        response.status(400).json({ info: 'Invalid signature' });
        return;
      }
      if (typeof body.sn !== 'string' || (body.data === undefined && body.encryptData === undefined)) {
        response.status(400).json({ info: 'No sn or data.' });
        return;
      }
      this.bodies.push(body);
      if (typeof body.encryptData === 'string') this.decrypted.push(decrypter.decrypt(body.encryptData));
      response.status(200).json({ message: 'success' });
    });
  }

  static open(): Promise<DemoReceiver> {
    const app = express();
    return new Promise((resolve) => {
      const server = app.listen(0, '127.0.0.1', () => resolve(new DemoReceiver(app, server)));
    });
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not listening');
    return `http://127.0.0.1:${address.port}/sensoro/webhooks?from=x#part`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

let receiver: DemoReceiver | null = null;
afterEach(async () => {
  await receiver?.close();
  receiver = null;
});

describe('the receiver of the vendor', () => {
  it('SEN-25 SEN-50 accepts plain and safe pushes, whose body it serialises again before it checks the signature', async () => {
    receiver = await DemoReceiver.open();
    const list = new PointList();
    list.add(5, 'temperature', ValueKind.Double, 20);
    list.add(5, '7', ValueKind.Double, 1e21);
    list.add(5, 'text', ValueKind.String, '😀\u2028"/');
    list.add(5, 'nested', ValueKind.Json, '{"b":1.0,"1":[2.50,9007199254740993]}');
    const data = { 7: 1e21, temperature: 20, text: '😀\u2028"/', nested: { 1: [2.5, 9_007_199_254_740_992], b: 1 } };
    for (const pushMode of ['plain', 'safe']) {
      const credential = application({ configuration: { pushMode, webhookUrl: receiver.url } });
      const upload = {
        device: device(1),
        attributes: texts({ 'sensoro.sn': examples.sn }),
        points: list,
        receivedAt: NEW_YEAR,
      };
      const [push] = openDialect().dialect.pushes.encode(credential, upload);
      const message = push?.webhook ?? null;
      if (message === null) throw new TypeError('no webhook');
      const kind = sensoroWebhookKind({ credentials: lookupOf(credential), hmacSha256Base64, normaliseUrl });
      const headers = { ...kind.sign(message, NEW_YEAR)?.headers, 'content-type': message.contentType };
      const send = (body: Uint8Array) => fetch(message.url, { method: 'POST', headers, body: new Uint8Array(body) });
      const answer = await send(message.body);
      expect([answer.status, await answer.json()]).toEqual([200, { message: 'success' }]);
      const changed = new TextEncoder().encode(new TextDecoder().decode(message.body).replace('text', 'test'));
      expect((await send(changed)).status).toBe(400);
    }
    const [plain, safe] = receiver.bodies;
    expect(plain).toMatchObject({ sn: examples.sn, data });
    expect(safe).not.toHaveProperty('data');
    expect(receiver.decrypted).toEqual([{ message: JSON.stringify(data), id: examples.appId }]);
  });
});
