/**
 * Tells whether every Topic Name that matches `topicFilter` also matches `allowed`. Both must be well-formed and of no
 * Shared Subscription. A filter that begins with a wildcard matches no `$` topic. [MQTT-4.7.2-1]
 */
export function filterCovers(allowed: string, topicFilter: string): boolean {
  if (topicFilter.startsWith('$') && /^[+#]/.test(allowed)) return false;
  const wide = allowed.split('/');
  const narrow = topicFilter.split('/');
  for (let level = 0; level < wide.length; level++) {
    const permitted = wide[level];
    // `a/#` matches `a` too. MQTT 5.0, 4.7.1.2
    if (permitted === '#') return true;
    const wanted = narrow[level];
    if (wanted === undefined || wanted === '#') return false;
    if (permitted !== '+' && permitted !== wanted) return false;
  }
  return narrow.length === wide.length;
}
