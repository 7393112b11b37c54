import { VALUE_FAULT_TEXTS } from '@moorage/core';
import { type DialectMessage, type Disposition, NOTHING, perform } from '@moorage/dialect-api';
import { type AttributeKeys, decodeAttributesRequest } from './attribute-requests.ts';
import { decodeClaim, OPEN_CLAIM } from './claiming.ts';
import { type ClientCall, decodeClientCall } from './client-rpc.ts';
import { type Members, readMembers } from './json-members.ts';
import { faulty, isProblem, type PayloadContext, type Problem, unreadable } from './payload-context.ts';
import { readAttributesRequest, readClaim, readClientCall } from './protobuf/platform-requests.ts';
import type { ProtobufPayloads, ProtobufReading } from './protobuf/protobuf-payloads.ts';
import { type Encoding, isRequestId, type PublishTopic } from './topics.ts';

type RequestTopic = Extract<PublishTopic, { kind: 'attributesRequest' | 'clientRpc' | 'rpcResponse' }>;

/** Most members of a request; unknown ones are ignored. */
const MAXIMUM_MEMBERS = 64;

/** Reads by the encoding of the topic: Protocol Buffers first, and JSON where that may be and the first fails. */
function byEncoding<T>(encoding: Encoding, protobuf: () => T | Problem, json: () => T | Problem): T | Problem {
  const read = encoding === 'json' ? json() : protobuf();
  return encoding === 'either' && isProblem(read) ? json() : read;
}

/** The messages of one device about itself that are not plain JSON values. */
export class DeviceRequests {
  readonly protobuf: ProtobufPayloads;
  private readonly context: PayloadContext;

  constructor(context: PayloadContext, protobuf: ProtobufPayloads) {
    this.context = context;
    this.protobuf = protobuf;
  }

  /** Values in Protocol Buffers; null: they are none, and may be JSON. */
  values(kind: 'telemetry' | 'attributes', encoding: Encoding, message: DialectMessage): Disposition | null {
    const { payload, receivedAt } = message;
    const reading: ProtobufReading =
      kind === 'telemetry'
        ? this.protobuf.telemetry(payload, receivedAt)
        : this.protobuf.attributes(payload, receivedAt);
    if (reading === null) return NOTHING;
    if (typeof reading !== 'string' && !isProblem(reading)) return perform([reading]);
    if (encoding === 'either') return null;
    return isProblem(reading)
      ? unreadable(this.context, message, reading.problem)
      : faulty(this.context, message, reading);
  }

  attributes(topic: Extract<RequestTopic, { answerTo: string }>, message: DialectMessage): Disposition {
    if (!isRequestId(topic.id)) return this.wrongId(message);
    const { payload } = message;
    const keys = byEncoding<AttributeKeys>(
      topic.encoding,
      () => readAttributesRequest(payload, this.context.link),
      () => this.fromJson(payload, decodeAttributesRequest),
    );
    if (isProblem(keys)) return unreadable(this.context, message, keys.problem);
    return perform([{ kind: 'attributesRequest', ...keys, ref: topic.answerTo }]);
  }

  clientRpc(topic: Extract<RequestTopic, { answerTo: string }>, message: DialectMessage): Disposition {
    if (!isRequestId(topic.id)) return this.wrongId(message);
    const { payload } = message;
    const call = byEncoding<ClientCall>(
      topic.encoding,
      () => readClientCall(payload, this.context.link),
      () => this.fromJson(payload, decodeClientCall),
    );
    if (isProblem(call)) return unreadable(this.context, message, call.problem);
    return perform([{ kind: 'clientRpc', method: call.method, params: call.params, ref: topic.answerTo }]);
  }

  /** Any text is an answer; who asked judges whether it is JSON. Section 4.1 */
  rpcAnswer(topic: RequestTopic, message: DialectMessage): Disposition {
    if (!isRequestId(topic.id)) return this.wrongId(message);
    const { payload } = message;
    const answer = byEncoding<{ readonly json: string }>(
      topic.encoding,
      () => this.protobuf.rpcAnswer(payload),
      () => this.anyText(payload),
    );
    if (isProblem(answer)) return unreadable(this.context, message, answer.problem);
    return perform([{ kind: 'rpcResponse', id: topic.id, payload: answer.json }]);
  }

  claim(encoding: Encoding, message: DialectMessage): Disposition {
    const { payload } = message;
    if (payload.length === 0) return perform([OPEN_CLAIM]);
    const claim = byEncoding(
      encoding,
      () => readClaim(payload, this.context.link),
      () => this.fromJson(payload, decodeClaim),
    );
    return isProblem(claim) ? unreadable(this.context, message, claim.problem) : perform([claim]);
  }

  private fromJson<T>(payload: Uint8Array, decode: (members: Members) => T | Problem): T | Problem {
    const members = readMembers(this.context.reader, payload, this.context.link, MAXIMUM_MEMBERS);
    return typeof members === 'string' ? { problem: VALUE_FAULT_TEXTS[members] } : decode(members);
  }

  private anyText(payload: Uint8Array): { readonly json: string } | Problem {
    const json = this.context.link.text(payload);
    return json === undefined ? { problem: 'The RPC answer is not UTF-8.' } : { json };
  }

  private wrongId(message: DialectMessage): Disposition {
    return unreadable(this.context, message, 'The identifier of the request is not a number.');
  }
}
