/** Why a message with values was not read. */
export type ValueFault =
  /** Not JSON, not even leniently read, or not UTF-8. */
  | 'malformed'
  /** JSON, but not an object or array of the wanted form. */
  | 'wrongShape'
  /** The time stamp beside `values` is not a number of milliseconds within ±8.64e15. */
  | 'invalidTimestamp'
  /** A name that is blank, has U+0000, or is longer than 255 characters. */
  | 'invalidKey'
  /** A number that no kind holds while casting is off. */
  | 'numberOutOfRange'
  /** A number that needs more than 512 characters. */
  | 'numberTooLong'
  /** Objects and arrays nested more than 32 levels. */
  | 'tooDeep'
  | 'tooManyValues'
  /** `null` where the caller does not skip it. */
  | 'nullValue';

/** One sentence for logs and for answers to the sender. */
export const VALUE_FAULT_TEXTS: Readonly<Record<ValueFault, string>> = {
  malformed: 'The payload is not JSON.',
  wrongShape: 'The payload is JSON but neither an object of values nor one of the other accepted forms.',
  invalidTimestamp: 'The member ts is not a time in milliseconds.',
  invalidKey: 'A key is blank or longer than 255 characters.',
  numberOutOfRange: 'A number is too large or has too many decimals.',
  numberTooLong: 'A number has more than 512 characters.',
  tooDeep: 'The payload is nested more than 32 levels deep.',
  tooManyValues: 'The payload has too many values.',
  nullValue: 'A value is null.',
};
