import type { BodyReader } from './body-reader.ts';
import { ReasonCode } from './reason-codes.ts';
import { forbidden, refuse } from './refusals.ts';

/**
 * Reads the list of a SUBSCRIBE or UNSUBSCRIBE up to the end of the packet: at least one element (U-10), at most
 * `maximumTopicFilters`.
 */
export function readFilterList<Element>(
  reader: BodyReader,
  clause: string,
  readElement: (reader: BodyReader) => Element,
): Element[] {
  const list: Element[] = [];
  if (reader.remaining === 0) reader.fail(forbidden(reader.level, 'The packet holds no Topic Filter.', clause));
  const { maximumTopicFilters } = reader.limits;
  while (reader.remaining > 0) {
    if (list.length === maximumTopicFilters) {
      const message = `The packet holds more than ${maximumTopicFilters} Topic Filters.`;
      reader.fail(refuse(reader.level, ReasonCode.QuotaExceeded, message, 'O-14'));
      break;
    }
    list.push(readElement(reader));
  }
  return list;
}
