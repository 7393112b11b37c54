import type { Clock, Platform } from '@moorage/core';
import { isDeeperThan, MAX_JSON_DEPTH } from '../validation/json-body.ts';
import { errorAnswer, SOCKET_ERROR } from './answers.ts';
import { CLOSE, type CloseReason } from './close-codes.ts';
import { type Envelope, readEnvelope } from './commands.ts';
import type { LiveSession } from './live-sessions.ts';
import type { SessionAuth } from './session-auth.ts';
import { type ChannelSocket, SocketChannel } from './socket-channel.ts';
import { Subscriptions } from './subscriptions.ts';
import type { WebSocketSettings } from './web-socket-options.ts';

/** What a session needs of its socket. */
export interface SessionSocket extends ChannelSocket {
  ping(): void;
  /** Stops and goes on reading. */
  pause(): void;
  resume(): void;
  /** Begins the closing handshake. */
  close(reason: CloseReason): void;
}

export interface SessionOptions {
  readonly socket: SessionSocket;
  readonly settings: WebSocketSettings;
  readonly platform: Pick<Platform, 'telemetry' | 'assetTelemetry' | 'live' | 'entities'>;
  readonly clock: Clock;
  readonly authenticate: (authorization: NonNullable<Envelope['auth']>) => Promise<SessionAuth | undefined>;
  readonly fault: (error: unknown) => void;
  /** Called once, when the session is over. */
  readonly ended: (session: WebSocketSession) => void;
}

/** thingsboard-server.md, 7.1 */
const AUTH_TIMEOUT_MS = 10_000;
const PING_INTERVAL_MS = 10_000;
const PONG_TIMEOUT_MS = 30_000;
/** Messages of a client that wait for the one before them. */
const MAX_INBOX = 1000;
/** Error of a message that names no command. thingsboard-server.md, 7.6 */
const UNREADABLE = errorAnswer(1, { code: SOCKET_ERROR.badRequest, message: 'Failed to parse the payload' });

/** One client of the WebSocket API, from its first message to its last. thingsboard-server.md, 7 */
export class WebSocketSession implements LiveSession {
  readonly #options: SessionOptions;
  readonly #channel: SocketChannel;
  readonly #inbox: string[] = [];
  readonly #openedAt: number;
  #auth: SessionAuth | null = null;
  #subscriptions: Subscriptions | null = null;
  #heardAt: number;
  #pingedAt: number;
  /** When the first ping was sent that has not been answered; null: none. */
  #unansweredSince: number | null = null;
  #working = false;
  #ended = false;

  constructor(options: SessionOptions, auth: SessionAuth | null) {
    const { socket, settings, clock } = options;
    this.#options = options;
    this.#openedAt = clock.monotonic();
    this.#heardAt = this.#openedAt;
    this.#pingedAt = this.#openedAt;
    this.#channel = new SocketChannel(socket, {
      scheduler: settings.scheduler,
      maxUnsent: settings.maxUnsent,
      highWaterBytes: settings.highWaterBytes,
      mayDeliver: () => this.#mayDeliver(),
      close: (reason) => this.end(reason),
    });
    if (auth !== null) this.#signedIn(auth);
  }

  get auth(): SessionAuth | null {
    return this.#auth;
  }

  /** A message of the client; null: one that is no text. */
  receive(text: string | null): void {
    if (this.#ended) return;
    this.heard();
    if (this.#inbox.length >= MAX_INBOX) {
      this.end(CLOSE.tooManyCommands);
      return;
    }
    this.#inbox.push(text ?? '');
    if (!this.#working) void this.#work();
  }

  /** Any sign of life. */
  heard(): void {
    this.#heardAt = this.#options.clock.monotonic();
    this.#unansweredSince = null;
  }

  tick(): void {
    if (this.#ended) return;
    const now = this.#options.clock.monotonic();
    if (this.#auth === null && now - this.#openedAt >= AUTH_TIMEOUT_MS) {
      this.end(CLOSE.noAuthInTime);
      return;
    }
    // Nothing is read while a command is worked on, so silence says nothing then.
    if (this.#working && !this.#channel.blocked) this.heard();
    if (this.#unansweredSince !== null && now - this.#unansweredSince >= PONG_TIMEOUT_MS) {
      this.end(CLOSE.pingUnanswered);
      return;
    }
    if (now - this.#heardAt < PING_INTERVAL_MS || now - this.#pingedAt < PING_INTERVAL_MS) return;
    this.#pingedAt = now;
    this.#unansweredSince ??= now;
    this.#options.socket.ping();
  }

  end(reason: CloseReason): void {
    if (this.#ended) return;
    this.gone();
    this.#options.socket.close(reason);
  }

  /** The connection is over: nothing is sent and nothing is held for it any more. */
  gone(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#inbox.length = 0;
    this.#subscriptions?.close();
    this.#channel.close();
    this.#options.ended(this);
  }

  #signedIn(auth: SessionAuth): void {
    const { platform, settings, fault } = this.#options;
    this.#auth = auth;
    const { scheduler, maxSubscriptions } = settings;
    const context = { platform, caller: auth.caller, channel: this.#channel, scheduler, fault };
    this.#subscriptions ??= new Subscriptions(context, maxSubscriptions);
  }

  #mayDeliver(): boolean {
    if (this.#auth?.holds) return true;
    this.end(CLOSE.signedOut);
    return false;
  }

  /** Works on one message after the other; the client is not read meanwhile, so it cannot ask for more than it takes. */
  async #work(): Promise<void> {
    this.#working = true;
    this.#options.socket.pause();
    try {
      for (let text = this.#inbox.shift(); text !== undefined && !this.#ended; text = this.#inbox.shift()) {
        await this.#handle(parse(text));
      }
    } catch (error) {
      this.#options.fault(error);
      this.end(CLOSE.failed);
    } finally {
      this.#working = false;
      if (!this.#ended) this.#options.socket.resume();
    }
  }

  async #handle(message: unknown): Promise<void> {
    const envelope = readEnvelope(message);
    if (envelope === undefined) {
      if (this.#auth === null) this.end(CLOSE.badFirstMessage);
      else this.#channel.send(UNREADABLE);
      return;
    }
    if (!(await this.#identify(envelope.auth))) return;
    for (const command of envelope.commands) {
      await this.#channel.writable();
      if (this.#ended || this.#subscriptions === null) return;
      await this.#subscriptions.run(command);
    }
  }

  /** Takes over a proof of identity; a later one of the same user prolongs the session. False: the session has ended. */
  async #identify(shown: Envelope['auth']): Promise<boolean> {
    if (shown === null) {
      if (this.#auth !== null) return true;
      this.end(CLOSE.noAuthCmd);
      return false;
    }
    const auth = await this.#options.authenticate(shown);
    if (this.#ended) return false;
    if (auth === undefined || (this.#auth !== null && auth.caller.userId !== this.#auth.caller.userId)) {
      this.end(CLOSE.badToken);
      return false;
    }
    this.#signedIn(auth);
    return true;
  }
}

/** undefined: it cannot be read. */
function parse(text: string): unknown {
  if (isDeeperThan(text, MAX_JSON_DEPTH)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
