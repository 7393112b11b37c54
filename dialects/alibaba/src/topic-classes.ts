import type { DeviceRef, LinkTopicClass } from '@moorage/core';
import { topicMatches } from '@moorage/dialect-api';

/** Of a product that has none of its own. Section 2.1 */
const FIRST_CLASSES: readonly LinkTopicClass[] = [
  { topic: 'user/update', permission: 'PUB' },
  { topic: 'user/update/error', permission: 'PUB' },
  { topic: 'user/get', permission: 'SUB' },
];

/** What the devices of a product may do with topics behind `/{productKey}/{deviceName}/`. Default: nothing. */
export class TopicClasses {
  readonly #publish: readonly string[];
  readonly #subscribe: readonly string[];

  constructor({ settings }: Pick<DeviceRef, 'settings'>) {
    const classes = settings.alibaba?.topicClasses ?? FIRST_CLASSES;
    const topicsOf = (denied: LinkTopicClass['permission']): readonly string[] =>
      classes.filter(({ permission }) => permission !== denied).map(({ topic }) => topic);
    this.#publish = topicsOf('SUB');
    this.#subscribe = topicsOf('PUB');
  }

  mayPublish(suffix: string): boolean {
    return this.#publish.includes(suffix);
  }

  mayReceive(suffix: string): boolean {
    return this.#subscribe.some((topic) => topicMatches(topic, suffix));
  }

  /** Whether some topic that the filter matches may be received; each delivery is checked again. */
  maySubscribe(filter: string): boolean {
    return this.#subscribe.some((topic) => overlap(topic.split('/'), filter.split('/')));
  }
}

/** Whether a topic exists that matches both filters. */
function overlap(left: readonly string[], right: readonly string[]): boolean {
  for (let level = 0; level < Math.max(left.length, right.length); level++) {
    const one = left[level];
    const other = right[level];
    if (one === '#' || other === '#') return true;
    if (one === undefined || other === undefined) return false;
    if (one !== other && one !== '+' && other !== '+') return false;
  }
  return true;
}
