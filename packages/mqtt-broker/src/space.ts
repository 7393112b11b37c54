import { Route } from './route.ts';
import { type SharedGroup, type Subscription, splitFilter } from './subscription.ts';
import { TopicTree } from './topic-tree.ts';

/** Levels of a literal prefix that are told apart. performance.md, section 8 */
const PREFIX_LEVELS = 4;
/** Prefixes remembered per space before everything is forgotten at once. */
const MAXIMUM_PREFIXES = 65_536;

/** Bounds the routes of all spaces together: a clock that gives each looked-up route a second chance. */
export class RouteClock {
  readonly #entries: number;
  readonly #slots: (Route | null)[] = [];
  readonly #free: number[] = [];
  #hand = 0;

  constructor(entries: number) {
    this.#entries = entries;
  }

  get size(): number {
    return this.#slots.length - this.#free.length;
  }

  /** Finds a place for a route; what stood there is forgotten by its space. */
  add(route: Route, space: Space): void {
    route.space = space;
    route.slot = this.#free.pop() ?? (this.#slots.length < this.#entries ? this.#slots.length : this.#evict());
    this.#slots[route.slot] = route;
  }

  remove(route: Route): void {
    this.#slots[route.slot] = null;
    this.#free.push(route.slot);
  }

  #evict(): number {
    for (;;) {
      const slot = this.#hand;
      this.#hand = (slot + 1) % this.#slots.length;
      const route = this.#slots[slot] ?? null;
      if (route === null) continue;
      if (route.referenced) {
        route.referenced = false;
        continue;
      }
      route.space?.forget(route);
      return slot;
    }
  }
}

/** The world in which topics are matched; nothing crosses its border. architecture.md, Spaces */
export class Space {
  readonly name: string;
  readonly #clock: RouteClock;
  readonly #tree = new TopicTree();
  readonly #routes = new Map<string, Route>();
  /** Stamp of the last change of a wildcard filter by its literal prefix. */
  readonly #changedAt = new Map<string, number>();
  #stamp = 0;

  constructor(name: string, clock: RouteClock) {
    this.name = name;
    this.#clock = clock;
  }

  get empty(): boolean {
    return this.#tree.empty;
  }

  add(filter: string, subscription: Subscription): void {
    this.#tree.add(filter, subscription);
    this.#changed(filter);
  }

  remove(filter: string, subscription: Subscription): void {
    this.#tree.remove(filter, subscription);
    this.#changed(filter);
  }

  /** The Shared Subscription entered under this filter, if it has members. */
  group(filter: string): SharedGroup | undefined {
    return this.#tree.group(filter);
  }

  /** Where a Topic Name leads. `hint`: where an equal name led before, in whatever space. */
  route(topicName: string, hint: Route | null = null): Route {
    const known = hint !== null && hint.space === this ? hint : this.#routes.get(topicName);
    if (known !== undefined) {
      if (known.validAt === this.#stamp || this.#stillValid(known)) {
        known.referenced = true;
        return known;
      }
      this.#drop(known);
    }
    const route = new Route(topicName, this.#tree.match(topicName), this.#stamp);
    this.#clock.add(route, this);
    this.#routes.set(topicName, route);
    return route;
  }

  /** The clock has given the route's slot away. */
  forget(route: Route): void {
    this.#routes.delete(route.topicName);
    route.space = null;
  }

  /** Gives all slots back when the space is left. */
  clear(): void {
    for (const route of this.#routes.values()) {
      this.#clock.remove(route);
      route.space = null;
    }
    this.#routes.clear();
    this.#changedAt.clear();
  }

  #drop(route: Route): void {
    this.#routes.delete(route.topicName);
    this.#clock.remove(route);
    route.space = null;
  }

  #changed(filter: string): void {
    const { topicFilter } = splitFilter(filter);
    const prefix = literalPrefix(topicFilter);
    if (prefix === null) {
      const known = this.#routes.get(topicFilter);
      if (known !== undefined) this.#drop(known);
      return;
    }
    if (this.#changedAt.size >= MAXIMUM_PREFIXES) this.clear();
    this.#stamp++;
    this.#changedAt.set(prefix, this.#stamp);
  }

  /** No wildcard filter that could match this name has changed since the route was made. */
  #stillValid(route: Route): boolean {
    const { topicName, validAt } = route;
    if ((this.#changedAt.get(EVERYTHING) ?? 0) > validAt) return false;
    let end = -1;
    for (let level = 0; level < PREFIX_LEVELS; level++) {
      end = topicName.indexOf('/', end + 1);
      const prefix = `/${end === -1 ? topicName : topicName.slice(0, end)}`;
      if ((this.#changedAt.get(prefix) ?? 0) > validAt) return false;
      if (end === -1) break;
    }
    route.validAt = this.#stamp;
    return true;
  }
}

/** Prefix of filters that begin with a wildcard. Other prefixes begin with a `/`, so that an empty first level differs. */
const EVERYTHING = '';

/** At most four levels in front of the first wildcard; null: there is no wildcard. */
function literalPrefix(topicFilter: string): string | null {
  const levels = topicFilter.split('/');
  const wildcard = levels.findIndex((level) => level === '+' || level === '#');
  if (wildcard === -1) return null;
  if (wildcard === 0) return EVERYTHING;
  return `/${levels.slice(0, Math.min(wildcard, PREFIX_LEVELS)).join('/')}`;
}
