import { describe, expect, it } from 'vitest';
import { PLATFORM_ERRORS, type PlatformErrorCode, refuse, success } from './errors.ts';

const entries = Object.entries(PLATFORM_ERRORS);

/** ThingsBoard's codes that may be sent and their HTTP statuses. thingsboard-server.md, 0.5; 507 and 501 are our own. */
const STATUSES: Readonly<Record<number, readonly number[]>> = {
  2: [500, 501],
  10: [401],
  20: [403],
  30: [400],
  31: [400],
  32: [404],
  33: [429],
  35: [409],
  41: [403],
  45: [401],
  46: [500, 507],
};

describe('the table of platform errors', () => {
  it.each(entries)('%s has an error code that belongs to its HTTP status', (_code, entry) => {
    expect(STATUSES[entry.errorCode]).toContain(entry.httpStatus);
  });

  it.each(entries)(
    '%s has a Reason Code of an error that a PUBACK, CONNACK or DISCONNECT may carry',
    (_code, entry) => {
      const reasonCodes = [0x80, 0x83, 0x86, 0x87, 0x96, 0x97];
      expect(reasonCodes).toContain(entry.reasonCode);
    },
  );

  it.each(entries)('%s has one sentence as its text', (_code, entry) => {
    expect(entry.text).toMatch(/^[A-Z][^<>\n]{3,80}$/);
  });

  it('has the exact messages that scripts test for', () => {
    const texts = entries.map(([, entry]) => entry.text);
    for (const text of [
      'Authentication failed',
      'Invalid username or password',
      'User account is not active',
      'User account is locked due to security policy',
      "You don't have permission to perform this operation!",
      "Requested item wasn't found!",
    ]) {
      expect(texts).toContain(text);
    }
  });

  it('says that retrying helps only where something outside the request may change', () => {
    const retried = entries.filter(([, entry]) => entry.retry).map(([code]) => code);
    expect(retried.sort()).toEqual([
      'accountLocked',
      'storageFailed',
      'storageFull',
      'tooManyRequests',
      'versionConflict',
    ]);
  });

  it('answers a wrong password and a missing sign-in with the same status', () => {
    const signIn: PlatformErrorCode[] = ['authentication', 'badCredentials', 'accountDisabled', 'accountLocked'];
    expect(new Set(signIn.map((code) => PLATFORM_ERRORS[code].httpStatus))).toEqual(new Set([401]));
  });

  it('makes a refusal with the text of the table unless told better', () => {
    expect(refuse('notFound')).toEqual({ ok: false, code: 'notFound', message: "Requested item wasn't found!" });
    expect(refuse('notFound', 'No such thing')).toEqual({ ok: false, code: 'notFound', message: 'No such thing' });
    expect(success(5)).toEqual({ ok: true, value: 5 });
  });
});
