import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { ByteStream, ListenerInfo } from '@moorage/mqtt-broker';
import { CERTIFICATES } from '@moorage/testkit';
import type { Listener, ListenerEvent, ListenerOptions } from '../listener.ts';
import { openTls } from '../open-tls.ts';
import type { TlsAcceptor, TlsAcceptorOptions } from '../tls-acceptor.ts';
import { record } from './streams.ts';

export interface Accepted {
  readonly stream: ByteStream;
  readonly via: ListenerInfo;
}

/** Listeners of a test and everything connected to them; `close` leaves nothing open. */
export class Bench {
  readonly counts = new Map<string, number>();
  /** Time limits that are running. */
  readonly limits = new Set<() => void>();
  readonly #clean: (() => Promise<void> | void)[] = [];
  readonly #ready: Accepted[] = [];
  readonly #waiting: ((accepted: Accepted) => void)[] = [];

  readonly scheduler = {
    after: (_delayMs: number, task: () => void): (() => void) => {
      this.limits.add(task);
      return () => void this.limits.delete(task);
    },
  };

  readonly count = (event: ListenerEvent): void => void this.counts.set(event, (this.counts.get(event) ?? 0) + 1);

  get options(): ListenerOptions {
    return {
      name: 'test',
      host: '127.0.0.1',
      port: 0,
      pinnedDialect: null,
      maxConnections: 100,
      scheduler: this.scheduler,
      count: this.count,
      accept: (stream, via) => {
        this.#clean.push(() => stream.destroy());
        const next = this.#waiting.shift();
        if (next === undefined) this.#ready.push({ stream, via });
        else next({ stream, via });
      },
    };
  }

  async listen(opening: Promise<Listener>): Promise<Listener> {
    const listener = await opening;
    this.#clean.push(() => listener.close());
    return listener;
  }

  tls(changes: Partial<TlsAcceptorOptions> = {}): Promise<TlsAcceptor> {
    return openTls({ material: material('server'), scheduler: this.scheduler, count: this.count, ...changes });
  }

  accepted(): Promise<Accepted> {
    const first = this.#ready.shift();
    return first === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(first);
  }

  /** An accepted stream that is being recorded. */
  async recorded() {
    const { stream, via } = await this.accepted();
    const seen = record();
    stream.start(seen.handler);
    return { stream, via, seen };
  }

  async connect(listener: Listener): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: listener.port });
    this.#track(socket);
    await once(socket, 'connect');
    return socket;
  }

  /** A TLS client that has not finished its handshake. */
  beginTls(listener: Listener, options: ConnectionOptions = {}): TLSSocket {
    const ca = CERTIFICATES.ca.certificate;
    const socket = connectTls({ host: '127.0.0.1', port: listener.port, servername: 'localhost', ca, ...options });
    this.#track(socket);
    return socket;
  }

  async connectTls(listener: Listener, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = this.beginTls(listener, options);
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Lets every running time limit pass. */
  expire(): void {
    for (const task of [...this.limits]) task();
  }

  later(step: () => Promise<void> | void): void {
    this.#clean.push(step);
  }

  async close(): Promise<void> {
    for (const step of this.#clean.splice(0).reverse()) await step();
  }

  #track(socket: Socket): void {
    socket.on('error', () => undefined);
    this.#clean.push(() => void socket.destroy());
  }
}

export function material(name: 'server' | 'renewed', clientAuthorities: string | null = null) {
  const { certificate, key } = CERTIFICATES[name];
  return { certificate, key, clientAuthorities };
}

/** Resolves when a socket has closed, however. */
export async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}
