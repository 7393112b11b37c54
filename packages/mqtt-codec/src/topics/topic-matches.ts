const PLUS = 0x2b;
const NUMBER_SIGN = 0x23;
const SOLIDUS = 0x2f;
const DOLLAR = 0x24;

/**
 * Tells whether a Topic Name matches a Topic Filter, character by character. Both must be well-formed; of a Shared
 * Subscription only the part behind the ShareName is passed. MQTT 5.0, 4.7 [MQTT-4.7.3-4]
 */
export function topicMatches(topicFilter: string, topicName: string): boolean {
  const filterEnd = topicFilter.length;
  const nameEnd = topicName.length;
  const first = topicFilter.charCodeAt(0);
  if (topicName.charCodeAt(0) === DOLLAR && (first === PLUS || first === NUMBER_SIGN)) return false; // [MQTT-4.7.2-1]
  let inFilter = 0;
  let inName = 0;
  for (;;) {
    const unit = topicFilter.charCodeAt(inFilter);
    if (unit === NUMBER_SIGN) return true;
    if (unit === PLUS) {
      inFilter++;
      while (inName < nameEnd && topicName.charCodeAt(inName) !== SOLIDUS) inName++;
    } else {
      for (; inFilter < filterEnd; inFilter++, inName++) {
        const wanted = topicFilter.charCodeAt(inFilter);
        if (wanted === SOLIDUS) break;
        if (inName === nameEnd || topicName.charCodeAt(inName) !== wanted) return false;
      }
      if (inName < nameEnd && topicName.charCodeAt(inName) !== SOLIDUS) return false;
    }
    if (inFilter === filterEnd) return inName === nameEnd;
    // `a/#` matches `a` too: MQTT 5.0, 4.7.1.2.
    if (inName === nameEnd) return topicFilter.charCodeAt(inFilter + 1) === NUMBER_SIGN;
    inFilter++;
    inName++;
  }
}
