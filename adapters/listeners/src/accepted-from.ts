import type { ListenerInfo } from '@moorage/mqtt-broker';
import type { ListenerOptions } from './listener.ts';
import { normaliseAddress } from './remote-address.ts';
import type { ConnectionHandle } from './stream-binding.ts';

/** Where a connection came from; the kernel is asked when somebody wants to know. */
export class AcceptedFrom implements ListenerInfo {
  readonly #options: ListenerOptions;
  readonly #handle: ConnectionHandle;
  #address: string | null = null;
  #port = 0;

  constructor(options: ListenerOptions, handle: ConnectionHandle) {
    this.#options = options;
    this.#handle = handle;
  }

  get listener(): string {
    return this.#options.name;
  }

  get transport(): 'tcp' {
    return 'tcp';
  }

  get pinnedDialect(): string | null {
    return this.#options.pinnedDialect;
  }

  get serverName(): null {
    return null;
  }

  get clientCertificates(): null {
    return null;
  }

  get remoteAddress(): string {
    return this.#address ?? this.#ask();
  }

  get remotePort(): number {
    if (this.#address === null) this.#ask();
    return this.#port;
  }

  /** The same as a plain object, to be copied from. */
  plain(): ListenerInfo {
    const { listener, transport, remoteAddress, remotePort, pinnedDialect, serverName, clientCertificates } = this;
    return { listener, transport, remoteAddress, remotePort, pinnedDialect, serverName, clientCertificates };
  }

  #ask(): string {
    const peer: { address?: string; port?: number } = {};
    this.#handle.getpeername(peer);
    this.#port = peer.port ?? 0;
    this.#address = normaliseAddress(peer.address ?? '');
    return this.#address;
  }
}
