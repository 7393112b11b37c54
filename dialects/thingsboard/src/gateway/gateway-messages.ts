import { type DeviceIntent, type Intent, type SubDeviceIntent, VALUE_FAULT_TEXTS } from '@moorage/core';
import {
  closeConnection,
  type DialectMessage,
  type Disposition,
  encodeText,
  perform,
  ReasonCode,
} from '@moorage/dialect-api';
import { decodeClaim } from '../claiming.ts';
import { droppedPayload, refusedForGood } from '../codes.ts';
import { type Members, readMembers, textMember } from '../json-members.ts';
import { isProblem, type PayloadContext } from '../payload-context.ts';
import { decodeAttributes, decodeTelemetry } from '../payloads.ts';
import { isDeviceName } from './device-name.ts';
import { decodeGatewayAttributesRequest } from './gateway-attribute-requests.ts';
import type { GatewayTopic } from './gateway-topics.ts';

/** Most devices of one message. */
const MAXIMUM_DEVICES = 1_000;
/** Most members of a message about one device. */
const MAXIMUM_MEMBERS = 64;

const REQUEST_ID = /^-?\d{1,10}$/;

/** A fault is named by the reader of values, or says in words what is wrong. */
const FAULT_TEXTS: ReadonlyMap<string, string> = new Map(Object.entries(VALUE_FAULT_TEXTS));

/** A message that is no object of the expected form. Section 8 */
function wrongForm(reason: string): Disposition {
  return refusedForGood(ReasonCode.ImplementationSpecificError, reason);
}

/** Some devices of the message could not be served: told on 5.0 at every QoS, the others are. Section 8 */
function partly(context: PayloadContext, intents: readonly Intent[], fault: string): Disposition {
  const reason = FAULT_TEXTS.get(fault) ?? fault;
  const { link, device } = context;
  const stays = link.level === 5 || device.settings.sendAckOnValidationException || fault === 'invalidKey';
  if (stays) return { ...droppedPayload(reason), intents };
  return { ...closeConnection(ReasonCode.PayloadFormatInvalid, reason), intents };
}

function subDevice(name: string, type: string | null, ...intents: readonly DeviceIntent[]): SubDeviceIntent {
  return { kind: 'subDevice', name, type, intents };
}

/** Reads what a message says of each of several devices; where arrays are expected, other members are left out. */
function eachDevice(
  context: PayloadContext,
  members: Members,
  opening: '[' | '{',
  read: (text: string) => DeviceIntent | string | null,
): Disposition {
  const intents: SubDeviceIntent[] = [];
  let fault: string | null = null;
  for (const [name, text] of members) {
    if (opening === '[' && !text.startsWith(opening)) continue;
    const reading = !isDeviceName(name) ? 'invalidKey' : text.startsWith(opening) ? read(text) : 'wrongShape';
    if (typeof reading === 'string') fault = fault === null || fault === 'invalidKey' ? reading : fault;
    else intents.push(reading === null ? subDevice(name, null) : subDevice(name, null, reading));
  }
  if (fault !== null) return partly(context, intents, fault);
  return intents.length === 0 ? wrongForm('The message names no device with values.') : perform(intents);
}

function telemetry(context: PayloadContext, members: Members, receivedAt: number): Disposition {
  const { reader, link, options } = context;
  return eachDevice(context, members, '[', (text) =>
    decodeTelemetry(reader, encodeText(text), link, options, receivedAt),
  );
}

function attributes(context: PayloadContext, members: Members, receivedAt: number): Disposition {
  const { reader, link, options } = context;
  return eachDevice(context, members, '{', (text) =>
    decodeAttributes(reader, encodeText(text), link, options, receivedAt),
  );
}

function claims(context: PayloadContext, members: Members): Disposition {
  return eachDevice(context, members, '{', (text) => {
    const inner = readMembers(context.reader, encodeText(text), context.link, MAXIMUM_MEMBERS);
    if (typeof inner === 'string') return inner;
    const claim = decodeClaim(inner);
    return isProblem(claim) ? claim.problem : claim;
  });
}

/** The answer to a server-side RPC: `{"device":"A","id":3,"data":{}}`. Section 8 */
function rpcAnswer(name: string, members: Members): Disposition {
  const id = textMember(members, 'id');
  const payload = members.get('data');
  if (typeof id !== 'string' || !REQUEST_ID.test(id)) return wrongForm('The member id is no number.');
  if (payload === undefined) return wrongForm('The RPC answer has no data.');
  return perform([subDevice(name, null, { kind: 'rpcResponse', id, payload })]);
}

function aboutOneDevice(topic: GatewayTopic, members: Members): Disposition {
  const name = textMember(members, 'device');
  if (typeof name !== 'string' || !isDeviceName(name)) return wrongForm('The message names no device.');
  switch (topic) {
    case 'connect': {
      const type = textMember(members, 'type') ?? '';
      return perform([subDevice(name, type.trim() === '' ? null : type)]);
    }
    case 'disconnect':
      return perform([{ kind: 'subDeviceLeft', name }]);
    case 'rpc':
      return rpcAnswer(name, members);
    default: {
      const request = decodeGatewayAttributesRequest(members);
      return isProblem(request) ? wrongForm(request.problem) : perform([subDevice(name, null, request)]);
    }
  }
}

/** What a gateway says of the devices behind it. Section 8 */
export function gatewayMessage(context: PayloadContext, topic: GatewayTopic, message: DialectMessage): Disposition {
  const severalDevices = topic === 'telemetry' || topic === 'attributes' || topic === 'claim';
  const maximum = severalDevices ? MAXIMUM_DEVICES : MAXIMUM_MEMBERS;
  const members = readMembers(context.reader, message.payload, context.link, maximum);
  if (members === 'wrongShape' || members === 'invalidKey') return wrongForm(VALUE_FAULT_TEXTS[members]);
  if (typeof members === 'string') return partly(context, [], members);
  switch (topic) {
    case 'telemetry':
      return telemetry(context, members, message.receivedAt);
    case 'attributes':
      return attributes(context, members, message.receivedAt);
    case 'claim':
      return claims(context, members);
    default:
      return aboutOneDevice(topic, members);
  }
}
