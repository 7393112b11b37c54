import { type EntityId, parseJson, type Value } from '@moorage/core';

const SERIAL_ATTRIBUTE = 'sensoro.sn';
const TYPE_ATTRIBUTE = 'sensoro.deviceType';
const NAMES_ATTRIBUTE = 'sensoro.names';
const TAGS_ATTRIBUTE = 'tags';

/** Server attributes of a device of any dialect that say how applications see it. */
export const DEVICE_ATTRIBUTES: readonly string[] = [SERIAL_ATTRIBUTE, TYPE_ATTRIBUTE, NAMES_ATTRIBUTE, TAGS_ATTRIBUTE];

const DEFAULT_TYPE = 'node';
const SERIAL_LENGTH = 16;
/** It stands in paths and topics. */
const SERIAL_PATTERN = /^[^\p{Cc}/+#]{1,64}$/u;
const TYPE_PATTERN = /^[a-z0-9_]{1,32}$/;

/** How applications see a device. sensoro.md, 4.2 */
export interface DeviceFields {
  /** As stored; null: none is set, or it is no serial number. */
  readonly ownSerial: string | null;
  readonly deviceType: string;
  /** Other names for series keys. */
  readonly names: ReadonlyMap<string, string>;
  readonly tags: readonly string[];
}

/** Read once for each set of attributes: these are replaced as a whole. */
const READ = new WeakMap<ReadonlyMap<string, Value>, DeviceFields>();

export function deviceFields(attributes: ReadonlyMap<string, Value>): DeviceFields {
  const known = READ.get(attributes);
  if (known !== undefined) return known;
  const serial = text(attributes.get(SERIAL_ATTRIBUTE));
  const type = text(attributes.get(TYPE_ATTRIBUTE));
  const fields: DeviceFields = {
    ownSerial: SERIAL_PATTERN.test(serial) ? serial : null,
    deviceType: TYPE_PATTERN.test(type) ? type : DEFAULT_TYPE,
    names: namesOf(text(attributes.get(NAMES_ATTRIBUTE))),
    tags: tagsOf(text(attributes.get(TAGS_ATTRIBUTE))),
  };
  READ.set(attributes, fields);
  return fields;
}

/** The serial number of a device: its own, else the last 16 hex digits of its id. */
export function serialOf(deviceId: EntityId, { ownSerial }: DeviceFields): string {
  return ownSerial ?? deviceId.replaceAll('-', '').slice(-SERIAL_LENGTH).toUpperCase();
}

function text(value: Value | undefined): string {
  return value === undefined ? '' : String(value.value);
}

/** `{"temp":"temperature"}` */
function namesOf(attribute: string): ReadonlyMap<string, string> {
  const given = parsed(attribute);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return new Map();
  return new Map(Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** A JSON array of texts, or texts separated by commas. */
function tagsOf(attribute: string): readonly string[] {
  const given = parsed(attribute);
  const tags: readonly unknown[] = Array.isArray(given) ? given : attribute.split(',');
  return tags.flatMap((tag) => (typeof tag === 'string' && tag.trim() !== '' ? [tag.trim()] : []));
}

function parsed(attribute: string): unknown {
  return /^\s*[[{]/.test(attribute) ? parseJson(attribute) : undefined;
}
