import type { WebhookAttempt, WebhookSender } from '@moorage/core';

export type SentRequest = Parameters<WebhookSender['send']>[0];

/** A receiver for tests: keeps every request, and answers as `answer` says. */
export class ScriptedSender implements WebhookSender {
  readonly requests: SentRequest[] = [];
  /** By default 200 at once. */
  answer: (request: SentRequest) => WebhookAttempt | Promise<WebhookAttempt> = () => ({ kind: 'status', status: 200 });
  /** Requests without an answer yet, now and at most so far. */
  active = 0;
  mostActive = 0;
  closed = false;

  async send(request: SentRequest): Promise<WebhookAttempt> {
    this.requests.push(request);
    this.active += 1;
    this.mostActive = Math.max(this.mostActive, this.active);
    try {
      return await this.answer(request);
    } finally {
      this.active -= 1;
    }
  }

  /** Bodies of the requests as text, in order. */
  get bodies(): string[] {
    return this.requests.map(({ body }) => new TextDecoder().decode(body));
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
