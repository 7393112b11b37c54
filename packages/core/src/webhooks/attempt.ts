import type { OutboxEntry } from '../ports/outbox-store.ts';
import type { WebhookAttempt, WebhookKind, WebhookSender, WebhookSigning } from './webhook.ts';

/** What one attempt came to. */
export type AttemptOutcome =
  | { readonly kind: 'delivered' }
  /** Whoever was to be told is gone. */
  | { readonly kind: 'unwanted' }
  /** The receiver asked for no more. */
  | { readonly kind: 'suspended'; readonly reason: string }
  /** `final`: a further attempt is of no use. */
  | { readonly kind: 'failed'; readonly reason: string; readonly final: boolean };

const MAX_REASON = 200;

/** Signs a message and sends it once. `now` goes to the signer. Never rejects. */
export async function attemptOnce(
  entry: OutboxEntry,
  kind: WebhookKind,
  sender: () => Promise<WebhookSender>,
  now: number,
  report: (error: unknown) => void,
): Promise<AttemptOutcome> {
  const { message } = entry;
  let signing: WebhookSigning | null;
  try {
    signing = kind.sign(message, now);
  } catch (error) {
    report(error);
    return { kind: 'failed', reason: 'the request could not be signed', final: false };
  }
  if (signing === null) return { kind: 'unwanted' };
  const headers = { 'Content-Type': message.contentType, ...signing.headers };
  const { timeoutMs, suspendOn } = kind.policy;
  try {
    const way = await sender();
    return outcomeOf(await way.send({ url: message.url, headers, body: message.body, timeoutMs }), suspendOn);
  } catch (error) {
    report(error);
    return { kind: 'failed', reason: 'the request could not be sent', final: false };
  }
}

function outcomeOf(attempt: WebhookAttempt, suspendOn: number | null): AttemptOutcome {
  if (attempt.kind !== 'status') {
    return { kind: 'failed', reason: attempt.reason.slice(0, MAX_REASON), final: attempt.kind === 'refused' };
  }
  const { status } = attempt;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `the receiver answered ${status}`;
  return status === suspendOn ? { kind: 'suspended', reason } : { kind: 'failed', reason, final: false };
}
