import {
  type Clock,
  type EntityId,
  formatPoints,
  type LiveAttributes,
  type LiveEnd,
  type LiveEvent,
  type LiveSubscriber,
  type LiveTelemetry,
  type LiveWatch,
} from '@moorage/core';
import type { LiveSession } from './live-sessions.ts';
import type { SessionAuth } from './session-auth.ts';

/** What a stream writes to: a response. */
export interface StreamTarget {
  /** Bytes written and not yet taken by the system. */
  readonly writableLength: number;
  write(text: string): unknown;
  end(): unknown;
  destroy(): unknown;
}

export interface EventStreamOptions {
  readonly target: StreamTarget;
  readonly auth: SessionAuth;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly highWaterBytes: number;
  /** Called once, when the stream is over. */
  readonly ended: (stream: EventStream) => void;
}

/** So that proxies do not take the connection for idle. */
const HEARTBEAT_MS = 15_000;
/** A client that reads nothing for so long is cut off. */
const STALLED_MS = 30_000;

/** Server-Sent Events of one device. A client that is too slow loses events and is told how many. api-additions.md, 3 */
export class EventStream implements LiveSession, LiveSubscriber {
  readonly #options: EventStreamOptions;
  #wroteAt: number;
  #watch: LiveWatch | null = null;
  #lost = 0;
  #blockedSince: number | null = null;
  #ended = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#wroteAt = options.clock.monotonic();
  }

  get auth(): SessionAuth {
    return this.#options.auth;
  }

  /** Takes over the watch that feeds it. */
  begin(watch: LiveWatch): void {
    this.#watch = watch;
    // Also tells the client how soon to come back.
    this.#write('retry: 2000\n\n');
  }

  telemetry(message: LiveTelemetry): void {
    this.#send(message.shared('stream', () => telemetryEvents(message)));
  }

  attributes(message: LiveAttributes): void {
    this.#send(message.shared('stream', () => attributesEvent(message)));
  }

  event(_deviceId: EntityId, { ts, type, detail }: LiveEvent): void {
    const more = detail === null ? '' : `,"detail":${detail}`;
    const name = type.replaceAll(/[^\w.-]/g, '_');
    this.#send(`event: ${name}\ndata: {"ts":${ts},"type":${JSON.stringify(type)}${more}}\n\n`);
  }

  ended(_deviceId: EntityId, reason: LiveEnd): void {
    this.#send(`event: ended\ndata: {"reason":"${reason}"}\n\n`);
    this.end();
  }

  tick(): void {
    const now = this.#options.clock.monotonic();
    if (this.#blockedSince !== null && now - this.#blockedSince >= STALLED_MS) {
      this.gone();
      this.#options.target.destroy();
      return;
    }
    if (this.#blockedSince === null && now - this.#wroteAt >= HEARTBEAT_MS) this.#write(':\n\n');
  }

  /** The client reads again. */
  drained(): void {
    this.#blockedSince = null;
    if (this.#ended || this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.#write(`event: lost\ndata: {"events":${lost}}\n\n`);
  }

  end(): void {
    if (this.#ended) return;
    this.gone();
    this.#options.target.end();
  }

  /** The connection is over. */
  gone(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watch?.close();
    this.#options.ended(this);
  }

  #send(text: string): void {
    if (this.#ended) return;
    if (!this.#options.auth.holds) {
      this.end();
      return;
    }
    if (this.#options.target.writableLength < this.#options.highWaterBytes) {
      this.#write(text);
      return;
    }
    this.#lost += 1;
    this.#blockedSince ??= this.#options.clock.monotonic();
  }

  #write(text: string): void {
    this.#wroteAt = this.#options.clock.monotonic();
    this.#options.target.write(text);
  }
}

/** One event for each moment of the message. architecture.md, Spaces */
function telemetryEvents({ points }: LiveTelemetry): string {
  let events = '';
  for (let from = 0; from < points.length; ) {
    let to = from + 1;
    while (to < points.length && points.ts[to] === points.ts[from]) to += 1;
    events += `event: telemetry\ndata: {"ts":${points.ts[from]},"values":${formatPoints(points, from, to)}}\n\n`;
    from = to;
  }
  return events;
}

function attributesEvent({ scope, ts, values, removed }: LiveAttributes): string {
  const change = values === null ? `"deleted":${JSON.stringify(removed)}` : `"values":${formatPoints(values)}`;
  return `event: attributes\ndata: {"scope":"${scope.toLowerCase()}","ts":${ts},${change}}\n\n`;
}
