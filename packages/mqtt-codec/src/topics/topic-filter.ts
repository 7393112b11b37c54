import { ProtocolError } from '../protocol-error.ts';
import { ReasonCode } from '../reason-codes.ts';
import { isText } from '../text.ts';
import { hasWildcard } from './topic-name.ts';

const PLUS = 0x2b;
const NUMBER_SIGN = 0x23;
const SOLIDUS = 0x2f;
const SHARE_PREFIX = '$share/';

/** The two parts of the filter of a Shared Subscription, `$share/{shareName}/{topicFilter}`. MQTT 5.0, 4.8.2 */
export interface SharedFilter {
  readonly shareName: string;
  readonly topicFilter: string;
}

/** Wildcards stand alone in their level, `#` in the last one. [MQTT-4.7.1-1] [MQTT-4.7.1-2] */
function wildcardsStandRight(filter: string): boolean {
  const last = filter.length - 1;
  for (let index = 0; index <= last; index++) {
    const unit = filter.charCodeAt(index);
    if (unit !== PLUS && unit !== NUMBER_SIGN) continue;
    if (index > 0 && filter.charCodeAt(index - 1) !== SOLIDUS) return false;
    if (index < last && (unit === NUMBER_SIGN || filter.charCodeAt(index + 1) !== SOLIDUS)) return false;
  }
  return true;
}

/**
 * Splits the filter of a Shared Subscription. null: the filter does not begin with `$share/` and so is an ordinary one.
 * A ProtocolError (0x81): it does, but is ill-formed (mqtt.md, O-9).
 */
export function parseSharedFilter(filter: string): SharedFilter | null | ProtocolError {
  if (!filter.startsWith(SHARE_PREFIX)) return null;
  const separator = filter.indexOf('/', SHARE_PREFIX.length);
  const shareName = filter.slice(SHARE_PREFIX.length, separator === -1 ? undefined : separator);
  if (shareName.length === 0) {
    return new ProtocolError(ReasonCode.MalformedPacket, 'The ShareName is empty.', 'MQTT-4.8.2-1');
  }
  if (hasWildcard(shareName)) {
    return new ProtocolError(ReasonCode.MalformedPacket, 'The ShareName holds a wildcard.', 'MQTT-4.8.2-2');
  }
  if (separator === -1 || separator === filter.length - 1) {
    return new ProtocolError(ReasonCode.MalformedPacket, 'No Topic Filter follows the ShareName.', 'MQTT-4.8.2-2');
  }
  const topicFilter = filter.slice(separator + 1);
  return wildcardsStandRight(topicFilter) ? { shareName, topicFilter } : misplacedWildcard();
}

function misplacedWildcard(): ProtocolError {
  return new ProtocolError(
    ReasonCode.MalformedPacket,
    'The Topic Filter has a wildcard that does not fill its level, or a # that is not last.',
    'MQTT-4.7.1-1, MQTT-4.7.1-2',
  );
}

/** What is wrong with the grammar of a Topic Filter, shared or not; null when nothing. The characters themselves are not checked. */
export function topicFilterError(filter: string): ProtocolError | null {
  if (filter.length === 0) {
    return new ProtocolError(ReasonCode.MalformedPacket, 'The Topic Filter is empty.', 'MQTT-4.7.3-1');
  }
  const shared = parseSharedFilter(filter);
  if (shared instanceof ProtocolError) return shared;
  return shared === null && !wildcardsStandRight(filter) ? misplacedWildcard() : null;
}

/** Tells whether a text is a Topic Filter, also one of a Shared Subscription: well-placed wildcards, at most 65,535 bytes, fit for a string field. MQTT 5.0, 4.7 and 4.8.2 */
export function isTopicFilter(text: string): boolean {
  return topicFilterError(text) === null && isText(text);
}
