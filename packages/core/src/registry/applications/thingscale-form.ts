import { type Result, refuse, success } from '../../errors.ts';
import type { Json, JsonObject } from '../../model/entities.ts';
import type { Crypto } from '../../ports/runtime.ts';
import { isTimeZone } from '../../values/time-zone.ts';
import { randomDigits } from '../random-text.ts';
import { MAX_NAME_LENGTH, textProblem } from '../text-rules.ts';
import type { ApplicationForm } from './application-form.ts';
import { readRotationDays, readSecrets, type SecretRule, stillAccepts, withPrevious } from './secrets.ts';

/** thingscale.md, 4.1 */
const MAX_ROTATION_DAYS = 30;
const DEFAULT_MAX_DEVICES = 10_000;
const MOST_DEVICES = 1_000_000;
const USER_ID = /^U[0-9A-Za-z]{6}$/;
/** The vendor's have 32 characters; shorter ones come from tests and from hand. */
const TOKEN = /^[0-9A-Za-z]{3,64}$/;
const TOKEN_BYTES = 16;
const TIME_ZONE = /^[A-Za-z][0-9A-Za-z_+/-]{0,63}$/;
const EMAIL = /^[^\s@]+@[^\s@]+$/;

const TOKENS = ['deviceToken', 'apiToken'];

const RULES: readonly SecretRule[] = [
  {
    member: 'userId',
    problem: (value) => (USER_ID.test(value) ? null : 'is not U and six letters or digits'),
    draw: (crypto) => `U${randomDigits(crypto, 6)}`,
    rotates: false,
  },
  ...TOKENS.map((member) => ({
    member,
    problem: (value: string) => (TOKEN.test(value) ? null : 'is not 3 to 64 letters and digits'),
    draw: drawToken,
    rotates: true,
  })),
];

function drawToken(crypto: Crypto): string {
  return Array.from(crypto.randomBytes(TOKEN_BYTES), (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}

/** An account of ThingScale: its id, device token and API token, and its settings. thingscale.md, 4.1 */
export const THINGSCALE_FORM: ApplicationForm = {
  dialect: 'thingscale',
  nameMember: 'userId',
  lookupMembers: TOKENS,
  isAccount: true,
  devicesConnect: false,

  readCredentials(given, current, configuration, { crypto, now }) {
    const read = readSecrets(RULES, given, current, crypto);
    if (!read.ok) return read;
    const { values, drawn } = read.value;
    if (values.deviceToken?.toUpperCase() === values.apiToken?.toUpperCase()) {
      return refuse('invalidArguments', 'The deviceToken and the apiToken are the same');
    }
    const days = Number(configuration.rotationDays);
    const previous = TOKENS.map((member) => withPrevious(member, values, current, days, now));
    return success({ credentials: Object.assign({ ...values }, ...previous), drawn });
  },

  readConfiguration(merged): Result<JsonObject> {
    const timezone = merged.timezone ?? 'UTC';
    const autoMap = merged.autoMap ?? true;
    const maxDevices = merged.maxDevices ?? DEFAULT_MAX_DEVICES;
    const email = merged.email ?? '';
    if (typeof timezone !== 'string' || !TIME_ZONE.test(timezone) || !isTimeZone(timezone)) {
      return refuse('invalidArguments', 'timezone is not the IANA name of a time zone');
    }
    if (typeof autoMap !== 'boolean') return refuse('invalidArguments', 'autoMap is not true or false');
    const isCount = typeof maxDevices === 'number' && Number.isInteger(maxDevices);
    if (!isCount || maxDevices < 0 || maxDevices > MOST_DEVICES) {
      return refuse('invalidArguments', `maxDevices is not a whole number from 0 to ${MOST_DEVICES}`);
    }
    if (!isEmail(email)) return refuse('invalidArguments', 'email is not an e-mail address or an empty text');
    const rotationDays = readRotationDays(merged.rotationDays, MAX_ROTATION_DAYS);
    if (!rotationDays.ok) return rotationDays;
    return success({ timezone, autoMap, maxDevices, email, rotationDays: rotationDays.value });
  },

  keepsConnections: (before, after) =>
    before.credentials.userId === after.credentials.userId &&
    stillAccepts('deviceToken', before.credentials, after.credentials),
};

function isEmail(email: Json): boolean {
  if (typeof email !== 'string' || email.length > MAX_NAME_LENGTH) return false;
  return email === '' || (EMAIL.test(email) && textProblem('email', email) === null);
}
