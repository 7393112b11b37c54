import type { Properties, QoS } from './packets.ts';
import { ReasonCode } from './reason-codes.ts';

/** The fields of a PUBLISH as `readPublish` fills them in; made once and used again for every packet. Ranges are indices into the frame's buffer. */
export class PublishFields {
  /** Empty only on 5.0 with a Topic Alias. */
  topicName = '';
  /** The bytes of the Topic Name, without their length. */
  topicStart = 0;
  topicEnd = 0;
  /** 0 on QoS 0. */
  packetIdentifier = 0;
  qos: QoS = 0;
  dup = false;
  retain = false;
  /** The properties behind their Property Length; an empty range on 3.x. */
  propertiesStart = 0;
  propertiesEnd = 0;
  /** null on 3.x and where the Property Length is 0. */
  properties: Properties | null = null;
  payloadStart = 0;
  payloadEnd = 0;
}

/** The fields of a PUBACK, PUBREC, PUBREL or PUBCOMP as `readAcknowledgement` fills them in. Its properties are checked and dropped. */
export class AcknowledgementFields {
  packetIdentifier = 0;
  /** Success on 3.x. */
  reasonCode: ReasonCode = ReasonCode.Success;
}
