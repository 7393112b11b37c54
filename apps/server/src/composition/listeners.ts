import type { Socket } from 'node:net';
import type { Scheduler } from '@moorage/core';
import {
  createCombinedListener,
  createTcpListener,
  createTlsListener,
  createWebSocketListener,
  ListenError,
  type Listener,
  type ListenerOptions,
  openTls,
  type TlsAcceptor,
} from '@moorage/listeners';
import type { ByteStream, ListenerInfo } from '@moorage/mqtt-broker';
import type { Logger } from 'pino';
import {
  hasCertificate,
  type PlannedListener,
  pinnedServerNames,
  plannedListeners,
  portsWithoutCertificate,
} from '../config/listener-settings.ts';
import { nearestName } from '../config/nearest-name.ts';
import type { Configuration } from '../config/schema.ts';
import type { DevicePorts, PinnedPort } from '../running-server.ts';
import { EXIT, StartError } from '../start-error.ts';
import { CertificateWatch, warnOfDates } from '../tls/certificate-watch.ts';
import { readServerCertificate } from '../tls/server-certificate.ts';

export interface ListenersOptions {
  readonly configuration: Configuration;
  /** Address that all ports bind to. */
  readonly host: string;
  /** Identifiers of the dialects there are, for the pins. */
  readonly dialects: readonly string[];
  readonly accept: (stream: ByteStream, via: ListenerInfo) => void;
  /** The key of a device that connects by TLS-PSK; absent: none does. */
  readonly psk?: (identity: string) => Uint8Array | null;
  /** Takes HTTPS connections of the port for everything, decrypted. */
  readonly http: (socket: Socket) => void;
  readonly count: (event: string, amount: number) => void;
  readonly scheduler: Scheduler;
  readonly log: Logger;
}

/** The listeners for devices, open. */
export interface OpenListeners {
  readonly ports: DevicePorts;
  /** Reads the certificate anew; a broken one is logged, and the old one stays. */
  reload(): Promise<void>;
  /** Stops accepting on every port. */
  close(): Promise<void>;
}

/** Opens every listener of the configuration. Rejects with `StartError` or `ListenError`, and then none is open. */
export async function openListeners(options: ListenersOptions): Promise<OpenListeners> {
  const { configuration, log } = options;
  checkPins(configuration, options.dialects);
  for (const setting of portsWithoutCertificate(configuration)) {
    log.warn(`${setting} is not opened: there is no certificate (see: moorage cert init)`);
  }
  const { tls, watch } = await prepareTls(options);
  const open: { readonly planned: PlannedListener; readonly listener: Listener }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all([watch?.close(), ...open.map(({ listener }) => listener.close())]);
  };
  try {
    for (const planned of plannedListeners(configuration)) {
      const listener = await openOne(planned, options, tls);
      if (listener !== null) open.push({ planned, listener });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { ports: portsOf(open), close, reload: async () => watch?.reload() };
}

async function prepareTls({
  configuration,
  log,
  scheduler,
  count,
  psk,
}: ListenersOptions): Promise<{ readonly tls: TlsAcceptor | null; readonly watch: CertificateWatch | null }> {
  const { certificate, key, clientCa } = configuration.tls;
  if (!hasCertificate(configuration) || certificate === null || key === null) return { tls: null, watch: null };
  const files = { certificate, key, clientCa };
  const read = readServerCertificate(files);
  const hint = 'moorage doctor checks the certificate';
  if (!read.ok) throw new StartError(read.message, { hint, exitCode: EXIT.configuration });
  let tls: TlsAcceptor;
  try {
    tls = await openTls({
      material: read.certificate.material,
      scheduler,
      ...(psk === undefined ? {} : { psk }),
      count: (event) => count(event, 1),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`${certificate} cannot be used: ${reason}`, { hint, exitCode: EXIT.configuration, cause });
  }
  warnOfDates(read.certificate, log, Date.now());
  return { tls, watch: await CertificateWatch.start(files, tls, { log, scheduler }) };
}

/** Null: the usual port is taken, and nobody asked for it. */
async function openOne(
  planned: PlannedListener,
  options: ListenersOptions,
  tls: TlsAcceptor | null,
): Promise<Listener | null> {
  try {
    return await openKind(planned, listenerOptions(planned, options), options, tls);
  } catch (error) {
    if (!planned.optional || !(error instanceof ListenError)) throw error;
    options.log.warn(`${error.message}; the server runs without it (${planned.setting} sets another port, or off)`);
    return null;
  }
}

function openKind(
  { kind }: PlannedListener,
  base: ListenerOptions,
  { http }: ListenersOptions,
  tls: TlsAcceptor | null,
): Promise<Listener> {
  if (kind === 'mqtt') return createTcpListener({ ...base, tls });
  if (kind === 'ws') return createWebSocketListener(base);
  if (tls === null) throw new StartError(`${base.name} needs a certificate`, { exitCode: EXIT.configuration });
  switch (kind) {
    case 'mqtts':
      return createTlsListener({ ...base, tls });
    case 'wss':
      return createWebSocketListener({ ...base, tls });
    case 'combined':
      return createCombinedListener({ ...base, tls, http });
  }
}

function listenerOptions(
  { kind, port, pinnedDialect }: PlannedListener,
  { configuration, host, accept, count, scheduler, log }: ListenersOptions,
): ListenerOptions {
  return {
    name: pinnedDialect === null ? kind : `${kind}-${pinnedDialect}`,
    host,
    port,
    pinnedDialect,
    pinnedServerNames: pinnedServerNames(configuration),
    maxConnections: configuration.mqtt.limits.connections,
    accept,
    acceptFailed: (error) => log.warn(error, 'a connection could not be accepted'),
    count: (event) => count(event, 1),
    scheduler,
  };
}

function portsOf(open: readonly { readonly planned: PlannedListener; readonly listener: Listener }[]): DevicePorts {
  const ports: Partial<Record<PlannedListener['kind'], number>> = {};
  const pinned: PinnedPort[] = [];
  for (const { planned, listener } of open) {
    const { kind, pinnedDialect } = planned;
    if (pinnedDialect === null) ports[kind] = listener.port;
    else pinned.push({ listener: kind, dialect: pinnedDialect, port: listener.port });
  }
  return { ...ports, mqtt: ports.mqtt ?? 0, ...(pinned.length === 0 ? {} : { pinned }) };
}

function checkPins(configuration: Configuration, dialects: readonly string[]): void {
  const pins: [setting: string, dialect: string][] = [];
  for (const { setting, pinnedDialect } of plannedListeners(configuration)) {
    if (pinnedDialect !== null) pins.push([setting, pinnedDialect]);
  }
  for (const dialect of pinnedServerNames(configuration).values()) pins.push(['tls.pinnedServerNames', dialect]);
  for (const [setting, dialect] of pins) {
    if (dialects.includes(dialect)) continue;
    const near = nearestName(dialect, dialects);
    const hint = near === null ? `there are: ${dialects.join(', ')}` : `did you mean ${near}?`;
    throw new StartError(`${setting}: there is no dialect ${dialect}`, { hint, exitCode: EXIT.configuration });
  }
}
