import { type DialectWork, PointList, ValueReader, type ValueReadOptions } from '@moorage/core';
import { type DeviceLink, type DialectMessage, encodeText } from '@moorage/dialect-api';

const MAXIMUM_MEMBERS = 16;

/** Values keep the type they are written in. */
const OPTIONS: ValueReadOptions = { castStrings: false, tolerant: false, nulls: 'skipped', maximumValues: 2_000 };

/** A reading that an application brought in for a device. sensoro.md, 4.4 */
export class UplinkWork implements DialectWork {
  readonly work = 'uplink';
  readonly serial: string;
  readonly points: PointList;

  constructor(serial: string, points: PointList) {
    this.serial = serial;
    this.points = points;
  }
}

/** Reads objects in the form of a push: `data`, and perhaps `createdTime`. Everything else in them is ignored. */
export class UplinkReader {
  readonly #reader = new ValueReader();

  /** A text says what is wrong. */
  read(message: DialectMessage, link: DeviceLink): PointList | string {
    const members = this.#reader.readMembers(message.payload, link, MAXIMUM_MEMBERS);
    if (typeof members === 'string') return 'The message is no JSON object of at most 16 members.';
    const data = members.get('data');
    if (data === undefined) return 'The message has no data.';
    const createdTime = timeOf(members.get('createdTime')) ?? message.receivedAt;
    const points = new PointList();
    const fault = this.#reader.readObject(encodeText(data), link, OPTIONS, points, createdTime);
    return fault === null ? points : 'The data are no object of values.';
  }
}

/** undefined: not given, or no time at all as in the vendor's sample. */
function timeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
