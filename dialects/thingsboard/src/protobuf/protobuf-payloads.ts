import { PointList, type ProtobufSettings } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import { isProblem, type PayloadContext, type Problem } from '../payload-context.ts';
import { decodeAttributes, decodeTelemetry, type Reading } from '../payloads.ts';
import { jsonToMessage } from './json-to-message.ts';
import { messageToJson } from './message-to-json.ts';
import { readPlatformAttributes, readPlatformTelemetry, type ValueReading } from './platform-payloads.ts';
import { type MessageSchema, RPC_REQUEST_SCHEMA, RPC_RESPONSE_SCHEMA } from './schema.ts';
import type { SchemaCache } from './schema-cache.ts';

/** What a payload asks for, or why it cannot be read; null: nothing to store. */
export type ProtobufReading = Reading | Problem;

/**
 * Payloads of one connection in Protocol Buffers: by the schemas of the profile, or by the platform's own messages
 * where it has none. Section 2.1
 */
export class ProtobufPayloads {
  private readonly context: PayloadContext;
  private readonly schemas: SchemaCache;
  private readonly settings: ProtobufSettings | null;
  /** At most the four texts of the settings. */
  private readonly known = new Map<string, MessageSchema | Problem>();

  constructor(context: PayloadContext, schemas: SchemaCache) {
    this.context = context;
    this.schemas = schemas;
    this.settings = context.device.settings.protobuf;
  }

  telemetry(payload: Uint8Array, receivedAt: number): ProtobufReading {
    const text = this.settings?.telemetrySchema ?? null;
    if (text === null) {
      const points = new PointList();
      return readPlatformTelemetry(payload, receivedAt, points, this.reading) ?? { kind: 'telemetry', points };
    }
    const { reader, link, options } = this.context;
    const json = this.jsonBy(text, payload);
    return json instanceof Uint8Array ? decodeTelemetry(reader, json, link, options, receivedAt) : json;
  }

  attributes(payload: Uint8Array, receivedAt: number): ProtobufReading {
    const text = this.settings?.attributesSchema ?? null;
    if (text === null) {
      const values = new PointList();
      const fault = readPlatformAttributes(payload, receivedAt, values, this.reading);
      return fault ?? { kind: 'attributes', scope: 'CLIENT', values };
    }
    const { reader, link, options } = this.context;
    const json = this.jsonBy(text, payload);
    return json instanceof Uint8Array ? decodeAttributes(reader, json, link, options, receivedAt) : json;
  }

  /** The answer to a server-side RPC as JSON text. */
  rpcAnswer(payload: Uint8Array): { readonly json: string } | Problem {
    const schema = this.schemaOf(this.settings?.rpcResponseSchema ?? null, RPC_RESPONSE_SCHEMA);
    return isProblem(schema) ? schema : messageToJson(payload, schema, this.context.link);
  }

  /** A server-side RPC; undefined: the schema has no room for it. Section 4.1 */
  rpcRequest(id: string, method: string, params: string): Uint8Array | undefined {
    const schema = this.schemaOf(this.settings?.rpcRequestSchema ?? null, RPC_REQUEST_SCHEMA);
    if (isProblem(schema)) return undefined;
    return jsonToMessage({ method, requestId: Number(id), params: parsed(params) }, schema);
  }

  private get reading(): ValueReading {
    const { reader, link, options } = this.context;
    return { reader, decoding: link, options };
  }

  private jsonBy(text: string, payload: Uint8Array): Uint8Array | Problem {
    const schema = this.compiled(text);
    if (isProblem(schema)) return schema;
    const read = messageToJson(payload, schema, this.context.link);
    return isProblem(read) ? read : encodeText(read.json);
  }

  private schemaOf(text: string | null, standard: MessageSchema): MessageSchema | Problem {
    return text === null ? standard : this.compiled(text);
  }

  /** Kept for the connection, so that it compiles each text once however many other texts the server has to do with. */
  private compiled(text: string): MessageSchema | Problem {
    const schema = this.known.get(text) ?? this.schemas.schemaOf(text);
    this.known.set(text, schema);
    return schema;
  }
}

/** JSON text as a value; a text that is no JSON stands for itself. */
function parsed(json: string): unknown {
  if (json === '') return null;
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
