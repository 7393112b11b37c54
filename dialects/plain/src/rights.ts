import type { Json, JsonObject } from '@moorage/core';
import { isTopicFilter, parseSharedFilter, topicMatches } from '@moorage/dialect-api';
import { filterCovers } from './filter-covers.ts';
import { isDollarTopic, isReserved, isServerTopic, isSysTopic } from './topics.ts';

/** What a principal may do in the tenant's plain space. Default is deny. */
export interface Rights {
  /** Filters of free topics it may publish to. */
  readonly publish: readonly string[];
  /** Filters of topics it may receive. */
  readonly subscribe: readonly string[];
  /** Filters it may not receive although `subscribe` has them. */
  readonly denySubscribe: readonly string[];
  /** Whether topics of the server below `moorage/devices/` count among those it may receive. */
  readonly serverTopics: boolean;
  /** May publish RPC requests to devices. */
  readonly command: boolean;
  /** May receive what the server tells about itself below `$SYS/`. */
  readonly sys: boolean;
  /** It is a device: `moorage/me/...` is about itself. */
  readonly self: boolean;
}

const EVERYTHING: readonly string[] = ['#'];
const NOTHING: readonly string[] = [];

/** A device: every free topic, its own topics, nothing about other devices. */
export const DEVICE_RIGHTS: Rights = {
  publish: EVERYTHING,
  subscribe: EVERYTHING,
  denySubscribe: NOTHING,
  serverTopics: false,
  command: false,
  sys: false,
  self: true,
};

/** A principal without credentials: every topic except those denied, no commands. api-additions.md, section 4 */
export function anonymousRights(denySubscribe: readonly string[]): Rights {
  return { ...DEVICE_RIGHTS, denySubscribe, serverTopics: true, self: false };
}

/** Filters of a configuration: all when it is silent, none when it is not a list; entries that are no filters are ignored. */
function filters(value: Json | undefined): readonly string[] {
  if (value === undefined || value === null) return EVERYTHING;
  if (!Array.isArray(value)) return NOTHING;
  const entries: readonly Json[] = value;
  return entries.filter(
    (entry) => typeof entry === 'string' && isTopicFilter(entry) && parseSharedFilter(entry) === null,
  ) as readonly string[];
}

function own(configuration: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(configuration, name) ? configuration[name] : undefined;
}

/** An application, as configured. `mayHaveSys`: its tenant may see figures of the whole server. api-additions.md, section 2 */
export function applicationRights(configuration: JsonObject, mayHaveSys = true): Rights {
  return {
    publish: filters(own(configuration, 'publish')),
    subscribe: filters(own(configuration, 'subscribe')),
    denySubscribe: NOTHING,
    serverTopics: true,
    command: own(configuration, 'command') === true,
    sys: mayHaveSys && own(configuration, 'sys') === true,
    self: false,
  };
}

/** What the Client Identifiers of an application begin with; empty: they are free. */
export function clientIdPrefix(configuration: JsonObject): string {
  const prefix = own(configuration, 'clientIdPrefix');
  return typeof prefix === 'string' ? prefix : '';
}

function matchesOne(topicFilters: readonly string[], topicName: string): boolean {
  for (const topicFilter of topicFilters) {
    if (topicFilter === '#' || topicMatches(topicFilter, topicName)) return true;
  }
  return false;
}

/** May it publish to this free topic? */
export function mayPublish(rights: Rights, topicName: string): boolean {
  return matchesOne(rights.publish, topicName);
}

/** May it receive a message of this topic, whatever filter found it? */
export function mayReceive(rights: Rights, topicName: string): boolean {
  if (isDollarTopic(topicName)) return rights.sys && isSysTopic(topicName);
  if (isReserved(topicName) && !(rights.serverTopics && isServerTopic(topicName))) return false;
  return matchesOne(rights.subscribe, topicName) && !matchesOne(rights.denySubscribe, topicName);
}

/** May it subscribe? Only if every topic that the filter matches is allowed by one entry; deliveries are checked again. */
export function maySubscribe(rights: Rights, topicFilter: string): boolean {
  return rights.subscribe.some((allowed) => filterCovers(allowed, topicFilter));
}

/** Is this filter, or a wider one, among those denied? */
export function isDenied(rights: Rights, topicFilter: string): boolean {
  return rights.denySubscribe.some((denied) => filterCovers(denied, topicFilter));
}
