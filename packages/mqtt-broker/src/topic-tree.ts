import { SharedGroup, type Subscription, splitFilter } from './subscription.ts';

const NO_NAME = '';

class TreeNode {
  readonly parent: TreeNode | null;
  readonly level: string;
  children: Map<string, TreeNode> | null = null;
  /** The child of `+`. */
  plus: TreeNode | null = null;
  /** The child of `#`. */
  rest: TreeNode | null = null;
  subscriptions: Set<Subscription> | null = null;
  groups: Map<string, SharedGroup> | null = null;

  constructor(parent: TreeNode | null, level: string) {
    this.parent = parent;
    this.level = level;
  }

  get empty(): boolean {
    return (
      this.children === null &&
      this.plus === null &&
      this.rest === null &&
      this.subscriptions === null &&
      this.groups === null
    );
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
      node.subscriptions ??= new Set();
      node.subscriptions.add(subscription);
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
    if (shareName === null) {
      node.subscriptions?.delete(subscription);
      if (node.subscriptions?.size === 0) node.subscriptions = null;
    } else {
      removeMember(node, shareName, subscription);
    }
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
    const child = root.children?.get(first);
    if (child !== undefined) walk(child, levels, 1, found);
    // [MQTT-4.7.2-1] A filter that begins with a wildcard does not match a name that begins with $.
    if (!topicName.startsWith('$')) {
      if (root.plus !== null) walk(root.plus, levels, 1, found);
      if (root.rest !== null) collect(root.rest, found);
    }
    return found;
  }
}

function walk(node: TreeNode, levels: readonly string[], depth: number, found: Matches): void {
  // `a/#` matches `a` too: MQTT 5.0, 4.7.1.2.
  if (node.rest !== null) collect(node.rest, found);
  const level = levels[depth];
  if (level === undefined) {
    collect(node, found);
    return;
  }
  const child = node.children?.get(level);
  if (child !== undefined) walk(child, levels, depth + 1, found);
  if (node.plus !== null) walk(node.plus, levels, depth + 1, found);
}

function collect(node: TreeNode, found: Matches): void {
  if (node.subscriptions !== null)
    for (const subscription of node.subscriptions) found.subscriptions.push(subscription);
  if (node.groups !== null) for (const group of node.groups.values()) found.groups.push(group);
}

function existingChild(node: TreeNode, level: string): TreeNode | null {
  if (level === '+') return node.plus;
  if (level === '#') return node.rest;
  return node.children?.get(level) ?? null;
}

function childFor(node: TreeNode, level: string): TreeNode {
  const existing = existingChild(node, level);
  if (existing !== null) return existing;
  const child = new TreeNode(node, level);
  if (level === '+') node.plus = child;
  else if (level === '#') node.rest = child;
  else {
    node.children ??= new Map();
    node.children.set(level, child);
  }
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
    else {
      parent.children?.delete(level);
      if (parent.children?.size === 0) parent.children = null;
    }
    node = parent;
  }
}
