import type { Socket } from 'node:net';
import type { ByteStream, Scheduler, StreamHandler } from '@moorage/mqtt-broker';
import type { WebSocket } from 'ws';
import type { ListenerEvent } from './listener.ts';
import { END_LIMIT_MS } from './socket-stream.ts';

const EMPTY = new Uint8Array(0);
/** Codes of RFC 6455, 7.4.1. */
const CLOSE = { normal: 1000, unsupportedData: 1003 } as const;

/** A WebSocket was used against its rules; `code` says how. */
export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';
  readonly code: 'text-frame' | 'invalid-frame';

  constructor(code: 'text-frame' | 'invalid-frame', message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface WebSocketStreamOptions {
  readonly webSocket: WebSocket;
  /** What the frames travel on: the TCP socket or the TLS socket above it. */
  readonly socket: Socket;
  readonly tcp: Socket;
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly count: (event: ListenerEvent) => void;
  /** Called once, when the first frame has come whole. */
  readonly firstFrame: () => void;
}

/** The binary frames of a WebSocket as a byte stream; one frame for each write. [MQTT-6.0.0-2] */
export class WebSocketStream implements ByteStream {
  readonly #options: WebSocketStreamOptions;
  readonly #webSocket: WebSocket;
  #handler: StreamHandler | null = null;
  #error: Error | null = null;
  #cancelLimit: (() => void) | null = null;
  #paused = false;
  #ending = false;
  #closed = false;
  #awaitsDrain = false;
  #hasReceived = false;
  /** Copies of frames that came although reading was paused; usually null. */
  #held: Uint8Array[] | null = null;

  constructor(options: WebSocketStreamOptions) {
    const { webSocket, socket } = options;
    this.#options = options;
    this.#webSocket = webSocket;
    webSocket.pause();
    webSocket.on('message', (data, isBinary) => this.#message(data, isBinary));
    webSocket.on('error', (error) => this.#failed(error));
    socket.on('close', () => this.#gone());
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    if (this.#closed) queueMicrotask(() => handler.onClose(this.#error));
    else if (!this.#paused) this.#webSocket.resume();
  }

  get writableLength(): number {
    return this.#webSocket.bufferedAmount;
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || this.#ending) return;
    this.#webSocket.send(bytes, { binary: true, compress: false, fin: true });
    if (this.#webSocket.bufferedAmount > 0 && !this.#awaitsDrain) this.#awaitDrain();
  }

  pause(): void {
    if (this.#paused || this.#ending) return;
    this.#paused = true;
    this.#webSocket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#webSocket.resume();
    if (this.#held !== null) queueMicrotask(() => this.#release());
  }

  probe(idleSeconds: number): void {
    this.#options.tcp.setKeepAlive(true, idleSeconds * 1000);
  }

  end(): void {
    this.#end(CLOSE.normal);
  }

  destroy(): void {
    if (this.#closed) return;
    this.#ending = true;
    // A peer that does not read would keep what was written in the kernel's memory long after an ordinary close.
    if (this.#webSocket.bufferedAmount > 0) this.#options.tcp.resetAndDestroy();
    else this.#options.socket.destroy();
  }

  #end(code: number): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#paused = false;
    this.#held = null;
    this.#cancelLimit = this.#options.scheduler.after(END_LIMIT_MS, () => this.destroy());
    this.#webSocket.close(code);
    // The peer's closing frame is waited for, and what comes before it goes nowhere. RFC 6455, 7.1.2
    this.#webSocket.resume();
  }

  #message(data: unknown, isBinary: boolean): void {
    if (this.#ending || !(data instanceof Uint8Array)) return;
    if (!isBinary) {
      this.#error = new WebSocketError('text-frame', 'a text frame came, MQTT uses binary frames');
      this.#options.count('webSocket.frame.text');
      this.#end(CLOSE.unsupportedData);
      return;
    }
    if (!this.#hasReceived) {
      this.#hasReceived = true;
      this.#options.firstFrame();
    }
    if (data.length === 0) return;
    // `slice` of a Buffer is a view, of a Uint8Array a copy: receivers are promised the latter.
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (!this.#paused && this.#held === null) {
      this.#handler?.onData(bytes);
      return;
    }
    // The rest of what was read at once is still parsed after a pause: at most one chunk of the socket.
    this.#held ??= [];
    this.#held.push(bytes.slice());
  }

  /** A frame against the rules: `ws` has sent the closing frame that fits. */
  #failed(cause: Error): void {
    if (this.#closed || this.#error !== null) return;
    this.#error = new WebSocketError('invalid-frame', `a bad WebSocket frame came: ${cause.message}`, cause);
    this.#options.count('webSocket.frame.invalid');
    this.#end(CLOSE.normal);
  }

  #gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = null;
    this.#cancelLimit?.();
    this.#handler?.onClose(this.#error);
  }

  #release(): void {
    while (!this.#paused && !this.#ending) {
      const bytes = this.#held?.shift();
      if (bytes === undefined) break;
      this.#handler?.onData(bytes);
    }
    if (this.#ending || this.#held?.length === 0) this.#held = null;
  }

  /** An empty write behind what waits is called back when all before it has left; it makes no frame. */
  #awaitDrain(): void {
    this.#awaitsDrain = true;
    this.#options.socket.write(EMPTY, () => {
      this.#awaitsDrain = false;
      if (this.#closed || this.#ending) return;
      if (this.#webSocket.bufferedAmount > 0) this.#awaitDrain();
      else this.#handler?.onDrain();
    });
  }
}
