import type { ByteStream, ListenerInfo, Scheduler } from '@moorage/mqtt-broker';

/** What happens to connections before they are streams, for a counter each. */
export type ListenerEvent =
  /** Nothing came within the time limit. */
  | 'listener.firstByte.timeout'
  /** The first byte belongs to no protocol of this listener. recognition.md, section 2 */
  | 'listener.firstByte.unknown'
  /** The handshake was wrong, broken off or too slow. */
  | 'tls.handshake.failed'
  /** A client certificate that the configured authority has not issued, or that the next of its chain has not signed. */
  | 'tls.clientCertificate.refused'
  /** No WebSocket came of the HTTP request: no sub-protocol of MQTT, no upgrade, too big, too slow. */
  | 'webSocket.handshake.failed'
  /** A frame that RFC 6455 forbids, or one that is too big. */
  | 'webSocket.frame.invalid'
  /** [MQTT-6.0.0-1] */
  | 'webSocket.frame.text';

/** What every kind of listener is made with. */
export interface ListenerOptions {
  /** Name in logs and metrics. */
  readonly name: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Identifier of the one dialect spoken here, or null: recognised from the CONNECT. */
  readonly pinnedDialect: string | null;
  /**
   * Dialects by TLS server name in lower case, for listeners without a pin of their own. recognition.md, R1
   */
  readonly pinnedServerNames?: ReadonlyMap<string, string>;
  /** Connections the kernel holds until they are accepted; default 4096. The kernel's own limit may be lower. */
  readonly backlog?: number;
  /** Open connections; one more is closed at once and counted as refused. */
  readonly maxConnections: number;
  /** Called for each accepted connection. Nothing is read before `stream.start`. */
  readonly accept: (stream: ByteStream, via: ListenerInfo) => void;
  /** The kernel could not hand out a connection (no file descriptor left, for example); the listener goes on. */
  readonly acceptFailed?: (error: Error) => void;
  readonly count?: (event: ListenerEvent) => void;
  /** For time limits; default the timers of Node. */
  readonly scheduler?: Pick<Scheduler, 'after'>;
  /** Milliseconds to the first byte, for the TLS handshake and for the WebSocket handshake, each; default 10,000. */
  readonly handshakeTimeoutMs?: number;
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
