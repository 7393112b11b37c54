import { formatValues } from '@moorage/core';
import { type DeviceCommand, type DeviceReply, encodeText, type ReasonCode } from '@moorage/dialect-api';
import type { Answer } from '../answer.ts';
import { formatRpc } from '../payloads.ts';
import { isRequestId } from '../topics.ts';
import { formatGatewayAttributes } from './gateway-attribute-requests.ts';
import { GATEWAY_ATTRIBUTES, GATEWAY_ATTRIBUTES_RESPONSE, GATEWAY_DISCONNECT, GATEWAY_RPC } from './gateway-topics.ts';

function about(name: string, data: string): Uint8Array {
  return encodeText(`{"device":${JSON.stringify(name)},"data":${data}}`);
}

/** A command for a device behind the gateway; undefined: the gateway API has no word for it. Section 8 */
export function gatewayCommand(name: string, command: DeviceCommand): readonly Answer[] | undefined {
  if (command.kind === 'rpc') {
    if (!isRequestId(command.id)) return undefined;
    const call = formatRpc(command.method, command.params, `"id":${Number(command.id)},`);
    return [{ topicName: GATEWAY_RPC, payload: about(name, call) }];
  }
  const answers: Answer[] = [];
  const { values, deleted } = command;
  if (values !== null) answers.push({ topicName: GATEWAY_ATTRIBUTES, payload: about(name, formatValues(values)) });
  if (deleted !== null) {
    answers.push({ topicName: GATEWAY_ATTRIBUTES, payload: about(name, JSON.stringify({ deleted })) });
  }
  return answers;
}

/** The server ended the session of a device behind the gateway; on 5.0 only. Section 8 */
export function gatewayDisconnect(name: string, reasonCode: ReasonCode): Answer {
  const payload = encodeText(JSON.stringify({ device: name, reason: reasonCode }));
  return { topicName: GATEWAY_DISCONNECT, payload };
}

/** The answer to what a gateway asked for a device behind it; undefined: there is no such request. Section 8 */
export function gatewayReply(
  reply: Extract<DeviceReply, { kind: 'attributes' | 'clientRpc' }>,
  name: string,
): Answer | undefined {
  if (reply.kind !== 'attributes') return undefined;
  const text = formatGatewayAttributes(reply.ref, name, reply.client, reply.shared);
  return text === undefined ? undefined : { topicName: GATEWAY_ATTRIBUTES_RESPONSE, payload: encodeText(text) };
}
