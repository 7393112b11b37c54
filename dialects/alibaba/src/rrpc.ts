import { jsonString, type RpcTimeoutRange } from '@moorage/core';
import { encodeText, toBase64 } from '@moorage/dialect-api';
import { readResponse, responsePayload } from './envelope.ts';
import type { JsonTexts } from './json-text.ts';

/** A call with a payload of its own, made as RPC with this method. Section 4.3 */
export const RRPC_METHOD = 'rrpc';

/** Milliseconds. Section 2.6 */
export const RRPC_TIMEOUT: RpcTimeoutRange = { minimum: 1000, maximum: 8000 };

/** What `params` of such a call say. */
export interface RrpcCall {
  /** The custom form's topic, with a solidus before it; null: the system's form. */
  readonly topic: string | null;
  readonly payload: Uint8Array;
}

const MAXIMUM_MEMBERS = 16;

/** `{"topic","payload"}`, both optional; a payload that is no text goes out as JSON. undefined: it is something else. */
export function readRrpcCall(texts: JsonTexts, params: string): RrpcCall | undefined {
  const members = texts.members(params, MAXIMUM_MEMBERS);
  if (members === undefined) return undefined;
  const topic = jsonString(members.get('topic')) ?? '';
  const payload = members.get('payload') ?? '""';
  return {
    topic: topic === '' ? null : topic.startsWith('/') ? topic : `/${topic}`,
    payload: encodeText(jsonString(payload) ?? payload),
  };
}

/** What the device answered, as JSON text: JSON as it is, other text as text, bytes as `{"payloadBase64"}`. */
export function rrpcAnswer(texts: JsonTexts, payload: Uint8Array): string {
  const json = texts.reader.readJson(payload, texts.decoding);
  if (json !== undefined) return json;
  const text = texts.decoding.text(payload);
  return text === undefined ? JSON.stringify({ payloadBase64: toBase64(payload) }) : JSON.stringify(text);
}

/** The answer to a service that was called this way. */
export function rrpcServiceAnswer(texts: JsonTexts, payload: Uint8Array): string {
  const response = readResponse(texts, payload);
  return response === undefined ? rrpcAnswer(texts, payload) : responsePayload(response);
}
