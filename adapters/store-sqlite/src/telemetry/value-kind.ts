import type { ValueKind as CoreValueKind } from '@moorage/core';

/** The core's table of kinds, checked by the compiler; importing the core itself costs each thread several megabytes. */
export const ValueKind = {
  Boolean: 1,
  Long: 2,
  Double: 3,
  String: 4,
  Json: 5,
} as const satisfies typeof CoreValueKind;
