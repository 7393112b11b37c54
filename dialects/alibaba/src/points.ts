import { PointList, ValueKind, type ValueReadOptions } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import { AlinkCode } from './codes.ts';
import { readIdentity } from './directory.ts';
import { elementsOf, integerOf, type JsonTexts, type Members } from './json-text.ts';
import type { LinkIdentity } from './signature.ts';

/** Section 2.6 */
export const MAXIMUM_PROPERTIES = 200;
export const MAXIMUM_EVENTS = 200;
/** Points of one identifier in a batch. */
const MAXIMUM_BATCH = 1000;
/** Most values of one message. */
const MAXIMUM_VALUES = 20_000;
/** How far ahead a device's clock may be. Section 4.4 */
const MAXIMUM_LEAD_MS = 24 * 60 * 60 * 1000;

/** Types are those of the thing model, so a text stays a text. */
const OPTIONS: ValueReadOptions = {
  castStrings: false,
  tolerant: false,
  nulls: 'skipped',
  maximumValues: MAXIMUM_VALUES,
};

/** The points of one post, gathered by time. JSON texts become values when the end is known. */
export class PostedPoints {
  readonly #texts: JsonTexts;
  readonly #receivedAt: number;
  /** Whether the sender may post for this device besides itself. */
  readonly #speaksFor: (identity: LinkIdentity) => boolean;
  readonly #others = new Map<string, { readonly identity: LinkIdentity; readonly posted: PostedPoints }>();
  readonly #byTime = new Map<number, string[]>();
  #values = 0;
  /** The first thing that was wrong. */
  fault: AlinkCode | null = null;

  constructor(texts: JsonTexts, receivedAt: number, speaksFor: (identity: LinkIdentity) => boolean = () => false) {
    this.#texts = texts;
    this.#receivedAt = receivedAt;
    this.#speaksFor = speaksFor;
  }

  /** `{"Power":"on","WF":{"value":23.6,"time":1524448722000}}`, in any mixture. */
  properties(params: string | undefined): void {
    const members = this.#members(params, MAXIMUM_PROPERTIES, AlinkCode.TooManyProperties);
    if (members === null) return;
    for (const [identifier, text] of members) this.#valueOf(identifier, text);
  }

  /** `{"value":{...},"time":ms}`, or the output itself: both are the same event. */
  event(identifier: string, params: string | undefined): void {
    const members = this.#members(params, MAXIMUM_PROPERTIES, AlinkCode.TooManyEvents);
    if (members === null || params === undefined) return;
    const timed = isTimed(members);
    this.#add(identifier, timed ? (members.get('value') ?? '{}') : params, timed ? members.get('time') : undefined);
  }

  /** `{"properties":{"Power":[{"value","time"}]},"events":{"alarm":[{"value":{},"time"}]}}` */
  batch(params: string | undefined): void {
    const parts = this.#members(params, MAXIMUM_PROPERTIES, AlinkCode.BadParameters);
    if (parts === null) return;
    this.#lists(parts.get('properties'), MAXIMUM_PROPERTIES, AlinkCode.TooManyProperties);
    this.#lists(parts.get('events'), MAXIMUM_EVENTS, AlinkCode.TooManyEvents);
  }

  /**
   * `[{"identity":{...},"properties":[{"Power":{"value","time"}}],"events":[{"alarm":{"value":{},"time"}}]}]`, each of
   * the device itself or of one that it speaks for.
   */
  history(params: string | undefined, self: LinkIdentity): void {
    const entries = elementsOf(params, MAXIMUM_BATCH);
    if (entries === undefined) this.#fail(AlinkCode.ParamsForm);
    for (const entry of entries ?? []) {
      const parts = this.#members(entry, MAXIMUM_PROPERTIES, AlinkCode.BadParameters);
      if (parts === null) return;
      const of = parts.has('identity') ? this.#namedIn(parts, self) : this;
      if (of === null) return;
      of.#history(parts.get('properties'));
      of.#history(parts.get('events'));
    }
  }

  /** `{"properties":{...},"events":{"alarm":{"value":{},"time"}},"subDevices":[]}` */
  pack(params: string | undefined): void {
    const parts = this.#members(params, MAXIMUM_PROPERTIES, AlinkCode.BadParameters);
    if (parts === null) return;
    for (const part of ['properties', 'events']) if (parts.has(part)) this.properties(parts.get(part));
    const subDevices = parts.has('subDevices') ? elementsOf(parts.get('subDevices'), MAXIMUM_BATCH) : [];
    if (subDevices === undefined) this.#fail(AlinkCode.BadParameters);
    for (const subDevice of subDevices ?? []) {
      const others = this.#members(subDevice, MAXIMUM_PROPERTIES, AlinkCode.BadParameters);
      const of = others === null ? null : this.#namedIn(others, null);
      if (of === null || others === null) return;
      for (const part of ['properties', 'events']) if (others.has(part)) of.properties(others.get(part));
    }
  }

  /** What was posted for each other device. Call `points` first: faults of all are in `fault` behind this. */
  ofOthers(): readonly (readonly [LinkIdentity, PointList])[] {
    return Array.from(this.#others.values(), ({ identity, posted }) => {
      const points = posted.points();
      if (posted.fault !== null) this.#fail(posted.fault);
      return [identity, points] as const;
    });
  }

  /** Where the values of the device that `identity` of these members names are gathered; null: it is nobody's to post for. */
  #namedIn(parts: Members, self: LinkIdentity | null): PostedPoints | null {
    const identity = readIdentity(this.#texts.members(parts.get('identity'), MAXIMUM_PROPERTIES));
    if (identity === undefined) {
      this.#fail(AlinkCode.NoSubDevice);
      return null;
    }
    const { productKey, deviceName } = identity;
    if (self?.productKey === productKey && self.deviceName === deviceName) return this;
    if (!this.#speaksFor(identity)) {
      this.#fail(AlinkCode.NoSubDevice);
      return null;
    }
    const key = `${deviceName}&${productKey}`;
    let other = this.#others.get(key);
    if (other === undefined) {
      other = { identity, posted: new PostedPoints(this.#texts, this.#receivedAt) };
      this.#others.set(key, other);
    }
    return other.posted;
  }

  /** Everything as points, the oldest first only as far as it was sent so. */
  points(): PointList {
    const points = new PointList();
    const { reader, decoding } = this.#texts;
    for (const [ts, members] of this.#byTime) {
      const fault = reader.readObject(encodeText(`{${members.join(',')}}`), decoding, OPTIONS, points, ts);
      if (fault !== null) this.#fail(fault === 'numberOutOfRange' ? AlinkCode.NumberFormat : AlinkCode.BadParameters);
    }
    return points;
  }

  #history(list: string | undefined): void {
    if (list === undefined) return;
    const elements = elementsOf(list, MAXIMUM_BATCH);
    if (elements === undefined) this.#fail(AlinkCode.BadParameters);
    for (const element of elements ?? []) this.properties(element);
  }

  #lists(text: string | undefined, maximum: number, tooMany: AlinkCode): void {
    if (text === undefined) return;
    const members = this.#members(text, maximum, tooMany);
    if (members === null) return;
    for (const [identifier, list] of members) {
      const elements = elementsOf(list, MAXIMUM_BATCH);
      if (elements === undefined) this.#fail(AlinkCode.BadParameters);
      else for (const element of elements) this.#valueOf(identifier, element);
    }
  }

  #valueOf(identifier: string, text: string): void {
    const members = this.#texts.members(text, 2);
    if (members !== undefined && isTimed(members)) this.#add(identifier, members.get('value'), members.get('time'));
    else this.#add(identifier, text, undefined);
  }

  #add(identifier: string, value: string | undefined, time: string | undefined): void {
    const ts = time === undefined ? this.#receivedAt : integerOf(time);
    if (value === undefined || ts === undefined || ts < 0 || ts > this.#receivedAt + MAXIMUM_LEAD_MS) {
      this.#fail(AlinkCode.BadParameters);
      return;
    }
    this.#values++;
    if (this.#values > MAXIMUM_VALUES) {
      this.#fail(AlinkCode.TooManyProperties);
      return;
    }
    const member = `${JSON.stringify(identifier)}:${value}`;
    const others = this.#byTime.get(ts);
    if (others === undefined) this.#byTime.set(ts, [member]);
    else others.push(member);
  }

  #members(text: string | undefined, maximum: number, tooMany: AlinkCode): Members | null {
    const members = this.#texts.members(text, maximum);
    if (members !== undefined) return members;
    const isObject = this.#texts.members(text, MAXIMUM_VALUES) !== undefined;
    this.#fail(isObject ? tooMany : text === undefined ? AlinkCode.BadParameters : AlinkCode.ParamsForm);
    return null;
  }

  #fail(code: AlinkCode): void {
    this.fault ??= code;
  }
}

/** A value with its time; anything else that is an object is the value itself. */
function isTimed(members: Members): boolean {
  return members.has('value') && (members.size === 1 || (members.size === 2 && members.has('time')));
}

/** One text under one key. */
export function textPoint(ts: number, key: string, text: string): PointList {
  const points = new PointList();
  points.add(ts, key, ValueKind.String, text);
  return points;
}
