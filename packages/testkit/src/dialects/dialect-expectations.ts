import { type Attribute, type Intent, ValueKind } from '@moorage/core';
import type { Authentication, DeviceReply, Disposition, OutboundMessage } from '@moorage/dialect-api';
import { isReasonCodeFor, isTopicName, PacketType, type ProtocolLevel, type QoS } from '@moorage/mqtt-codec';
import { expect } from 'vitest';

/** Intents of a message that is not a gateway's. */
export const MAXIMUM_INTENTS = 16;

/** Longest ReplyRef in characters. */
const MAXIMUM_REF = 400;

/** A Principal, a Refusal or `notMine` as the host understands it. */
export function expectAuthentication(answer: Authentication, level: ProtocolLevel): void {
  if (answer.outcome === 'accepted') {
    expect(answer.principal.device !== null && answer.principal.application !== null).toBe(false);
    expect(level === 5 || answer.principal.assignedClientId !== '').toBe(true);
    return;
  }
  expect(answer.reason).toMatch(/\S/);
  if (answer.outcome === 'notMine') return;
  expect(answer.returnCode).toBeGreaterThanOrEqual(1);
  expect(answer.returnCode).toBeLessThanOrEqual(5);
  expect(answer.reasonCode).toBeGreaterThanOrEqual(0x80);
  expect(isReasonCodeFor(PacketType.Connack, answer.reasonCode, 'server')).toBe(true);
}

/** A message may be refused for some of the devices behind a gateway and hold for the others; else it is all or nothing. */
export function expectDisposition({ route, intents, refuse, close }: Disposition, maximumIntents: number): void {
  expect(typeof route).toBe('boolean');
  expect(intents.length).toBeLessThanOrEqual(maximumIntents);
  for (const intent of intents) {
    if (intent.kind === 'subDevice') expect(intent.intents.length).toBeLessThanOrEqual(MAXIMUM_INTENTS);
    for (const ref of refsOf(intent)) expect(ref.length).toBeLessThanOrEqual(MAXIMUM_REF);
  }
  for (const refusal of [refuse, close]) {
    if (refusal === null) continue;
    expect(refusal.reason).toMatch(/\S/);
    expect(intents.filter(({ kind }) => kind !== 'subDevice')).toEqual([]);
  }
  if (refuse !== null) expect(isReasonCodeFor(PacketType.Puback, refuse.reasonCode, 'server')).toBe(true);
  if (close !== null) expect(isReasonCodeFor(PacketType.Disconnect, close.reasonCode, 'server')).toBe(true);
}

function refsOf(intent: Intent): readonly string[] {
  if (intent.kind === 'subDevice') return intent.intents.flatMap(refsOf);
  return 'ref' in intent ? [intent.ref] : [];
}

const ATTRIBUTE: Attribute = { scope: 'CLIENT', key: 'k"', kind: ValueKind.Double, value: 1, lastUpdateTs: 0 };

/** Every answer that the host may give to this intent. */
export function repliesTo(intent: Intent, subDevice: string | null): readonly DeviceReply[] {
  switch (intent.kind) {
    case 'subDevice':
      return intent.intents.flatMap((inner) => repliesTo(inner, intent.name));
    case 'attributesRequest': {
      const { ref } = intent;
      const some = [ATTRIBUTE];
      return [
        { kind: 'attributes', ref, subDevice, client: [], shared: [] },
        { kind: 'attributes', ref, subDevice, client: some, shared: some },
      ];
    }
    case 'clientRpc':
      return [{ kind: 'clientRpc', ref: intent.ref, subDevice, payload: '{"error":"timeout"}' }];
    case 'dialectRequest':
      return [{ kind: 'dialect', ref: intent.ref, subDevice, payload: '{}' }];
    case 'provision': {
      const { ref } = intent;
      const value = '{"clientId":"c","userName":"u","password":"p"}';
      return [
        { kind: 'provision', ref, outcome: { status: 'NOT_FOUND' } },
        { kind: 'provision', ref, outcome: { status: 'FAILURE', reason: 'a reason for the log' } },
        {
          kind: 'provision',
          ref,
          outcome: { status: 'SUCCESS', credentialsType: 'MQTT_BASIC', credentialsValue: value },
        },
      ];
    }
    case 'otaChunk': {
      const { ref } = intent;
      const errors = ['notFound', 'elsewhere', 'tooLarge', 'failed'] as const;
      const pulled = { length: 1, read: async () => Uint8Array.of(1), close() {} };
      return [
        { kind: 'otaChunk', ref, payload: new Uint8Array(0) },
        { kind: 'otaChunk', ref, payload: pulled },
        ...errors.map((error) => ({ kind: 'otaError', ref, error }) as const),
      ];
    }
    default:
      return [];
  }
}

/** Every answer that a disposition with `tell` may get. */
export function outcomesOf({ tell }: Disposition): readonly DeviceReply[] {
  if (tell === undefined) return [];
  return (['stored', 'full', 'failed', 'refused'] as const).map((outcome) => ({ kind: 'outcome', ref: tell, outcome }));
}

/** Messages that the broker can send to the device. */
export function expectMessages(messages: readonly OutboundMessage[], maximumQoS: QoS): void {
  for (const { topicName, payload, qos } of messages) {
    expect(isTopicName(topicName), topicName).toBe(true);
    expect(qos).toBeLessThanOrEqual(maximumQoS);
    expect(payload.length).toBeLessThanOrEqual(1024 * 1024);
    if (!(payload instanceof Uint8Array)) expect(typeof payload.read).toBe('function');
  }
}
