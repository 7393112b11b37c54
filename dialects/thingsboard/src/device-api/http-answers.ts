import type { DeviceHttpAnswer, ListeningEnd, SubmitOutcome } from '@moorage/dialect-api';

/** An answer without a body. */
export function bare(status: number): DeviceHttpAnswer {
  return { status, contentType: null, body: null };
}

export function text(status: number, body: string): DeviceHttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

export function json(body: string): DeviceHttpAnswer {
  return { status: 200, contentType: 'application/json', body };
}

/** A JSON string that names the limit. Section 9 */
export function tooLarge(limit: number): DeviceHttpAnswer {
  return { ...json(JSON.stringify(`The request body has more than ${limit} bytes.`)), status: 413 };
}

/** 429 instead of the original's 500; 507: the disk is full. Section 9 */
const OUTCOMES: Readonly<Record<SubmitOutcome, number>> = { stored: 200, full: 507, failed: 500, throttled: 429 };

export function outcome(submitted: SubmitOutcome): DeviceHttpAnswer {
  return bare(OUTCOMES[submitted]);
}

/** What a poll is told that ended by itself. Section 9 */
export function pollEnded(why: ListeningEnd): DeviceHttpAnswer {
  switch (why) {
    case 'deviceDeleted':
      return text(403, 'Device was deleted!');
    case 'credentialsChanged':
      return bare(401);
    case 'stopping':
      return bare(503);
    default:
      // As if the time were over: the client asks again.
      return bare(408);
  }
}
