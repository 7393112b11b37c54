import protobuf from 'protobufjs';
import type { Problem } from '../payload-context.ts';
import {
  type FieldSchema,
  jsonNameOf,
  type MessageSchema,
  SCALAR_TYPES,
  type ScalarType,
  type ValueType,
} from './schema.ts';

/** Longest schema in characters, and most fields of all its messages: compiling one takes a few dozen milliseconds at worst. */
const MAXIMUM_SCHEMA_LENGTH = 16_384;
const MAXIMUM_FIELDS = 1_000;
const MAXIMUM_FIELD_NUMBER = 2 ** 29 - 1;

interface MutableMessage extends MessageSchema {
  readonly fields: FieldSchema[];
  readonly byNumber: Map<number, FieldSchema>;
}

function isScalar(type: string): type is ScalarType {
  return (SCALAR_TYPES as readonly string[]).includes(type);
}

/**
 * Turns the parsed types into plain data. Only the parser of protobufjs is used: payloads are read by our own code, so
 * that no code is ever generated from the text of a schema.
 */
class SchemaBuilder {
  private readonly messages = new Map<protobuf.Type, MutableMessage>();
  private fieldCount = 0;

  message(type: protobuf.Type): MessageSchema {
    const known = this.messages.get(type);
    if (known !== undefined) return known;
    const message: MutableMessage = { fields: [], byNumber: new Map() };
    // Entered before its fields are read, since a message may contain itself.
    this.messages.set(type, message);
    for (const field of type.fieldsArray) {
      if (++this.fieldCount > MAXIMUM_FIELDS) throw new RangeError(`it has more than ${MAXIMUM_FIELDS} fields`);
      const built = this.field(field);
      message.fields.push(built);
      message.byNumber.set(built.number, built);
    }
    message.fields.sort((a, b) => a.number - b.number);
    return message;
  }

  private field(field: protobuf.Field): FieldSchema {
    if (field.id < 1 || field.id > MAXIMUM_FIELD_NUMBER) throw new RangeError(`the number of ${field.name} is wrong`);
    const type = this.valueType(field);
    const keyType = field instanceof protobuf.MapField && isScalar(field.keyType) ? field.keyType : null;
    return {
      number: field.id,
      name: field.name,
      jsonName: jsonNameOf(field.name),
      type,
      form: keyType !== null ? 'map' : field.repeated ? 'repeated' : 'single',
      keyType,
      presence: field.partOf !== null || type.kind === 'message',
    };
  }

  private valueType(field: protobuf.Field): ValueType {
    if (isScalar(field.type)) return { kind: 'scalar', scalar: field.type };
    const resolved = field.resolvedType;
    if (resolved instanceof protobuf.Enum) {
      const names = new Map(Object.entries(resolved.values).map(([name, number]) => [number, name]));
      return { kind: 'enum', names };
    }
    if (resolved instanceof protobuf.Type) return { kind: 'message', message: this.message(resolved) };
    throw new TypeError(`the type of ${field.name} is not known`);
  }
}

/** The messages of one package, in the order of the text. */
function topLevelTypes(parsed: protobuf.IParserResult): readonly protobuf.Type[] {
  const scope = parsed.package === undefined ? parsed.root : parsed.root.lookup(parsed.package);
  if (!(scope instanceof protobuf.Namespace)) return [];
  return scope.nestedArray.filter((one): one is protobuf.Type => one instanceof protobuf.Type);
}

/**
 * The message that a schema in proto3 describes: the last one of the text, as in the original. Texts come from tenants:
 * they are bounded, and whatever is wrong with one is answered, never thrown.
 */
export function parseSchema(text: string): MessageSchema | Problem {
  if (text.length > MAXIMUM_SCHEMA_LENGTH) {
    return { problem: `The schema has more than ${MAXIMUM_SCHEMA_LENGTH} characters.` };
  }
  try {
    const parsed = protobuf.parse(text, { keepCase: true });
    if (parsed.imports !== undefined || parsed.weakImports !== undefined) {
      return { problem: 'The schema imports another one.' };
    }
    parsed.root.resolveAll();
    const last = topLevelTypes(parsed).at(-1);
    if (last === undefined) return { problem: 'The schema has no message.' };
    return new SchemaBuilder().message(last);
  } catch (error) {
    const cause = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    return { problem: `The schema cannot be used: ${cause}.` };
  }
}
