import { PacketType } from './packets.ts';
import { ReasonCode } from './reason-codes.ts';

/** The side a packet comes from. */
export type Sender = 'client' | 'server';

/** The Reason Codes that each side may send in a packet of one type. */
export interface LegalCodes {
  readonly client: readonly ReasonCode[];
  readonly server: readonly ReasonCode[];
}

const R = ReasonCode;
const NONE: readonly ReasonCode[] = [];

const PUBLISH_REFUSALS: readonly ReasonCode[] = [
  R.UnspecifiedError,
  R.ImplementationSpecificError,
  R.NotAuthorized,
  R.TopicNameInvalid,
  R.PacketIdentifierInUse,
  R.QuotaExceeded,
  R.PayloadFormatInvalid,
];
const PUBLISH_ANSWERS: LegalCodes = {
  client: [R.Success, ...PUBLISH_REFUSALS],
  server: [R.Success, R.NoMatchingSubscribers, ...PUBLISH_REFUSALS],
};
const RELEASE_CODES: readonly ReasonCode[] = [R.Success, R.PacketIdentifierNotFound];
const RELEASES: LegalCodes = { client: RELEASE_CODES, server: RELEASE_CODES };

const DISCONNECT_BOTH: readonly ReasonCode[] = [
  R.Success,
  R.UnspecifiedError,
  R.MalformedPacket,
  R.ProtocolError,
  R.ImplementationSpecificError,
  R.TopicNameInvalid,
  R.ReceiveMaximumExceeded,
  R.TopicAliasInvalid,
  R.PacketTooLarge,
  R.MessageRateTooHigh,
  R.QuotaExceeded,
  R.AdministrativeAction,
  R.PayloadFormatInvalid,
];

/** Legal Reason Codes by packet type; packets without a Reason Code are not listed. mqtt.md, section 4; MQTT 5.0, 2.4 */
export const LegalReasonCodes: ReadonlyMap<PacketType, LegalCodes> = new Map<PacketType, LegalCodes>([
  [
    PacketType.Connack,
    {
      client: NONE,
      server: [
        R.Success,
        R.UnspecifiedError,
        R.MalformedPacket,
        R.ProtocolError,
        R.ImplementationSpecificError,
        R.UnsupportedProtocolVersion,
        R.ClientIdentifierNotValid,
        R.BadUserNameOrPassword,
        R.NotAuthorized,
        R.ServerUnavailable,
        R.ServerBusy,
        R.Banned,
        R.BadAuthenticationMethod,
        R.TopicNameInvalid,
        R.PacketTooLarge,
        R.QuotaExceeded,
        R.PayloadFormatInvalid,
        R.RetainNotSupported,
        R.QoSNotSupported,
        R.UseAnotherServer,
        R.ServerMoved,
        R.ConnectionRateExceeded,
      ],
    },
  ],
  [PacketType.Puback, PUBLISH_ANSWERS],
  [PacketType.Pubrec, PUBLISH_ANSWERS],
  [PacketType.Pubrel, RELEASES],
  [PacketType.Pubcomp, RELEASES],
  [
    PacketType.Suback,
    {
      client: NONE,
      server: [
        R.Success,
        R.GrantedQoS1,
        R.GrantedQoS2,
        R.UnspecifiedError,
        R.ImplementationSpecificError,
        R.NotAuthorized,
        R.TopicFilterInvalid,
        R.PacketIdentifierInUse,
        R.QuotaExceeded,
        R.SharedSubscriptionsNotSupported,
        R.SubscriptionIdentifiersNotSupported,
        R.WildcardSubscriptionsNotSupported,
      ],
    },
  ],
  [
    PacketType.Unsuback,
    {
      client: NONE,
      server: [
        R.Success,
        R.NoSubscriptionExisted,
        R.UnspecifiedError,
        R.ImplementationSpecificError,
        R.NotAuthorized,
        R.TopicFilterInvalid,
        R.PacketIdentifierInUse,
      ],
    },
  ],
  [
    PacketType.Disconnect,
    {
      client: [...DISCONNECT_BOTH, R.DisconnectWithWillMessage],
      server: [
        ...DISCONNECT_BOTH,
        R.NotAuthorized,
        R.ServerBusy,
        R.ServerShuttingDown,
        R.BadAuthenticationMethod,
        R.KeepAliveTimeout,
        R.SessionTakenOver,
        R.TopicFilterInvalid,
        R.RetainNotSupported,
        R.QoSNotSupported,
        R.UseAnotherServer,
        R.ServerMoved,
        R.SharedSubscriptionsNotSupported,
        R.ConnectionRateExceeded,
        R.MaximumConnectTime,
        R.SubscriptionIdentifiersNotSupported,
        R.WildcardSubscriptionsNotSupported,
      ],
    },
  ],
  [
    PacketType.Auth,
    {
      client: [R.ContinueAuthentication, R.ReAuthenticate],
      server: [R.Success, R.ContinueAuthentication],
    },
  ],
]);

const FROM_CLIENT = 1;
const FROM_SERVER = 2;

/** One byte per packet type and code, with a bit per side. */
const LEGAL = new Uint8Array(16 * 256);
for (const [type, codes] of LegalReasonCodes) {
  for (const code of codes.client) LEGAL[type * 256 + code] = FROM_CLIENT;
  for (const code of codes.server) LEGAL[type * 256 + code] = (LEGAL[type * 256 + code] as number) | FROM_SERVER;
}

/** Tells whether a Reason Code may stand in a packet of this type from this side; without a side, from either. `code` is 0 to 255. */
export function isReasonCodeFor(type: PacketType, code: number, sender?: Sender): code is ReasonCode {
  const sides = LEGAL[type * 256 + code] as number;
  if (sender === undefined) return sides !== 0;
  return (sides & (sender === 'client' ? FROM_CLIENT : FROM_SERVER)) !== 0;
}
