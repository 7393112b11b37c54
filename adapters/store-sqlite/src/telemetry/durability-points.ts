import type { Point } from '@moorage/core';
import { ValueKind } from './value-kind.ts';

/** Devices and keys of the durability suites. */
export const DEVICES = 6;
export const KEYS = 4;

const START = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

/** The point with a number of a device: unique time, a value of any kind, now and then two days late. */
export function pointOf(device: number, number: number): Point & { readonly key: number } {
  const late = number % 50 === 49 ? 2 * DAY_MS - 7 : 0;
  const ts = START + number * 30_000 - late;
  const key = number % KEYS;
  const seed = (number * 2_654_435_761 + device) % 4_294_967_296;
  switch (seed % 7) {
    case 0:
      return { key, ts, kind: ValueKind.Boolean, value: number % 3 === 0 };
    case 1:
      return { key, ts, kind: ValueKind.Long, value: number - 5000 };
    case 2:
      return { key, ts, kind: ValueKind.Long, value: 2n ** 60n + BigInt(number) };
    case 3:
      return { key, ts, kind: ValueKind.String, value: `text ${number}` };
    case 4:
      return { key, ts, kind: ValueKind.Json, value: `{"n":${number}}` };
    case 5:
      return { key, ts, kind: ValueKind.Double, value: seed / 7919 };
    default:
      return { key, ts, kind: ValueKind.Double, value: (number % 1000) / 100 };
  }
}
