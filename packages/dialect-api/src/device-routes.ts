import type { PayloadSource } from './commands.ts';
import type { DeviceDesk } from './device-desk.ts';

/** A request of a device over HTTP or CoAP. */
export interface DeviceRequest {
  /** Values of the `:name` levels of the path, decoded; what stands for a last level `*` is named `*`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** In their order; a name may appear several times. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly remoteAddress: string;
  /** Address of the connection itself: a proxy's, if there is one. HTTP only, as the next two. */
  readonly peerAddress?: string;
  /** Path and query as they stand in the request line. */
  readonly target?: string;
  /** As this server received it. */
  readonly scheme?: 'http' | 'https';
  /** A header of an HTTP request by its name in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Calls `task` once when the client is gone before it was answered; at once if it is. */
  onGone(task: () => void): void;
}

export interface DeviceHttpAnswer {
  /** HTTP status code. */
  readonly status: number;
  /** null: no body. */
  readonly contentType: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: PayloadSource | string | null;
}

/** One path of a vendor's HTTP API for devices. */
export interface DeviceHttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Levels that begin with `:` are parameters; a last level `*` stands for all that follows. */
  readonly path: string;
  /** Bytes; a longer body is refused with `tooLarge` while it arrives. */
  readonly bodyLimit: number;
  handle(request: DeviceRequest, desk: DeviceDesk): Promise<DeviceHttpAnswer>;
  /** The vendor's answer to a body over the limit. */
  tooLarge(bodyLimit: number): DeviceHttpAnswer;
}

export interface DeviceCoapAnswer {
  /** As `2.05`. RFC 7252, 12.1.2 */
  readonly code: string;
  /** Number of the Content-Format; null: no payload. */
  readonly contentFormat: number | null;
  readonly body: PayloadSource | null;
}

/** An observation (RFC 7641) that was accepted: `first` answers the request, later ones go through `notify`. */
export interface CoapObservation {
  readonly first: DeviceCoapAnswer;
  /** The client cancelled, was lost, or the server stops. */
  close(): void;
}

/** One path of a vendor's CoAP API for devices. */
export interface DeviceCoapRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Levels that begin with `:` are parameters. */
  readonly path: string;
  /** Bytes, over all blocks. */
  readonly bodyLimit: number;
  handle(request: DeviceRequest, desk: DeviceDesk): Promise<DeviceCoapAnswer>;
  /**
   * GET with Observe 0. A plain answer refuses the observation. `notify` resolves to whether a confirmable notification
   * was acknowledged (for a non-confirmable one: sent); `end` sends a last answer without Observe and closes.
   */
  observe?(
    request: DeviceRequest,
    desk: DeviceDesk,
    notify: (answer: DeviceCoapAnswer) => Promise<boolean>,
    end: (answer: DeviceCoapAnswer) => void,
  ): Promise<CoapObservation | DeviceCoapAnswer>;
  /** The vendor's answer to GET with Observe 1. */
  readonly cancelled?: DeviceCoapAnswer;
}
