import { type Result, refuse, success } from '../../errors.ts';
import type { Json, JsonObject } from '../../model/entities.ts';
import type { Crypto } from '../../ports/runtime.ts';
import { textMember } from '../credentials/value-text.ts';

const DAY_MS = 86_400_000;
const VALID_UNTIL = 'ValidUntil';

/** A member of the credentials of an application that is drawn where it is left out. */
export interface SecretRule {
  readonly member: string;
  /** Why a given value is refused, as the end of a sentence; null: it is fine. */
  problem(value: string): string | null;
  draw(crypto: Crypto): string;
  /** May be drawn anew on request. */
  readonly rotates: boolean;
}

export interface ReadSecrets {
  readonly values: Readonly<Record<string, string>>;
  readonly drawn: readonly string[];
}

/**
 * The members by their rules: as given, else as they were, else drawn. `rotate` among the given ones lists members that are
 * drawn anew.
 */
export function readSecrets(
  rules: readonly SecretRule[],
  given: JsonObject,
  current: JsonObject | null,
  crypto: Crypto,
): Result<ReadSecrets> {
  const rotate: Json = given.rotate ?? [];
  const rotating = rules.filter(({ rotates }) => rotates).map(({ member }) => member);
  const isKnown = (name: Json) => rotating.some((member) => member === name);
  if (!Array.isArray(rotate) || !rotate.every(isKnown)) {
    return refuse('invalidArguments', `rotate is not a list of some of: ${rotating.join(', ')}`);
  }
  const values: Record<string, string> = {};
  const drawn: string[] = [];
  for (const { member, problem, draw } of rules) {
    const text = textMember(given, member);
    if (text === undefined) return refuse('invalidArguments', `The ${member} is not a text`);
    const isRotated = rotate.includes(member);
    if (text !== null && isRotated) return refuse('invalidArguments', `The ${member} is given and to be drawn anew`);
    const known = text ?? (isRotated ? null : textMember(current ?? {}, member)) ?? null;
    const reason = text === null ? null : problem(text);
    if (reason !== null) return refuse('invalidArguments', `The ${member} ${reason}`);
    values[member] = known ?? draw(crypto);
    if (known === null) drawn.push(member);
  }
  return success({ values, drawn });
}

/** Name of the member that holds the value before the present one. */
export function previousOf(member: string): string {
  return `previous${member.charAt(0).toUpperCase()}${member.slice(1)}`;
}

/** Until when the value before the present one of a member holds, epoch milliseconds; null: there is none. */
export function previousUntil(credentials: JsonObject, member: string): number | null {
  const until = credentials[`${previousOf(member)}${VALID_UNTIL}`];
  return typeof until === 'number' ? until : null;
}

/**
 * The members that keep the value before `next` valid: for `days` from a change on, and never longer than that from now on;
 * none where `days` is 0, and none for a value that is one of the present ones again.
 */
export function withPrevious(
  member: string,
  values: Readonly<Record<string, string>>,
  current: JsonObject | null,
  days: number,
  now: number,
): JsonObject {
  const before = current === null ? null : (textMember(current, member) ?? null);
  if (current === null || before === null || days === 0) return {};
  const longest = now + days * DAY_MS;
  const isChanged = before !== values[member];
  const value = isChanged ? before : (textMember(current, previousOf(member)) ?? null);
  const until = isChanged ? longest : Math.min(previousUntil(current, member) ?? 0, longest);
  if (value === null || until <= now || Object.values(values).includes(value)) return {};
  return { [previousOf(member)]: value, [`${previousOf(member)}${VALID_UNTIL}`]: until };
}

/** Credentials without former values whose time is over. */
export function withoutExpired(credentials: JsonObject, now: number): JsonObject {
  const expired = Object.entries(credentials).filter(
    ([name, value]) => name.startsWith('previous') && name.endsWith(VALID_UNTIL) && !(Number(value) > now),
  );
  const gone = new Set(expired.flatMap(([name]) => [name, name.slice(0, -VALID_UNTIL.length)]));
  return Object.fromEntries(Object.entries(credentials).filter(([name]) => !gone.has(name)));
}

/** Whether everybody who showed a value of this member, present or former, may show it again. */
export function stillAccepts(member: string, before: JsonObject, after: JsonObject): boolean {
  const accepted = [after[member], after[previousOf(member)]];
  return [before[member], before[previousOf(member)]].every((value) => value === undefined || accepted.includes(value));
}

/** Days for which a value stays valid after its change, from 0 to `most`. */
export function readRotationDays(value: Json | undefined, most: number): Result<number> {
  const days = value ?? 0;
  const isCount = typeof days === 'number' && Number.isInteger(days) && days >= 0 && days <= most;
  return isCount ? success(days) : refuse('invalidArguments', `rotationDays is not a whole number from 0 to ${most}`);
}
