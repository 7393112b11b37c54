import type { Completion, EntityId, RoutedSend, SendResult, WriteOutcome } from '@moorage/core';
import type { DeviceCommand, Dialect, RoutedCommand } from '@moorage/dialect-api';
import { spaceKey } from '../feed/live-feed.ts';
import type { HostContext } from '../host-context.ts';

/** Messages of one device that wait for their turn; beyond it the oldest go out without a pause. */
const MOST_WAITING = 1_000;

/** Of the worst outcome. */
const SEVERITY: Readonly<Record<WriteOutcome, number>> = { stored: 0, full: 1, failed: 2 };

/** The first message of a command, until the stores have answered. */
class FirstMessage implements Completion, RoutedSend {
  readonly receivers: number;
  /** One is its own, until it was published. */
  #holds = 1;
  #outcome: WriteOutcome = 'stored';
  #done: ((outcome: WriteOutcome) => void) | null = null;

  constructor(receivers: number) {
    this.receivers = receivers;
  }

  get kind(): 'routed' {
    return 'routed';
  }

  hold(): void {
    this.#holds++;
  }

  release(outcome: WriteOutcome): void {
    if (SEVERITY[outcome] > SEVERITY[this.#outcome]) this.#outcome = outcome;
    this.#holds--;
    if (this.#holds > 0) return;
    const done = this.#done;
    this.#done = null;
    done?.(this.#outcome);
  }

  whenStored(done: (outcome: WriteOutcome) => void): void {
    if (this.#holds === 0) done(this.#outcome);
    else this.#done = done;
  }
}

interface Waiting {
  readonly space: string;
  readonly message: RoutedCommand['messages'][number];
  readonly first: FirstMessage | null;
}

/** Messages to one device, one after the other. */
interface Line {
  spacingMs: number;
  waiting: Waiting[];
  stopTimer: () => void;
}

/** Publishes commands in the spaces of devices whose messages are routed: whoever subscribes hears them. waveshare.md, 4.6 */
export class RoutedCommands {
  readonly #context: HostContext;
  readonly #any: boolean;
  readonly #lines = new Map<EntityId, Line>();

  constructor(context: HostContext) {
    this.#context = context;
    this.#any = context.options.dialects.some(({ routedCommand }) => routedCommand !== undefined);
  }

  /** The dialect that routes commands to this device; null: it hears them on its connections. */
  dialectOf(deviceId: EntityId): Dialect | null {
    if (!this.#any) return null;
    const { targets, options } = this.#context;
    const connection = targets.of(deviceId).findLast((target) => target.kind === 'connection');
    if (connection === undefined && options.dialectOf === undefined) return this.#bySpace(deviceId);
    const id = connection?.principal.dialect ?? options.dialectOf?.(deviceId);
    const dialect = id === undefined ? undefined : this.#context.dialect(id);
    return dialect?.routedCommand === undefined ? null : dialect;
  }

  /** The dialect that knows a space of the device. */
  #bySpace(deviceId: EntityId): Dialect | null {
    const { deviceRef, dialects, credentials } = this.#context.options;
    const device = deviceRef(deviceId);
    if (device === undefined) return null;
    const knows = (dialect: Dialect): boolean =>
      dialect.routedCommand !== undefined && typeof dialect.spaceAccount?.(device, credentials) === 'string';
    return dialects.find(knows) ?? null;
  }

  send(deviceId: EntityId, dialect: Dialect, command: DeviceCommand): SendResult {
    const { options, parts } = this.#context;
    const device = options.deviceRef(deviceId);
    if (device === undefined) return 'notConnected';
    const routed = this.#encode(() => dialect.routedCommand?.(device, command, options.credentials) ?? 'notSupported');
    if (typeof routed === 'string') return routed;
    const { account, messages, spacingMs } = routed;
    const [head] = messages;
    if (head === undefined) return 'notSupported';
    const space = spaceKey(device.tenantId, dialect.manifest.id, account);
    const first = new FirstMessage(parts.broker.reach(space, head.topicName, head.qos));
    if (first.receivers === 0) first.release('stored');
    else {
      const waiting = messages.map((message) => ({ space, message, first: message === head ? first : null }));
      this.#join(deviceId, spacingMs, waiting);
    }
    return first;
  }

  /** The device was deleted: what waits for its turn goes nowhere. */
  removed(deviceId: EntityId): void {
    const line = this.#lines.get(deviceId);
    if (line === undefined) return;
    this.#lines.delete(deviceId);
    line.stopTimer();
    for (const { first } of line.waiting) first?.release('failed');
  }

  /** Publishes what waits for its turn: nobody will be there when it comes. */
  close(): void {
    for (const line of this.#lines.values()) {
      line.stopTimer();
      for (const waiting of line.waiting.splice(0)) this.#publish(waiting);
    }
    this.#lines.clear();
  }

  #encode(encode: () => RoutedCommand | 'notSupported' | 'tooLarge'): RoutedCommand | 'notSupported' | 'tooLarge' {
    try {
      return encode();
    } catch (error) {
      this.#context.fault(error);
      return 'notSupported';
    }
  }

  /** The pause holds between commands as well, so that none overtakes another. */
  #join(deviceId: EntityId, spacingMs: number, waiting: readonly Waiting[]): void {
    const line = this.#lines.get(deviceId);
    if (line === undefined) {
      const begun: Line = { spacingMs, waiting: [...waiting], stopTimer: () => {} };
      this.#lines.set(deviceId, begun);
      this.#next(deviceId, begun);
      return;
    }
    line.spacingMs = spacingMs;
    line.waiting.push(...waiting);
    for (const oldest of line.waiting.splice(0, line.waiting.length - MOST_WAITING)) this.#publish(oldest);
  }

  #next(deviceId: EntityId, line: Line): void {
    const next = line.waiting.shift();
    if (next === undefined) {
      this.#lines.delete(deviceId);
      return;
    }
    line.stopTimer = this.#context.options.scheduler.after(line.spacingMs, () => this.#next(deviceId, line));
    this.#publish(next);
  }

  #publish({ space, message, first }: Waiting): void {
    const { topicName, payload, qos } = message;
    const completion = first ?? this.#later;
    this.#context.parts.broker.publish(space, { topicName, payload, qos, retain: false }, completion);
    first?.release('stored');
  }

  /** Of messages behind the first: the caller has been answered. */
  readonly #later: Completion = {
    hold() {},
    release: (outcome) => {
      if (outcome !== 'stored') this.#context.count('routed_command_not_stored');
    },
  };
}
