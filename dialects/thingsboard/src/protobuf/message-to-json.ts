import type { TextDecoding } from '@moorage/core';
import type { Problem } from '../payload-context.ts';
import { defaultOf, readScalar, WIRE_TYPES } from './scalars.ts';
import type { FieldSchema, MessageSchema, ValueType } from './schema.ts';
import { WireReader, WireType } from './wire-reader.ts';

/** Deepest nesting of messages, the outermost included. */
const MAXIMUM_DEPTH = 24;

/**
 * Longest JSON text in characters. Fields with their default values are written too, so a few bytes may become a
 * thousand times as many.
 */
const MAXIMUM_JSON_LENGTH = 1_048_576;

const NO_ENTRIES: ReadonlyMap<string, Held> = new Map();
const MALFORMED: Problem = { problem: 'The payload is no message of the schema.' };
const TOO_LARGE: Problem = { problem: `The message is longer than ${MAXIMUM_JSON_LENGTH} characters as JSON.` };

/** A value as JSON text, or a message whose fields may still follow. */
type Held = string | HeldMessage;

/** What was read of one message, by field numbers. */
class HeldMessage {
  readonly singles = new Map<number, Held>();
  /** Most messages have neither lists nor maps. */
  private lists: Map<number, Held[]> | null = null;
  private maps: Map<number, Map<string, Held>> | null = null;

  list(number: number): readonly Held[] | undefined {
    return this.lists?.get(number);
  }

  entries(number: number): ReadonlyMap<string, Held> | undefined {
    return this.maps?.get(number);
  }

  openList(number: number): Held[] {
    this.lists ??= new Map();
    const list = this.lists.get(number) ?? [];
    this.lists.set(number, list);
    return list;
  }

  openEntries(number: number): Map<string, Held> {
    this.maps ??= new Map();
    const entries = this.maps.get(number) ?? new Map<string, Held>();
    this.maps.set(number, entries);
    return entries;
  }
}

/** Reads one message; of a single field that comes twice the last holds, and messages are merged. proto3, Encoding */
class MessageReader {
  private readonly decoding: TextDecoding;

  constructor(decoding: TextDecoding) {
    this.decoding = decoding;
  }

  /** What cannot be read leaves the reader malformed. */
  read(reader: WireReader, schema: MessageSchema, into: HeldMessage, depth: number): void {
    if (depth > MAXIMUM_DEPTH) reader.fail();
    for (let number = reader.next(); number !== 0; number = reader.next()) {
      const field = schema.byNumber.get(number);
      if (field === undefined) reader.skip();
      else this.field(reader, field, into, depth);
    }
  }

  private field(reader: WireReader, field: FieldSchema, into: HeldMessage, depth: number): void {
    const { number, type, form } = field;
    const expected = form === 'map' ? WireType.Bytes : wireTypeOf(type);
    const packed = form === 'repeated' && reader.wireType === WireType.Bytes && expected !== WireType.Bytes;
    if (packed) this.packed(reader, type, into.openList(number));
    // A field of another wire type is passed over, as an unknown one is.
    else if (reader.wireType !== expected) reader.skip();
    else if (form === 'map') this.entry(reader, field, into.openEntries(number), depth);
    else if (form === 'repeated') into.openList(number).push(this.value(reader, type, depth));
    else into.singles.set(number, this.value(reader, type, depth, into.singles.get(number)));
  }

  private packed(reader: WireReader, type: ValueType, list: Held[]): void {
    const inner = new WireReader(reader.block());
    while (!inner.done) list.push(this.value(inner, type, 0));
    if (inner.malformed) reader.fail();
  }

  private entry(reader: WireReader, field: FieldSchema, entries: Map<string, Held>, depth: number): void {
    const keyType = field.keyType ?? 'string';
    const inner = new WireReader(reader.block());
    let key = defaultOf(keyType);
    let value: Held = defaultText(field.type);
    for (let number = inner.next(); number !== 0; number = inner.next()) {
      if (number === 1 && inner.wireType === WIRE_TYPES[keyType]) key = readScalar(inner, keyType, this.decoding);
      else if (number === 2 && inner.wireType === wireTypeOf(field.type)) value = this.value(inner, field.type, depth);
      else inner.skip();
    }
    if (inner.malformed) reader.fail();
    entries.set(key.startsWith('"') ? key : `"${key}"`, value);
  }

  private value(reader: WireReader, type: ValueType, depth: number, before?: Held): Held {
    if (type.kind === 'scalar') return readScalar(reader, type.scalar, this.decoding);
    if (type.kind === 'enum') {
      const number = Number(BigInt.asIntN(32, reader.varint()));
      return enumText(type.names, number);
    }
    const message = before instanceof HeldMessage ? before : new HeldMessage();
    const inner = new WireReader(reader.block());
    this.read(inner, type.message, message, depth + 1);
    if (inner.malformed) reader.fail();
    return message;
  }
}

function wireTypeOf(type: ValueType): number {
  if (type.kind === 'scalar') return WIRE_TYPES[type.scalar];
  return type.kind === 'enum' ? WireType.Varint : WireType.Bytes;
}

function enumText(names: ReadonlyMap<number, string>, number: number): string {
  const name = names.get(number);
  return name === undefined ? String(number) : JSON.stringify(name);
}

function defaultText(type: ValueType): string {
  if (type.kind === 'scalar') return defaultOf(type.scalar);
  return type.kind === 'message' ? '{}' : enumText(type.names, 0);
}

/** Writes what was read as JSON. Fields without presence have their default value where none was sent. */
class JsonWriter {
  private readonly parts: string[] = [];
  private length = 0;

  /** undefined: the text would be too long. */
  write(message: HeldMessage, schema: MessageSchema): string | undefined {
    return this.message(message, schema) ? this.parts.join('') : undefined;
  }

  private add(text: string): boolean {
    this.parts.push(text);
    this.length += text.length;
    return this.length <= MAXIMUM_JSON_LENGTH;
  }

  private message(message: HeldMessage, schema: MessageSchema): boolean {
    let separator = '{';
    for (const field of schema.fields) {
      if (field.presence && field.form === 'single' && !message.singles.has(field.number)) continue;
      if (!this.add(`${separator}${JSON.stringify(field.jsonName)}:`) || !this.field(message, field)) return false;
      separator = ',';
    }
    return this.add(separator === '{' ? '{}' : '}');
  }

  private field(message: HeldMessage, field: FieldSchema): boolean {
    const { number, type, form } = field;
    if (form === 'repeated') return this.list(message.list(number) ?? [], field);
    if (form === 'map') return this.entries(message.entries(number) ?? NO_ENTRIES, field);
    return this.value(message.singles.get(number) ?? defaultText(type), type);
  }

  private list(list: readonly Held[], field: FieldSchema): boolean {
    if (!this.add('[')) return false;
    for (const [index, held] of list.entries()) {
      if (index > 0 && !this.add(',')) return false;
      if (!this.value(held, field.type)) return false;
    }
    return this.add(']');
  }

  private entries(entries: ReadonlyMap<string, Held>, field: FieldSchema): boolean {
    let separator = '{';
    for (const [key, held] of entries) {
      if (!this.add(`${separator}${key}:`) || !this.value(held, field.type)) return false;
      separator = ',';
    }
    return this.add(separator === '{' ? '{}' : '}');
  }

  private value(held: Held, type: ValueType): boolean {
    if (typeof held === 'string') return this.add(held);
    return type.kind === 'message' && this.message(held, type.message);
  }
}

/** The message as JSON text, by the names that fields have in JSON. */
export function messageToJson(
  payload: Uint8Array,
  schema: MessageSchema,
  decoding: TextDecoding,
): { readonly json: string } | Problem {
  const message = new HeldMessage();
  const reader = new WireReader(payload);
  new MessageReader(decoding).read(reader, schema, message, 1);
  if (reader.malformed) return MALFORMED;
  const json = new JsonWriter().write(message, schema);
  return json === undefined ? TOO_LARGE : { json };
}
