import type { QoS } from '@moorage/mqtt-codec';

/** The lower of two QoS. */
export function lowerQoS(a: QoS, b: QoS): QoS {
  return a < b ? a : b;
}

/** The QoS of a number that stands for one: 2 for everything above. */
export function toQoS(value: number): QoS {
  if (value >= 2) return 2;
  return value === 1 ? 1 : 0;
}
