/** The part of MQTT's vocabulary that dialects use; they do not import the codec. */

export type { ConnectPacket, Properties, ProtocolLevel, QoS, SubscriptionOptions } from '@moorage/mqtt-codec';
export {
  encodeText,
  isTopicFilter,
  isTopicName,
  ProtocolError,
  parseSharedFilter,
  ReasonCode,
  topicMatches,
} from '@moorage/mqtt-codec';
