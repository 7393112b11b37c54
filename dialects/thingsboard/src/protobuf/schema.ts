/** Types of single values in proto3. */
export const SCALAR_TYPES = [
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
] as const;
export type ScalarType = (typeof SCALAR_TYPES)[number];

/** What a field, or the value of a map, holds. */
export type ValueType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarType }
  | { readonly kind: 'enum'; readonly names: ReadonlyMap<number, string> }
  | { readonly kind: 'message'; readonly message: MessageSchema };

export interface FieldSchema {
  readonly number: number;
  readonly name: string;
  /** The name in JSON: lowerCamelCase. */
  readonly jsonName: string;
  readonly type: ValueType;
  readonly form: 'single' | 'repeated' | 'map';
  /** Key of a map. */
  readonly keyType: ScalarType | null;
  /** Absence is told apart from the default value: `optional`, part of a `oneof`, or a message. */
  readonly presence: boolean;
}

/** A message type; it may contain itself. Fields are in the order of their numbers. */
export interface MessageSchema {
  readonly fields: readonly FieldSchema[];
  readonly byNumber: ReadonlyMap<number, FieldSchema>;
}

/** The name of a field in JSON: underscores go, what follows one becomes a capital letter. proto3, JSON mapping */
export function jsonNameOf(name: string): string {
  return name.replace(/_+(.?)/g, (_, following: string) => following.toUpperCase());
}

function textField(number: number, name: string): FieldSchema {
  const type = { kind: 'scalar', scalar: 'string' } as const;
  return { number, name, jsonName: name, type, form: 'single', keyType: null, presence: true };
}

function messageOf(...fields: readonly FieldSchema[]): MessageSchema {
  return { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
}

/** The platform's own message for a server-side RPC; section 2.1, observed in the original. */
export const RPC_REQUEST_SCHEMA = messageOf(
  textField(1, 'method'),
  { ...textField(2, 'requestId'), type: { kind: 'scalar', scalar: 'int32' } },
  textField(3, 'params'),
);

/** The platform's own message for the answer to it; observed as well. */
export const RPC_RESPONSE_SCHEMA = messageOf(textField(1, 'payload'));
