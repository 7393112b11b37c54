/** Behind every Topic Name: no name has these characters. */
const BEHIND_ALL = '\u{10ffff}\u{10ffff}';

/** Which Topic Names an ordinary Topic Filter matches, in a form that suits an index of names. MQTT 5.0, 4.7 */
export class TopicRange {
  /** Names that can match begin with it; null: the filter has no wildcard, and `parent` is the only name. */
  readonly prefix: string | null;
  /** Names that can match come before it in byte order. */
  readonly behind: string;
  /** A name before all others that matches, such as `a` for `a/#`; null: none. */
  readonly parent: string | null;
  readonly #levels: readonly string[];

  constructor(topicFilter: string) {
    this.#levels = topicFilter.split('/');
    const wildcard = this.#levels.findIndex((level) => level === '+' || level === '#');
    if (wildcard === 0) {
      this.prefix = '';
      this.behind = BEHIND_ALL;
      this.parent = null;
      return;
    }
    const literal = this.#levels.slice(0, wildcard === -1 ? undefined : wildcard).join('/');
    this.prefix = wildcard === -1 ? null : `${literal}/`;
    // `0` is the character behind `/`.
    this.behind = `${literal}0`;
    this.parent = wildcard === -1 || this.#levels[wildcard] === '#' ? literal : null;
  }

  /** Does a name that begins with `prefix` match? */
  matches(topicName: string): boolean {
    // [MQTT-4.7.2-1] A leading wildcard does not match names that begin with $.
    if (this.prefix === '' && topicName.startsWith('$')) return false;
    const levels = topicName.split('/');
    const filter = this.#levels;
    for (let at = 0; at < filter.length; at++) {
      const wanted = filter[at];
      // [MQTT-4.7.1-2] It includes the level above it, so that there need be no level in its place.
      if (wanted === '#') return true;
      if (at >= levels.length || (wanted !== '+' && wanted !== levels[at])) return false;
    }
    return levels.length === filter.length;
  }
}
