import { PointList, ValueKind } from '@moorage/core';
import { type DialectMessage, type Disposition, perform, ReasonCode, refuseMessage } from '@moorage/dialect-api';
import { integerOf, type JsonTexts, stringOf } from './json-text.ts';

const MAXIMUM_MEMBERS = 32;
const MAXIMUM_TEXT = 128;
const DEFAULT_MODULE = 'default';

/** Series of the platform in which devices of every vendor report their software. thingsboard-device.md, 7.3 */
const VERSION_KEY = 'current_fw_version';
const STATE_KEY = 'fw_state';
const PROGRESS_KEY = 'fw_progress';
const ERROR_KEY = 'fw_error';

/** Steps below zero. Section 5, 4 */
const FAILURES: ReadonlyMap<number, string> = new Map([
  [-1, 'the upgrade failed'],
  [-2, 'the download failed'],
  [-3, 'the check failed'],
  [-4, 'writing to flash failed'],
]);

/** A module other than the default one has series of its own. */
function keyOf(key: string, module: string | undefined): string {
  return module === undefined || module === '' || module === DEFAULT_MODULE ? key : `${key}:${module}`;
}

function refused(reason: string): Disposition {
  return refuseMessage(ReasonCode.PayloadFormatInvalid, reason);
}

/** What a device publishes to `/ota/device/{name}/...`; undefined: nothing is known of that name. No reply. Section 5 */
export function otaUplink(texts: JsonTexts, name: string, message: DialectMessage): Disposition | undefined {
  if (name !== 'inform' && name !== 'progress') return undefined;
  const members = texts.reader.readMembers(message.payload, texts.decoding, MAXIMUM_MEMBERS);
  const params = typeof members === 'string' ? undefined : texts.members(members.get('params'), MAXIMUM_MEMBERS);
  if (params === undefined) return refused('The message is not a JSON object with params.');
  const module = stringOf(params.get('module'))?.slice(0, MAXIMUM_TEXT);
  const points = new PointList();
  const add = (key: string, kind: ValueKind, value: string | number): void =>
    points.add(message.receivedAt, keyOf(key, module), kind, value);
  if (name === 'inform') {
    const version = stringOf(params.get('version'));
    if (!version) return refused('The message names no version.');
    add(VERSION_KEY, ValueKind.String, version.slice(0, MAXIMUM_TEXT));
  } else {
    const step = integerOf(params.get('step'));
    if (step === undefined || step < -4 || step > 100) return refused('The step is not a number of -4 to 100.');
    const failure = FAILURES.get(step);
    const described = stringOf(params.get('desc'))?.slice(0, MAXIMUM_TEXT);
    add(STATE_KEY, ValueKind.String, failure === undefined ? (step === 100 ? 'DOWNLOADED' : 'DOWNLOADING') : 'FAILED');
    if (failure === undefined) add(PROGRESS_KEY, ValueKind.Long, step);
    else add(ERROR_KEY, ValueKind.String, described ? `${failure}: ${described}` : failure);
  }
  return perform([{ kind: 'telemetry', points }]);
}
