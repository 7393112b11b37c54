import { topicMatches } from '@moorage/mqtt-codec';
import type { Message } from './ports.ts';
import type { RetainedCursor, RetainedStore, StoreCompletion } from './session-store.ts';

/** Memory that a Retained Message costs besides its topic and payload, estimated. */
const OVERHEAD_BYTES = 200;

class RetainedNode {
  message: Message | null = null;
  children: Map<string, RetainedNode> | null = null;
}

interface RetainedSpace {
  readonly root: RetainedNode;
  messages: number;
  bytes: number;
}

/** Bounds of the Retained Messages of one space. reliability.md, section 8 */
export interface RetainedLimits {
  readonly messages: number;
  readonly bytes: number;
  /** Payload of one message. */
  readonly payloadBytes: number;
}

const DEFAULT_LIMITS: RetainedLimits = { messages: 1_000_000, bytes: 1_073_741_824, payloadBytes: 1_048_576 };

/** Order of the bytes of UTF-8, which is that of code points and not that of UTF-16. */
function compareTopics(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    if (left.charCodeAt(index) === right.charCodeAt(index)) continue;
    return (left.codePointAt(index) ?? 0) - (right.codePointAt(index) ?? 0);
  }
  return left.length - right.length;
}

function byTopic(a: Message, b: Message): number {
  return compareTopics(a.topicName, b.topicName);
}

class MemoryCursor implements RetainedCursor {
  readonly #messages: readonly Message[];
  #position = 0;

  constructor(messages: readonly Message[]) {
    this.#messages = messages;
  }

  read(limit: number): readonly Message[] {
    const page = this.#messages.slice(this.#position, this.#position + limit);
    this.#position += page.length;
    return page;
  }
}

/** Keeps Retained Messages in this process. Every completion comes within the call. */
export class MemoryRetainedStore implements RetainedStore {
  readonly #limitsOf: (space: string) => RetainedLimits;
  readonly #spaces = new Map<string, RetainedSpace>();
  #messages = 0;
  #bytes = 0;

  /** `limitsOf` gives the bounds of a space; a message beyond them is refused as `full`. */
  constructor(limitsOf: (space: string) => RetainedLimits = () => DEFAULT_LIMITS) {
    this.#limitsOf = limitsOf;
  }

  load(): Promise<void> {
    return Promise.resolve();
  }

  put(spaceName: string, topicName: string, message: Message | null, completion: StoreCompletion): void {
    completion.release(message === null ? this.#remove(spaceName, topicName) : this.#store(spaceName, message));
  }

  match(spaceName: string, topicFilter: string, now: number, after: string | null = null): RetainedCursor {
    const found: Message[] = [];
    const space = this.#spaces.get(spaceName);
    if (space !== undefined) collect(space.root, topicFilter.split('/'), 0, found);
    // [MQTT-4.7.2-1] and expiry are decided here for all.
    const live = found.filter(
      ({ expiresAt, topicName }) =>
        expiresAt > now &&
        topicMatches(topicFilter, topicName) &&
        (after === null || compareTopics(topicName, after) > 0),
    );
    return new MemoryCursor(live.sort(byTopic));
  }

  expire(now: number): void {
    for (const [name, space] of this.#spaces) {
      const all: Message[] = [];
      everything(space.root, all);
      for (const message of all) if (message.expiresAt <= now) this.#remove(name, message.topicName);
    }
  }

  statistics(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  #store(spaceName: string, message: Message): 'stored' | 'full' {
    const space = this.#spaces.get(spaceName) ?? { root: new RetainedNode(), messages: 0, bytes: 0 };
    const levels = message.topicName.split('/');
    const older = find(space.root, levels)?.message ?? null;
    const limits = this.#limitsOf(spaceName);
    const addedMessages = older === null ? 1 : 0;
    const addedBytes = sizeOf(message) - (older === null ? 0 : sizeOf(older));
    if (
      message.payload.length > limits.payloadBytes ||
      space.messages + addedMessages > limits.messages ||
      (addedBytes > 0 && space.bytes + addedBytes > limits.bytes)
    ) {
      return 'full';
    }
    this.#spaces.set(spaceName, space);
    nodeFor(space.root, levels).message = message;
    this.#add(space, addedMessages, addedBytes);
    return 'stored';
  }

  #remove(spaceName: string, topicName: string): 'stored' {
    const space = this.#spaces.get(spaceName);
    if (space === undefined) return 'stored';
    const older = takeOut(space.root, topicName.split('/'), 0);
    if (older !== null) this.#add(space, -1, -sizeOf(older));
    if (space.messages === 0) this.#spaces.delete(spaceName);
    return 'stored';
  }

  #add(space: RetainedSpace, messages: number, bytes: number): void {
    space.messages += messages;
    space.bytes += bytes;
    this.#messages += messages;
    this.#bytes += bytes;
  }
}

function sizeOf(message: Message): number {
  return message.payload.length + message.topicName.length + OVERHEAD_BYTES;
}

function find(root: RetainedNode, levels: readonly string[]): RetainedNode | undefined {
  let node: RetainedNode | undefined = root;
  for (const level of levels) node = node?.children?.get(level);
  return node;
}

function nodeFor(root: RetainedNode, levels: readonly string[]): RetainedNode {
  let node = root;
  for (const level of levels) {
    node.children ??= new Map();
    let child = node.children.get(level);
    if (child === undefined) {
      child = new RetainedNode();
      node.children.set(level, child);
    }
    node = child;
  }
  return node;
}

/** Removes the message of a topic and the nodes that nobody needs any more. */
function takeOut(node: RetainedNode, levels: readonly string[], depth: number): Message | null {
  const level = levels[depth];
  if (level === undefined) {
    const { message } = node;
    node.message = null;
    return message;
  }
  const child = node.children?.get(level);
  if (child === undefined) return null;
  const message = takeOut(child, levels, depth + 1);
  if (child.message === null && child.children === null) {
    node.children?.delete(level);
    if (node.children?.size === 0) node.children = null;
  }
  return message;
}

function collect(node: RetainedNode, levels: readonly string[], depth: number, found: Message[]): void {
  const level = levels[depth];
  if (level === undefined) {
    if (node.message !== null) found.push(node.message);
  } else if (level === '#') everything(node, found);
  else if (level === '+') for (const child of node.children?.values() ?? []) collect(child, levels, depth + 1, found);
  else {
    const child = node.children?.get(level);
    if (child !== undefined) collect(child, levels, depth + 1, found);
  }
}

function everything(node: RetainedNode, found: Message[]): void {
  if (node.message !== null) found.push(node.message);
  for (const child of node.children?.values() ?? []) everything(child, found);
}
