import { parseValue } from '../registry/credentials/value-text.ts';
import { type Value, ValueKind } from '../values/value.ts';

/** Attribute that holds an open window: `{"secretKey","expirationTime"}`. thingsboard-device.md, 5.1 */
export const CLAIMING_DATA = 'claimingData';
/** Attribute that allows claiming where it is closed by default. */
export const CLAIMING_ALLOWED = 'claimingAllowed';

/** The time in which a device may be claimed by who knows the secret. */
export interface ClaimWindow {
  readonly secretKey: string;
  /** Epoch milliseconds. */
  readonly expirationTime: number;
  /** The device opened it, so a wrong secret closes it; one that a user wrote stays. */
  readonly byDevice: boolean;
}

/** The window as an attribute. `openedBy` is a member of our own. */
export function windowValue({ secretKey, expirationTime, byDevice }: ClaimWindow): Value {
  const origin = byDevice ? { openedBy: 'device' } : {};
  return { kind: ValueKind.Json, value: JSON.stringify({ secretKey, expirationTime, ...origin }) };
}

/** null: the attribute is missing or is no window. A user may also have written it as text. */
export function windowOf(value: Value | undefined): ClaimWindow | null {
  if (value === undefined || typeof value.value !== 'string') return null;
  const data = parseValue(value.value);
  if (data === undefined) return null;
  const { secretKey, expirationTime, openedBy } = data;
  if (typeof expirationTime !== 'number') return null;
  if (typeof secretKey !== 'string' && secretKey !== undefined && secretKey !== null) return null;
  return { secretKey: secretKey ?? '', expirationTime, byDevice: openedBy === 'device' };
}

export function isAllowed(value: Value | undefined): boolean {
  return value?.kind === ValueKind.Boolean && value.value === true;
}
