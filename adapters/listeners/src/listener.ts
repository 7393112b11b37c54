import type { ByteStream, ListenerInfo, Scheduler } from '@moorage/mqtt-broker';

/** What every kind of listener is made with. */
export interface ListenerOptions {
  /** Name in logs and metrics. */
  readonly name: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Identifier of the one dialect spoken here, or null: recognised from the CONNECT. */
  readonly pinnedDialect: string | null;
  /** Connections the kernel holds until they are accepted; default 4096. The kernel's own limit may be lower. */
  readonly backlog?: number;
  /** Open connections; one more is closed at once and counted as refused. */
  readonly maxConnections: number;
  /** Called for each accepted connection. Nothing is read before `stream.start`. */
  readonly accept: (stream: ByteStream, via: ListenerInfo) => void;
  /** The kernel could not hand out a connection (no file descriptor left, for example); the listener goes on. */
  readonly acceptFailed?: (error: Error) => void;
  /** For the limit of `ByteStream.end`; default the timers of Node. */
  readonly scheduler?: Pick<Scheduler, 'after'>;
}

/** A listener that is open. */
export interface Listener {
  readonly name: string;
  readonly host: string;
  /** The port in use, also when 0 was asked for. */
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Connections closed because `maxConnections` was reached. */
  readonly refused: number;
  /** Stops accepting and frees the port. Open connections stay: whoever accepted them closes them. */
  close(): Promise<void>;
}
