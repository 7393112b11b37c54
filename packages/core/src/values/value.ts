/** The five types a value may have. The numbers are stored on disk: never renumber. */
export const ValueKind = {
  Boolean: 1,
  /** 64-bit signed integer. */
  Long: 2,
  Double: 3,
  String: 4,
  /** An object or an array, kept as compact JSON text. */
  Json: 5,
} as const;
export type ValueKind = (typeof ValueKind)[keyof typeof ValueKind];

/**
 * The value belonging to a kind: `boolean` for Boolean; for Long a `number` if it is a safe integer, else a `bigint`;
 * a finite `number` for Double; `string` for String and Json.
 */
export type Scalar = boolean | number | bigint | string;

/** A value with its type. */
export interface Value {
  readonly kind: ValueKind;
  readonly value: Scalar;
}

/** A value of a series at a moment. `ts` is epoch milliseconds. */
export interface Point extends Value {
  readonly ts: number;
}
