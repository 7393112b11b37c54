import {
  closeConnection,
  type Disposition,
  type ProtocolLevel,
  type QoS,
  ReasonCode,
  type Refusal,
  refuseMessage,
} from '@moorage/dialect-api';

function refusal(returnCode: Refusal['returnCode'], reasonCode: ReasonCode, reason: string): Refusal {
  return { outcome: 'refused', returnCode, reasonCode, reason };
}

/** A user name, token or password that does not fit. Section 1.5 */
export function badCredentials(reason: string): Refusal {
  return refusal(5, ReasonCode.BadUserNameOrPassword, reason);
}

/** No credential at all, or one that is not offered here. Section 1.5 */
export function notAuthorized(reason: string): Refusal {
  return refusal(5, ReasonCode.NotAuthorized, reason);
}

/** A Client Identifier that is unknown, or empty where it may not be. Section 1.5 */
export function clientIdNotValid(reason: string): Refusal {
  return refusal(2, ReasonCode.ClientIdentifierNotValid, reason);
}

/** A user name of length zero; the documented code, which current servers no longer send. Section 1.5 */
export function emptyUsername(): Refusal {
  return refusal(4, ReasonCode.BadUserNameOrPassword, 'The user name is empty.');
}

/** The profile of the device is bound to another transport. Section 1.3 */
export function wrongTransport(transportType: string): Refusal {
  return unavailable(`The device profile is bound to the transport ${transportType}.`);
}

/** The server cannot answer now. Section 1.5 */
export function unavailable(reason: string): Refusal {
  return refusal(3, ReasonCode.ServerUnavailable, reason);
}

/** A topic that means nothing to this device; the connection stays open. Section 1.9 */
export function unknownTopic(topicName: string): Disposition {
  return refuseMessage(ReasonCode.TopicNameInvalid, `Unknown topic ${topicName}.`);
}

/** A gateway's topic from a device that is none. Section 1.9 */
export function notGateway(topicName: string): Disposition {
  return refuseMessage(ReasonCode.NotAuthorized, `The device is not a gateway and may not use ${topicName}.`);
}

/** A payload beyond the maximum closes, whatever its topic. Sections 1.6 and 1.9 */
export function payloadTooLarge(maximumPayloadSize: number): Disposition {
  return closeConnection(ReasonCode.MalformedPacket, `The payload has more than ${maximumPayloadSize} bytes.`);
}

/**
 * A payload that cannot be read. 5.0 is told, at QoS 0 by DISCONNECT; 3.x is closed, unless the profile asks for an
 * acknowledgement. Section 1.9
 */
export function badPayload(level: ProtocolLevel, qos: QoS, acknowledge: boolean, reason: string): Disposition {
  const stays = level === 5 ? qos > 0 : acknowledge;
  return stays
    ? refuseMessage(ReasonCode.PayloadFormatInvalid, reason)
    : closeConnection(ReasonCode.PayloadFormatInvalid, reason);
}

/** Values that the original acknowledges and then drops: told on 5.0, acknowledged on 3.x, never closed. Section 2.2 */
export function droppedPayload(reason: string): Disposition {
  return refuseMessage(ReasonCode.PayloadFormatInvalid, reason);
}

/** A message after which the connection ends: 5.0 is told in PUBACK first, as by `refuse`. Sections 1.9, 6.2 and 8 */
export function refusedForGood(reasonCode: ReasonCode, reason: string): Disposition {
  return { ...closeConnection(reasonCode, reason), refuse: { reasonCode, reason } };
}
