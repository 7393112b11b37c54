import type { Problem } from '../payload-context.ts';
import type { MessageSchema } from './schema.ts';
import { parseSchema } from './schema-parser.ts';

/** Schemas by their texts; one that cannot be used is remembered as well. The one unused for longest goes first. */
export class SchemaCache {
  private readonly schemas = new Map<string, MessageSchema | Problem>();
  private readonly capacity: number;

  constructor(capacity = 64) {
    this.capacity = capacity;
  }

  schemaOf(text: string): MessageSchema | Problem {
    const schema = this.schemas.get(text) ?? parseSchema(text);
    this.schemas.delete(text);
    this.schemas.set(text, schema);
    const oldest = this.schemas.keys().next();
    if (this.schemas.size > this.capacity && oldest.done !== true) this.schemas.delete(oldest.value);
    return schema;
  }
}
