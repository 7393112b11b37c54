import type { Authentication } from '@moorage/dialect-api';

/** The answer to an ordinary CONNECT, for which nothing is waited for. */
export function settled(answer: Authentication | Promise<Authentication>): Authentication {
  if (answer instanceof Promise) throw new TypeError('the answer was to be there at once');
  return answer;
}
