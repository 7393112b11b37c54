import { SharedGroup, type Subscription, splitFilter } from './subscription.ts';

const NO_NAME = '';

/**
 * Filters of devices mostly branch once, to one subscription. What there is one of is kept without a table: 490 bytes
 * less for a filter of four levels.
 */
class TreeNode {
  readonly parent: TreeNode | null;
  readonly level: string;
  /** Children by level, one or several. */
  #children: TreeNode | Map<string, TreeNode> | null = null;
  /** The child of `+`. */
  plus: TreeNode | null = null;
  /** The child of `#`. */
  rest: TreeNode | null = null;
  #subscriptions: Subscription | Set<Subscription> | null = null;
  groups: Map<string, SharedGroup> | null = null;

  constructor(parent: TreeNode | null, level: string) {
    this.parent = parent;
    this.level = level;
  }

  get empty(): boolean {
    return (
      this.#children === null &&
      this.plus === null &&
      this.rest === null &&
      this.#subscriptions === null &&
      this.groups === null
    );
  }

  child(level: string): TreeNode | null {
    const children = this.#children;
    if (children === null) return null;
    if (children instanceof TreeNode) return children.level === level ? children : null;
    return children.get(level) ?? null;
  }

  addChild(child: TreeNode): void {
    const children = this.#children;
    if (children === null) this.#children = child;
    else if (children instanceof TreeNode) {
      this.#children = new Map([
        [children.level, children],
        [child.level, child],
      ]);
    } else children.set(child.level, child);
  }

  removeChild(child: TreeNode): void {
    const children = this.#children;
    if (children === child) this.#children = null;
    else if (children instanceof Map && children.delete(child.level) && children.size === 0) this.#children = null;
  }

  subscribe(subscription: Subscription): void {
    const subscriptions = this.#subscriptions;
    if (subscriptions === null) this.#subscriptions = subscription;
    else if (subscriptions instanceof Set) subscriptions.add(subscription);
    else if (subscriptions !== subscription) this.#subscriptions = new Set([subscriptions, subscription]);
  }

  unsubscribe(subscription: Subscription): void {
    const subscriptions = this.#subscriptions;
    if (subscriptions === subscription) this.#subscriptions = null;
    else if (subscriptions instanceof Set && subscriptions.delete(subscription) && subscriptions.size === 0)
      this.#subscriptions = null;
  }

  collect(found: Matches): void {
    const subscriptions = this.#subscriptions;
    if (subscriptions instanceof Set) for (const one of subscriptions) found.subscriptions.push(one);
    else if (subscriptions !== null) found.subscriptions.push(subscriptions);
    if (this.groups !== null) for (const group of this.groups.values()) found.groups.push(group);
  }
}

/** What a walk through the tree found. */
export interface Matches {
  readonly subscriptions: Subscription[];
  readonly groups: SharedGroup[];
}

/** The subscriptions of one space, a node per level. MQTT 5.0, 4.7 */
export class TopicTree {
  readonly #root = new TreeNode(null, NO_NAME);

  get empty(): boolean {
    return this.#root.empty;
  }

  /** Enters a subscription under a filter, `$share/` included. */
  add(filter: string, subscription: Subscription): void {
    const { topicFilter, shareName } = splitFilter(filter);
    let node = this.#root;
    for (const level of topicFilter.split('/')) node = childFor(node, level);
    if (shareName === null) {
      node.subscribe(subscription);
      return;
    }
    node.groups ??= new Map();
    let group = node.groups.get(shareName);
    if (group === undefined) {
      group = new SharedGroup(filter);
      node.groups.set(shareName, group);
    }
    group.members.push(subscription);
  }

  /** Takes a subscription out and the nodes that nobody needs any more. */
  remove(filter: string, subscription: Subscription): void {
    const { topicFilter, shareName } = splitFilter(filter);
    let node: TreeNode | null = this.#root;
    for (const level of topicFilter.split('/')) {
      node = existingChild(node, level);
      if (node === null) return;
    }
    if (shareName === null) node.unsubscribe(subscription);
    else removeMember(node, shareName, subscription);
    prune(node);
  }

  /** The Shared Subscription entered under this filter, if it has members. */
  group(filter: string): SharedGroup | undefined {
    const { topicFilter, shareName } = splitFilter(filter);
    if (shareName === null) return undefined;
    let node: TreeNode | null = this.#root;
    for (const level of topicFilter.split('/')) {
      node = existingChild(node, level);
      if (node === null) return undefined;
    }
    return node.groups?.get(shareName);
  }

  /** Everything that matches a Topic Name. [MQTT-4.7.3-4] */
  match(topicName: string): Matches {
    const found: Matches = { subscriptions: [], groups: [] };
    const levels = topicName.split('/');
    const first = levels[0] ?? NO_NAME;
    const root = this.#root;
    const child = root.child(first);
    if (child !== null) walk(child, levels, 1, found);
    // [MQTT-4.7.2-1] A filter that begins with a wildcard does not match a name that begins with $.
    if (!topicName.startsWith('$')) {
      if (root.plus !== null) walk(root.plus, levels, 1, found);
      root.rest?.collect(found);
    }
    return found;
  }
}

function walk(node: TreeNode, levels: readonly string[], depth: number, found: Matches): void {
  // `a/#` matches `a` too: MQTT 5.0, 4.7.1.2.
  node.rest?.collect(found);
  const level = levels[depth];
  if (level === undefined) {
    node.collect(found);
    return;
  }
  const child = node.child(level);
  if (child !== null) walk(child, levels, depth + 1, found);
  if (node.plus !== null) walk(node.plus, levels, depth + 1, found);
}

function existingChild(node: TreeNode, level: string): TreeNode | null {
  if (level === '+') return node.plus;
  if (level === '#') return node.rest;
  return node.child(level);
}

function childFor(node: TreeNode, level: string): TreeNode {
  const existing = existingChild(node, level);
  if (existing !== null) return existing;
  const child = new TreeNode(node, level);
  if (level === '+') node.plus = child;
  else if (level === '#') node.rest = child;
  else node.addChild(child);
  return child;
}

function removeMember(node: TreeNode, shareName: string, subscription: Subscription): void {
  const group = node.groups?.get(shareName);
  const index = group?.members.indexOf(subscription) ?? -1;
  if (group === undefined || index === -1) return;
  group.members.splice(index, 1);
  if (group.members.length > 0) return;
  node.groups?.delete(shareName);
  if (node.groups?.size === 0) node.groups = null;
}

function prune(from: TreeNode): void {
  let node = from;
  while (node.parent !== null && node.empty) {
    const { parent, level } = node;
    if (level === '+') parent.plus = null;
    else if (level === '#') parent.rest = null;
    else parent.removeChild(node);
    node = parent;
  }
}
