import { ReasonCode } from '@moorage/mqtt-codec';

/** One fixed phrase per refusal; none names a rule, another client or a secret. mqtt.md, O-25 */
const PHRASES = new Map<number, string>([
  [ReasonCode.UnspecifiedError, 'The server could not complete this.'],
  [ReasonCode.MalformedPacket, 'The packet cannot be parsed.'],
  [ReasonCode.ProtocolError, 'The packet is not allowed here.'],
  [ReasonCode.ImplementationSpecificError, 'The message is not accepted.'],
  [ReasonCode.ClientIdentifierNotValid, 'The Client Identifier is not accepted.'],
  [ReasonCode.NotAuthorized, 'Not authorized.'],
  [ReasonCode.ServerUnavailable, 'The server is not ready.'],
  [ReasonCode.ServerBusy, 'The server is too busy.'],
  [ReasonCode.Banned, 'The client is banned.'],
  [ReasonCode.ServerShuttingDown, 'The server is shutting down.'],
  [ReasonCode.BadAuthenticationMethod, 'The Authentication Method is not supported.'],
  [ReasonCode.KeepAliveTimeout, 'Nothing was received for one and a half times the Keep Alive.'],
  [ReasonCode.SessionTakenOver, 'Another connection has taken the Session over.'],
  [ReasonCode.TopicFilterInvalid, 'The Topic Filter is not accepted.'],
  [ReasonCode.TopicNameInvalid, 'The Topic Name is not accepted.'],
  [ReasonCode.ReceiveMaximumExceeded, 'More messages are unfinished than the Receive Maximum.'],
  [ReasonCode.TopicAliasInvalid, 'The Topic Alias is not offered.'],
  [ReasonCode.PacketTooLarge, 'The packet is larger than the Maximum Packet Size.'],
  [ReasonCode.MessageRateTooHigh, 'The message rate is too high.'],
  [ReasonCode.QuotaExceeded, 'A limit of the server is reached.'],
  [ReasonCode.AdministrativeAction, 'Closed by the administrator.'],
  [ReasonCode.PayloadFormatInvalid, 'The payload has a wrong format.'],
  [ReasonCode.ConnectionRateExceeded, 'The client connects too often.'],
  [ReasonCode.MaximumConnectTime, 'The credential has expired.'],
]);

/** The Reason String for a Reason Code, or null. */
export function reasonPhrase(reasonCode: number): string | null {
  return PHRASES.get(reasonCode) ?? null;
}
