import { type DialectRequestIntent, jsonString, PointList, ValueKind } from '@moorage/core';
import { type DialectMessage, type Disposition, perform, ReasonCode, refuseMessage } from '@moorage/dialect-api';
import { AlinkCode } from './codes.ts';
import { readRequest } from './envelope.ts';
import { integerOf, type JsonTexts } from './json-text.ts';
import { encodePending } from './pending-reply.ts';
import { handleRequest, owedTo, refused as refusedRequest, type SystemMessage } from './requests.ts';
import type { LinkIdentity } from './signature.ts';
import type { DeviceTopics } from './topics.ts';

const MAXIMUM_MEMBERS = 32;
const MAXIMUM_TEXT = 128;
const DEFAULT_MODULE = 'default';

/** Series of the platform in which devices of every vendor report their software. thingsboard-device.md, 7.3 */
const VERSION_KEY = 'current_fw_version';
const STATE_KEY = 'fw_state';
const PROGRESS_KEY = 'fw_progress';
const ERROR_KEY = 'fw_error';

/** Client attribute with the version that the device reported last, by which a task is known to be open. */
export const REPORTED_VERSION_ATTRIBUTE = 'firmwareVersion';

/** Requests that the dialect answers; their parameters are `FirmwareQuestion`. */
export const FIRMWARE_REPORTED = 'ota/inform';
export const FIRMWARE_PENDING = 'ota/pending';
export const FIRMWARE_TASK = 'ota/task';

/** What a question about firmware says. */
export interface FirmwareQuestion extends LinkIdentity {
  /** The version of the device; null: the one that it reported last. */
  readonly version: string | null;
}

/** Asks, when a device connects, whether it has firmware to fetch. Section 5, 5 */
export function pendingFirmware(topics: DeviceTopics): DialectRequestIntent {
  return firmwareQuestion(topics, FIRMWARE_PENDING, null);
}

function firmwareQuestion(topics: DeviceTopics, request: string, version: string | null): DialectRequestIntent {
  const question: FirmwareQuestion = { ...topics.identity, version };
  const topicName = topics.ota('upgrade');
  const ref = encodePending({ kind: 'upgrade', topicName, qos: 1, id: '""', code: AlinkCode.Success, detail: '' });
  return { kind: 'dialectRequest', request, params: JSON.stringify(question), ref };
}

/** `thing/ota/firmware/get`: the task, or `{}`. Packages are for the default module. Section 5, 3 */
export function firmwareGet(system: SystemMessage): Disposition {
  return handleRequest(system, (request) => {
    const params = system.texts.members(request.params ?? '{}', MAXIMUM_MEMBERS);
    if (params === undefined) return refusedRequest(system, request, AlinkCode.ParamsForm);
    if (isOtherModule(jsonString(params.get('module')))) return refusedRequest(system, request, AlinkCode.Success);
    const question: FirmwareQuestion = { ...system.topics.identity, version: null };
    const ref = owedTo(system, request, 'dialect');
    return perform([{ kind: 'dialectRequest', request: FIRMWARE_TASK, params: JSON.stringify(question), ref }]);
  });
}

/** The older form of the same, answered on its own topic. */
function otaRequest(texts: JsonTexts, topics: DeviceTopics, message: DialectMessage): Disposition {
  const request = readRequest(texts, message.payload);
  if (request === undefined) return refused('The message is not a JSON object.');
  const question: FirmwareQuestion = { ...topics.identity, version: null };
  const topicName = topics.ota('request');
  const qos = message.qos === 0 ? 0 : 1;
  const ref = encodePending({
    kind: 'upgrade',
    topicName,
    qos,
    id: request.id,
    code: AlinkCode.Success,
    detail: 'asked',
  });
  return perform([{ kind: 'dialectRequest', request: FIRMWARE_TASK, params: JSON.stringify(question), ref }]);
}

/** Steps below zero. Section 5, 4 */
const FAILURES: ReadonlyMap<number, string> = new Map([
  [-1, 'the upgrade failed'],
  [-2, 'the download failed'],
  [-3, 'the check failed'],
  [-4, 'writing to flash failed'],
]);

function isOtherModule(module: string | undefined): boolean {
  return module !== undefined && module !== '' && module !== DEFAULT_MODULE;
}

/** A module other than the default one has series of its own. */
function keyOf(key: string, module: string | undefined): string {
  return isOtherModule(module) ? `${key}:${module}` : key;
}

function refused(reason: string): Disposition {
  return refuseMessage(ReasonCode.PayloadFormatInvalid, reason);
}

/** What a device publishes to `/ota/device/{name}/...`; undefined: nothing is known of that name. Section 5 */
export function otaUplink(
  texts: JsonTexts,
  topics: DeviceTopics,
  name: string,
  message: DialectMessage,
): Disposition | undefined {
  if (name === 'request') return otaRequest(texts, topics, message);
  if (name !== 'inform' && name !== 'progress') return undefined;
  const members = texts.reader.readMembers(message.payload, texts.decoding, MAXIMUM_MEMBERS);
  const params = typeof members === 'string' ? undefined : texts.members(members.get('params'), MAXIMUM_MEMBERS);
  if (params === undefined) return refused('The message is not a JSON object with params.');
  const module = jsonString(params.get('module'))?.slice(0, MAXIMUM_TEXT);
  const points = new PointList();
  const add = (key: string, kind: ValueKind, value: string | number): void =>
    points.add(message.receivedAt, keyOf(key, module), kind, value);
  if (name === 'inform') {
    const version = jsonString(params.get('version'));
    if (!version) return refused('The message names no version.');
    const shown = version.slice(0, MAXIMUM_TEXT);
    add(VERSION_KEY, ValueKind.String, shown);
    if (isOtherModule(module)) return perform([{ kind: 'telemetry', points }]);
    const values = new PointList();
    values.add(message.receivedAt, REPORTED_VERSION_ATTRIBUTE, ValueKind.String, shown);
    return perform([
      { kind: 'telemetry', points },
      { kind: 'attributes', scope: 'CLIENT', values },
      firmwareQuestion(topics, FIRMWARE_REPORTED, shown),
    ]);
  }
  const step = integerOf(params.get('step'));
  if (step === undefined || step < -4 || step > 100) return refused('The step is not a number of -4 to 100.');
  const failure = FAILURES.get(step);
  const described = jsonString(params.get('desc'))?.slice(0, MAXIMUM_TEXT);
  add(STATE_KEY, ValueKind.String, failure === undefined ? (step === 100 ? 'DOWNLOADED' : 'DOWNLOADING') : 'FAILED');
  if (failure === undefined) add(PROGRESS_KEY, ValueKind.Long, step);
  else add(ERROR_KEY, ValueKind.String, described ? `${failure}: ${described}` : failure);
  return perform([{ kind: 'telemetry', points }]);
}
