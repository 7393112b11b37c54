import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A message of the server, as far as tests look into it. */
export interface LiveAnswer {
  readonly subscriptionId?: number;
  readonly cmdId?: number;
  readonly errorCode: number;
  readonly errorMsg: string | null;
  readonly data?: unknown;
  readonly update?: unknown;
  readonly latestValues?: unknown;
}

/** A command that the server answers at once with an error: whatever it sent before has come by then. */
const MARKER_ID = 987_654;
const MARKER = { cmds: [{ type: 'ENTITY_DATA', cmdId: MARKER_ID }] };

/** A client that keeps what it receives until the test asks for it. */
export class LiveClient {
  readonly socket: WebSocket;
  /** Code and reason of the end. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #received: LiveAnswer[] = [];
  readonly #waiting: ((answer: LiveAnswer) => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('message', (data) => {
      const answer: LiveAnswer = JSON.parse(String(data));
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#received.push(answer);
      else waiting(answer);
    });
    socket.on('error', () => undefined);
  }

  static async open(url: string): Promise<LiveClient> {
    const socket = new WebSocket(url);
    const client = new LiveClient(socket);
    await once(socket, 'open');
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The oldest message not yet looked at. */
  next(): Promise<LiveAnswer> {
    const received = this.#received.shift();
    return received === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(received);
  }

  /** Sends and gives the next message. */
  ask(message: unknown): Promise<LiveAnswer> {
    this.send(message);
    return this.next();
  }

  /** Everything that the server has sent so far and that was not looked at. */
  async rest(): Promise<readonly LiveAnswer[]> {
    this.send(MARKER);
    const rest: LiveAnswer[] = [];
    for (let answer = await this.next(); answer.subscriptionId !== MARKER_ID; answer = await this.next()) {
      rest.push(answer);
    }
    return rest;
  }

  terminate(): void {
    this.socket.terminate();
  }
}
