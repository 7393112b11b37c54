import { type Result, refuse, success } from '../../errors.ts';
import type { Json } from '../../model/entities.ts';
import type { Crypto } from '../../ports/runtime.ts';
import { isObject } from '../../values/json.ts';
import { connectNameProblem } from '../credentials/name-rules.ts';
import { randomText } from '../random-text.ts';
import { hasControlCharacters, isEntityId, MAX_NAME_LENGTH } from '../text-rules.ts';
import type { ApplicationForm } from './application-form.ts';
import { readRotationDays, readSecrets, type SecretRule, stillAccepts, withPrevious } from './secrets.ts';
import { webhookUrlProblem } from './webhook-url.ts';

/** sensoro.md, 4.1 */
const MAX_ROTATION_DAYS = 7;
const MAX_DEVICES = 10_000;
const APP_ID = /^[0-9A-Za-z_-]{1,64}$/;
const APP_KEY = /^[0-9A-Za-z+/]{43}$/;
const APP_SECRET = /^[\x20-\x7e]{8,128}$/;
const APP_ID_LENGTH = 12;
const APP_KEY_LENGTH = 43;
const APP_SECRET_LENGTH = 32;
/** A last base64 character whose low two bits are zero: with 43 characters for 32 bytes, strict decoders ask for it. */
const LAST_OF_KEY = 'AEIMQUYcgkosw048';

const RULES: readonly SecretRule[] = [
  {
    member: 'appId',
    problem: (value) =>
      APP_ID.test(value)
        ? connectNameProblem('username', value)
        : 'is not 1 to 64 letters, digits and characters of _-',
    draw: (crypto) => randomText(crypto, APP_ID_LENGTH),
    rotates: false,
  },
  {
    member: 'appKey',
    problem: (value) => (APP_KEY.test(value) ? null : `is not ${APP_KEY_LENGTH} characters of base64`),
    draw: drawAppKey,
    rotates: true,
  },
  {
    member: 'appSecret',
    problem: (value) => (APP_SECRET.test(value) ? null : 'is not 8 to 128 printable ASCII characters'),
    draw: (crypto) => randomText(crypto, APP_SECRET_LENGTH),
    rotates: true,
  },
];

function drawAppKey(crypto: Crypto): string {
  const [byte = 0] = crypto.randomBytes(1);
  return `${randomText(crypto, APP_KEY_LENGTH - 1)}${LAST_OF_KEY.charAt(byte % LAST_OF_KEY.length)}`;
}

/** AppID, AppKey and AppSecret, and what is pushed how. sensoro.md, 4.1 */
export const SENSORO_FORM: ApplicationForm = {
  dialect: 'sensoro',
  nameMember: 'appId',
  lookupMembers: [],
  isAccount: false,
  devicesConnect: false,

  readCredentials(given, current, configuration, { crypto, now }) {
    const read = readSecrets(RULES, given, current, crypto);
    if (!read.ok) return read;
    const { values, drawn } = read.value;
    const previous = withPrevious('appSecret', values, current, Number(configuration.rotationDays), now);
    return success({ credentials: { ...values, ...previous }, drawn });
  },

  readConfiguration(merged) {
    const pushMode = merged.pushMode ?? 'plain';
    const mqttQos = merged.mqttQos ?? 0;
    const webhookUrl = merged.webhookUrl ?? null;
    const allowUplink = merged.allowUplink ?? false;
    if (pushMode !== 'plain' && pushMode !== 'safe') {
      return refuse('invalidArguments', 'pushMode is not plain or safe');
    }
    if (mqttQos !== 0 && mqttQos !== 1) return refuse('invalidArguments', 'mqttQos is not 0 or 1');
    const problem = webhookUrl === null ? null : webhookUrlProblem(webhookUrl);
    if (problem !== null) return refuse('invalidArguments', `webhookUrl ${problem}`);
    if (typeof allowUplink !== 'boolean') return refuse('invalidArguments', 'allowUplink is not true or false');
    const devices = readDeviceSet(merged.devices ?? 'ALL');
    if (!devices.ok) return devices;
    const rotationDays = readRotationDays(merged.rotationDays, MAX_ROTATION_DAYS);
    if (!rotationDays.ok) return rotationDays;
    return success({
      pushMode,
      mqttQos,
      webhookUrl,
      devices: devices.value,
      allowUplink,
      rotationDays: rotationDays.value,
    });
  },

  // Pushes are made by what the application is now, so nothing else of it matters to a connection.
  keepsConnections: (before, after) =>
    before.credentials.appId === after.credentials.appId &&
    stillAccepts('appSecret', before.credentials, after.credentials) &&
    before.configuration.allowUplink === after.configuration.allowUplink,
};

/** All devices of the tenant, listed ones, or those with a tag; ids of devices that are gone do no harm. */
function readDeviceSet(devices: Json): Result<Json> {
  if (devices === 'ALL') return success(devices);
  if (Array.isArray(devices)) {
    const given: readonly Json[] = devices;
    if (given.length > MAX_DEVICES) return refuse('invalidArguments', `devices lists more than ${MAX_DEVICES} ids`);
    const ids = given.flatMap((id) => (typeof id === 'string' && isEntityId(id) ? id.toLowerCase() : []));
    if (ids.length < given.length)
      return refuse('invalidArguments', 'devices lists something that is no id of a device');
    return success([...new Set(ids)]);
  }
  const tag = isObject(devices) ? devices.tag : null;
  if (typeof tag !== 'string') return refuse('invalidArguments', 'devices is not ALL, a list of ids or {"tag":text}');
  if (tag === '' || tag.length > MAX_NAME_LENGTH || hasControlCharacters(tag) || !tag.isWellFormed()) {
    return refuse(
      'invalidArguments',
      `The tag in devices is not 1 to ${MAX_NAME_LENGTH} characters long, or malformed`,
    );
  }
  return success({ tag });
}
