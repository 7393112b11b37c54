import { type PlatformError, refuse } from '../errors.ts';

/** Fewest and most characters of a person's password. */
export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 256;

/** Refuses passwords that are too short, too long, one repeated character, or the e-mail or its name part; null: fine. */
export function passwordProblem(password: string, email: string): PlatformError | null {
  const length = [...password].length;
  if (length < MIN_PASSWORD_LENGTH) {
    return refuse('passwordViolation', `Password must be ${MIN_PASSWORD_LENGTH} or more characters in length.`);
  }
  if (password.length > MAX_PASSWORD_LENGTH) {
    return refuse('passwordViolation', `Password must be no more than ${MAX_PASSWORD_LENGTH} characters in length.`);
  }
  const lower = password.trim().toLowerCase();
  if (lower === email || lower === email.slice(0, email.indexOf('@'))) {
    return refuse('passwordViolation', 'Password must not be the e-mail address.');
  }
  if (new Set(lower).size < 2) return refuse('passwordViolation', 'Password must not be one repeated character.');
  return null;
}

const EMAIL = /^[^\s@<>"]+@[^\s@<>"]+$/;

/** The e-mail in the form in which it is kept; undefined: it is none. At most 254 characters (RFC 5321). */
export function normaliseEmail(text: string): string | undefined {
  const email = text.trim().toLowerCase();
  return email.length <= 254 && EMAIL.test(email) ? email : undefined;
}
