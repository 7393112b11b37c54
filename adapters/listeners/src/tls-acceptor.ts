import { constants, type X509Certificate } from 'node:crypto';
import { Socket } from 'node:net';
import { createServer, DEFAULT_CIPHERS, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { PresentedCertificate, Scheduler } from '@moorage/mqtt-broker';
import { ClientCertificates, readAuthorities } from './client-certificates.ts';
import { HANDSHAKE_TIMEOUT_MS } from './first-bytes.ts';
import type { ListenerEvent } from './listener.ts';
import { nodeTimers } from './node-timers.ts';

/** A handshake under way holds about 80 KiB; more connections than this wait unread until it is their turn. */
const MAX_HANDSHAKES = 2000;
/** RFC 4279; both are in use by modems. */
const PSK_CIPHERS = ['PSK-AES128-GCM-SHA256', 'PSK-AES128-CBC-SHA'];

/** What a server proves itself with, in PEM. */
export interface TlsMaterial {
  /** The certificate and the chain behind it. */
  readonly certificate: string;
  readonly key: string;
  /**
   * Authorities for client certificates. With them, a client that presents a certificate of anybody else is refused in
   * the handshake; null: the dialect decides, by its registry.
   */
  readonly clientAuthorities: string | null;
}

export interface TlsAcceptorOptions {
  readonly material: TlsMaterial;
  /** Gives the key that belongs to a PSK identity of TLS 1.2, or null. RFC 4279 */
  readonly psk?: (identity: string) => Uint8Array | null;
  readonly count?: (event: ListenerEvent) => void;
  readonly scheduler?: Pick<Scheduler, 'after'>;
  /** Milliseconds for one handshake; default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** Handshakes at once; default 2,000. */
  readonly maxHandshakes?: number;
}

/** A connection whose handshake is done. */
export interface SecureConnection {
  readonly socket: TLSSocket;
  /** Server name the client asked for, or null. RFC 6066, 3 */
  readonly serverName: string | null;
  /** Leaf first, each signed by the next; null without. */
  readonly clientCertificates: readonly PresentedCertificate[] | null;
}

interface Handshake {
  readonly tcp: Socket;
  readonly secured: (connection: SecureConnection) => void;
}

/**
 * TLS 1.2 and 1.3 for any number of listeners. Client certificates are asked for and may be left out; one that the next
 * of its chain has not signed ends the connection (thingsboard-device.md, 1.4). Renegotiation is refused.
 */
export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  readonly #server: Server;
  readonly #certificates = new ClientCertificates();
  readonly #scheduler: Pick<Scheduler, 'after'>;
  readonly #underWay = new Map<Socket, (connection: SecureConnection) => void>();
  readonly #waiting = new Set<Handshake>();
  #authorities: readonly X509Certificate[] | null;

  constructor(options: TlsAcceptorOptions) {
    this.#options = options;
    this.#authorities = authoritiesOf(options.material);
    this.#scheduler = options.scheduler ?? nodeTimers;
    const { psk } = options;
    this.#server = createServer({
      ...this.#context(options.material),
      requestCert: true,
      rejectUnauthorized: false,
      ...(psk === undefined ? {} : { pskCallback: (_socket: TLSSocket, identity: string) => pskOrNull(psk, identity) }),
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    // Who broke the handshake closes it too; the TCP socket tells of it.
    this.#server.on('tlsClientError', (_error, socket) => {
      socket.on('error', ignore);
      tcpOf(socket)?.destroy();
    });
  }

  /** Takes a new certificate for the connections to come. Throws what OpenSSL says of a bad one and keeps the old. */
  reload(material: TlsMaterial): void {
    const authorities = authoritiesOf(material);
    this.#server.setSecureContext(this.#context(material));
    this.#authorities = authorities;
  }

  /** Handshakes under way and waiting for their turn. */
  get handshakes(): { readonly underWay: number; readonly waiting: number } {
    return { underWay: this.#underWay.size, waiting: this.#waiting.size };
  }

  /** Begins the handshake on a TCP socket that is not read by anybody; a failed one ends in the close of the socket. */
  accept(tcp: Socket, secured: (connection: SecureConnection) => void): void {
    if (this.#underWay.size < (this.#options.maxHandshakes ?? MAX_HANDSHAKES)) {
      this.#begin({ tcp, secured });
      return;
    }
    const handshake = { tcp, secured };
    this.#waiting.add(handshake);
    tcp.once('close', () => this.#waiting.delete(handshake));
  }

  #begin({ tcp, secured }: Handshake): void {
    this.#underWay.set(tcp, secured);
    const cancelLimit = this.#scheduler.after(this.#options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS, () => {
      if (this.#underWay.has(tcp)) tcp.destroy();
    });
    const over = (): void => {
      tcp.off('close', closed);
      cancelLimit();
      this.#underWay.delete(tcp);
      this.#next();
    };
    const closed = (): void => {
      this.#options.count?.('tls.handshake.failed');
      over();
    };
    tcp.on('close', closed);
    this.#underWay.set(tcp, (connection) => {
      over();
      secured(connection);
    });
    this.#server.emit('connection', tcp);
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#waiting.delete(first);
    this.#begin(first);
  }

  #secured(socket: TLSSocket): void {
    const tcp = tcpOf(socket);
    const secured = tcp === null ? undefined : this.#underWay.get(tcp);
    if (secured === undefined) {
      socket.destroy();
      return;
    }
    const clientCertificates = this.#certificates.read(socket, this.#authorities ?? []);
    const isForeign = clientCertificates !== null && this.#authorities !== null && !socket.authorized;
    if (clientCertificates === 'broken' || isForeign) {
      this.#options.count?.('tls.clientCertificate.refused');
      socket.on('error', ignore);
      socket.destroy();
      return;
    }
    const name: unknown = Reflect.get(socket, 'servername');
    secured({ socket, serverName: typeof name === 'string' && name !== '' ? name : null, clientCertificates });
  }

  #context({ certificate, key, clientAuthorities }: TlsMaterial): SecureContextOptions {
    return {
      cert: certificate,
      key,
      // An empty list: the authorities that Node knows would cost memory and vouch for no device.
      ca: clientAuthorities ?? [],
      minVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      ...(this.#options.psk === undefined ? {} : { ciphers: pskCiphers() }),
    };
  }
}

function authoritiesOf({ clientAuthorities }: TlsMaterial): X509Certificate[] | null {
  return clientAuthorities === null ? null : readAuthorities(clientAuthorities);
}

/** `!PSK` in a list forbids what is added behind it. */
function pskCiphers(): string {
  const ordinary = DEFAULT_CIPHERS.split(':').filter((cipher) => cipher !== '!PSK');
  return [...ordinary, ...PSK_CIPHERS].join(':');
}

function pskOrNull(psk: (identity: string) => Uint8Array | null, identity: string): DataView | null {
  const key = psk(identity);
  return key === null ? null : new DataView(key.buffer, key.byteOffset, key.byteLength);
}

/** The TCP socket below; Node names it to itself only. */
function tcpOf(socket: TLSSocket): Socket | null {
  const parent: unknown = Reflect.get(socket, '_parent');
  return parent instanceof Socket ? parent : null;
}

function ignore(): void {}
