import { type DeviceCoapAnswer, encodeText, type ListeningEnd, type SubmitOutcome } from '@moorage/dialect-api';

/** application/json. RFC 7252, 12.3 */
const JSON_FORMAT = 50;
export const OCTET_STREAM_FORMAT = 42;

/** An answer without a payload. */
export function code(value: string): DeviceCoapAnswer {
  return { code: value, contentFormat: null, body: null };
}

export function jsonAnswer(value: string, body: string): DeviceCoapAnswer {
  return { code: value, contentFormat: JSON_FORMAT, body: encodeText(body) };
}

/** Section 10; a full disk is no fault of the request, which may be repeated later. */
const REFUSALS: Readonly<Record<Exclude<SubmitOutcome, 'stored'>, string>> = {
  full: '5.03',
  failed: '5.00',
  throttled: '5.00',
};

export function outcomeCode(submitted: SubmitOutcome, stored: string): DeviceCoapAnswer {
  return code(submitted === 'stored' ? stored : REFUSALS[submitted]);
}

/** The last answer of an observation that ended by itself. Section 10 */
const ENDS: Readonly<Record<ListeningEnd, string>> = {
  replaced: '2.02',
  deviceDeleted: '4.04',
  credentialsChanged: '4.01',
  stopping: '5.03',
};

export function observationEnded(why: ListeningEnd): DeviceCoapAnswer {
  return code(ENDS[why]);
}
