import { type Intent, type ProtobufSettings, ValueReader } from '@moorage/core';
import type { DialectSession, ProtocolLevel, QoS } from '@moorage/dialect-api';
import { deviceLink, deviceRef, dialectMessage } from '@moorage/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SchemaCache } from './protobuf/schema-cache.ts';
import { ProvisioningSession } from './provisioning-session.ts';
import { ThingsboardSession } from './session.ts';

const TOPICS = [
  'v1/devices/me/telemetry',
  'v2/t',
  'v2/t/j',
  'v2/t/p',
  'v1/devices/me/attributes',
  'v2/a/j',
  'v2/a/p',
  'v1/devices/me/attributes/request/1',
  'v2/a/req/j/1',
  'v2/a/req/p/1',
  'v1/devices/me/rpc/request/1',
  'v2/r/req/p/1',
  'v1/devices/me/rpc/response/1',
  'v2/r/res/j/1',
  'v2/r/res/p/1',
  'v1/devices/me/claim',
  'v2/fw/request/1/chunk/0',
  'v1/gateway/connect',
  'v1/gateway/disconnect',
  'v1/gateway/telemetry',
  'v1/gateway/attributes',
  'v1/gateway/attributes/request',
  'v1/gateway/rpc',
  'v1/gateway/claim',
  '/provision/request',
  'elsewhere',
];

const PROTOBUF: ProtobufSettings = {
  telemetrySchema: `syntax = "proto3"; message Inner { Inner again = 1; repeated sint32 list = 2; }
    message T { int64 ts = 1; map<string, double> values = 2; Inner inner = 3; oneof o { string a = 4; bytes b = 5; } }`,
  attributesSchema: null,
  rpcRequestSchema: null,
  rpcResponseSchema: null,
  acceptJson: true,
  jsonDownlinks: false,
};

const tools = { reader: new ValueReader(), schemas: new SchemaCache(), now: () => 0 };

function sessions(level: ProtocolLevel): DialectSession[] {
  const link = deviceLink(level);
  return [
    new ThingsboardSession(tools, deviceRef(), link),
    new ThingsboardSession(tools, deviceRef({ gateway: true }), link),
    new ThingsboardSession(tools, deviceRef({ gateway: true }, { protobuf: PROTOBUF }), link),
    new ThingsboardSession(tools, deviceRef({}, { telemetryTopic: '#', attributesTopic: '+/a' }), link),
    new ProvisioningSession(tools.reader, link),
  ];
}

/** Intents with all that are inside them. */
function countOf(intents: readonly Intent[]): number {
  let count = 0;
  for (const intent of intents) count += intent.kind === 'subDevice' ? 1 + intent.intents.length : 1;
  return count;
}

const encoder = new TextEncoder();
const piece = fc.constantFrom(
  ...'{ } [ ] : , " \' = # 1 -1 1e5 null true a "a" "ts" "values" "device" "id" "client" "shared" "key" "keys" "data"'.split(
    ' ',
  ),
  ...'"method" "params" "clientKeys" "sharedKeys" "secretKey" "durationMs" "provisionDeviceKey" "x,y" "__proto__"'.split(
    ' ',
  ),
);
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 120 }),
  fc.array(piece, { maxLength: 30 }).map((pieces) => encoder.encode(pieces.join(''))),
  fc.jsonValue({ maxDepth: 4 }).map((value) => encoder.encode(JSON.stringify(value))),
  fc
    .dictionary(fc.string(), fc.array(fc.dictionary(fc.string(), fc.jsonValue())))
    .map((value) => encoder.encode(JSON.stringify(value))),
);

describe('hostile messages', () => {
  it('any bytes on any topic are answered, with bounded intents, and keep no hold of the payload [B5]', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...TOPICS),
        payload,
        fc.constantFrom<ProtocolLevel>(3, 4, 5),
        fc.constantFrom<QoS>(0, 1, 2),
        (topicName, bytes, level, qos) => {
          for (const session of sessions(level)) {
            const message = dialectMessage(topicName, bytes.slice(), { qos });
            const disposition = session.publish(message);
            expect(disposition.route).toBe(false);
            expect(countOf(disposition.intents)).toBeLessThanOrEqual(2_000);
            const before = JSON.stringify(disposition, (_, value) =>
              typeof value === 'bigint' ? String(value) : value,
            );
            message.payload.fill(0x58);
            const after = JSON.stringify(disposition, (_, value) =>
              typeof value === 'bigint' ? String(value) : value,
            );
            expect(after).toBe(before);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('the largest payloads of few bytes a value are answered on every topic [B5]', () => {
    const fill = (text: string) => encoder.encode(text.repeat(Math.floor(65_536 / text.length)));
    const list = (open: string, text: string, close: string) =>
      encoder.encode(`${open}${text.repeat(Math.floor(65_000 / text.length))}${close}`);
    const payloads = [
      fill('['),
      fill('{"a":'),
      fill('\u0000'),
      fill('\n\u0000'),
      fill('\u0012\u0000'),
      list('{', '"a":[{"b":1}],', '"z":1}'),
      list('{"clientKeys":"', 'a,', '"}'),
      list('{"id":1,"device":"A","client":true,"keys":[', '"k",', '"k"]}'),
      list('{"device":"', 'x', '"}'),
    ];
    for (const session of sessions(5)) {
      for (const topicName of TOPICS) {
        for (const bytes of payloads) {
          expect(countOf(session.publish(dialectMessage(topicName, bytes)).intents)).toBeLessThanOrEqual(2_000);
        }
      }
    }
  });
});
