import type { ClaimIntent } from '@moorage/core';
import { type Members, memberOf, textMember } from './json-members.ts';
import type { Problem } from './payload-context.ts';

/** An empty payload: no secret, for as long as configured. Section 5.1 */
export const OPEN_CLAIM: ClaimIntent = { kind: 'claim', secretKey: '', durationMs: null };

/** A claim; a duration that is not positive is the configured one. Section 5.1 */
export function claimOf(secretKey: string, durationMs: number | null): ClaimIntent {
  const usable = durationMs !== null && durationMs > 0 && durationMs <= Number.MAX_SAFE_INTEGER;
  return { kind: 'claim', secretKey, durationMs: usable ? Math.trunc(durationMs) : null };
}

function duration(value: unknown): number | null | undefined {
  if (value === null || typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : undefined;
}

/** `{"secretKey":"value","durationMs":60000}`, both optional. Section 5.1 */
export function decodeClaim(members: Members): ClaimIntent | Problem {
  const secretKey = textMember(members, 'secretKey');
  const durationMs = duration(memberOf(members, 'durationMs'));
  if (secretKey === undefined) return { problem: 'The member secretKey is no text.' };
  if (durationMs === undefined) return { problem: 'The member durationMs is no number of milliseconds.' };
  return claimOf(secretKey ?? '', durationMs);
}
