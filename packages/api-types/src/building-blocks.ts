import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';

/** JSON as it travels; free members of entities are of this type. */
export type ApiJson = null | boolean | number | string | readonly ApiJson[] | { readonly [key: string]: ApiJson };
/** A free JSON object. */
export type ApiJsonObject = { readonly [key: string]: ApiJson };

/** A named schema is one with `$id`; it becomes a component of the OpenAPI document. */
export type NamedSchema = TSchema & { readonly $id: string };

/** A use of a named schema, by reference. */
export function refTo<T extends TSchema>(schema: T & { readonly $id: string }): TUnsafe<Static<T>> {
  return Type.Unsafe<Static<T>>(Type.Ref(schema.$id));
}

/** A named schema that may also be null. */
export function nullableRefTo<T extends TSchema>(
  schema: T & { readonly $id: string },
  options: { readonly description?: string } = {},
): TUnsafe<Static<T> | null> {
  return Type.Unsafe<Static<T> | null>({ anyOf: [{ $ref: schema.$id }, { type: 'null' }], ...options });
}

/** A text that may be null. */
export function nullableText(options: { readonly description?: string; readonly maxLength?: number } = {}) {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], ...options });
}

/** A whole number that may be null. */
export function nullableInteger(options: { readonly description?: string } = {}) {
  return Type.Unsafe<number | null>({ type: ['integer', 'null'], ...options });
}

/** A free JSON object that may be null. */
export function nullableJsonObject(options: { readonly description?: string } = {}) {
  return Type.Unsafe<ApiJsonObject | null>({ type: ['object', 'null'], additionalProperties: true, ...options });
}

/** A free JSON object. */
export function freeJsonObject(options: { readonly description?: string } = {}) {
  return Type.Unsafe<ApiJsonObject>({ type: 'object', additionalProperties: true, ...options });
}

/** Epoch milliseconds. */
export function epochMs(description = 'Epoch milliseconds.') {
  return Type.Integer({ description });
}

/** A member that ThingsBoard has and that is always empty here. */
export function alwaysNull() {
  return Type.Null({ description: 'Always null.' });
}

/** Gives a schema its name in the OpenAPI document. */
export function named<const Id extends string, T extends TSchema>(id: Id, schema: T): T & { readonly $id: Id } {
  return { ...schema, $id: id };
}
