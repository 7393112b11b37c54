import { type Members, textMember } from './json-members.ts';
import type { Problem } from './payload-context.ts';

/** A method that the device calls; `params` is JSON text. Section 4.4 */
export interface ClientCall {
  readonly method: string;
  readonly params: string;
}

/** `{"method":"m","params":P}`; without params they are null. Section 4.4 */
export function decodeClientCall(members: Members): ClientCall | Problem {
  const method = textMember(members, 'method');
  if (method === null || method === undefined) return { problem: 'The call names no method.' };
  return { method, params: members.get('params') ?? 'null' };
}
