import type { ConfigurationProblem } from './problem.ts';
import type { Configuration } from './schema.ts';

/** Kinds of listeners for devices, as they are called in the configuration, in logs and in metrics. */
export type ListenerKind = 'mqtt' | 'mqtts' | 'ws' | 'wss' | 'combined';

/** A listener that is to be opened. */
export interface PlannedListener {
  readonly kind: ListenerKind;
  /** 0: any free one. */
  readonly port: number;
  /** The one dialect spoken here, or null. */
  readonly pinnedDialect: string | null;
  /** True: nobody asked for this very port, so the server starts without it when it is taken. */
  readonly optional: boolean;
  /** Setting that the port comes from. */
  readonly setting: string;
}

const USUAL_PORTS = { mqtts: 8883, ws: 8083, wss: 8084 } as const;
const USUAL_COAP_PORT = 5683;
const NEEDS_CERTIFICATE: ReadonlySet<ListenerKind> = new Set(['mqtts', 'wss', 'combined']);
const KINDS = ['mqtt', 'mqtts', 'ws', 'wss'] as const;

/** Whether TLS is configured at all. */
export function hasCertificate({ tls }: Configuration): boolean {
  return tls.certificate !== null && tls.key !== null;
}

/** Every listener for devices that the configuration asks for. product.md, Ports */
export function plannedListeners(configuration: Configuration): PlannedListener[] {
  const planned: PlannedListener[] = [];
  const secure = hasCertificate(configuration);
  for (const kind of KINDS) {
    const main = mainPort(configuration, kind);
    if (main !== null && (secure || !NEEDS_CERTIFICATE.has(kind))) {
      planned.push({ kind, ...main, pinnedDialect: null, setting: `${kind}.port` });
    }
    for (const entry of configuration[kind].pinnedPorts) {
      const [port, dialect = ''] = entry.split('=');
      const setting = `${kind}.pinnedPorts`;
      planned.push({ kind, port: Number(port), pinnedDialect: dialect, optional: false, setting });
    }
  }
  const { port } = configuration.combined;
  if (port !== null) {
    planned.push({ kind: 'combined', port, pinnedDialect: null, optional: false, setting: 'combined.port' });
  }
  return planned;
}

/** The UDP port of CoAP, or null: it is switched off. */
export function coapPort({ coap, mqtt }: Configuration): { readonly port: number; readonly optional: boolean } | null {
  if (coap.port === 'off') return null;
  if (coap.port !== null) return { port: coap.port, optional: false };
  return { port: mqtt.port === 0 ? 0 : USUAL_COAP_PORT, optional: true };
}

function mainPort(
  configuration: Configuration,
  kind: (typeof KINDS)[number],
): { readonly port: number; readonly optional: boolean } | null {
  if (kind === 'mqtt') return { port: configuration.mqtt.port, optional: false };
  const { port } = configuration[kind];
  if (port === 'off') return null;
  if (port !== null) return { port, optional: false };
  return { port: configuration.mqtt.port === 0 ? 0 : USUAL_PORTS[kind], optional: true };
}

/** Ports for TLS that were asked for and cannot be opened for want of a certificate; for a warning. */
export function portsWithoutCertificate(configuration: Configuration): string[] {
  if (hasCertificate(configuration)) return [];
  return (['mqtts', 'wss'] as const)
    .filter((kind) => typeof configuration[kind].port === 'number')
    .map((kind) => `${kind}.port`);
}

/** Dialects by server name. recognition.md, R1 */
export function pinnedServerNames({ tls }: Configuration): Map<string, string> {
  const names = new Map<string, string>();
  for (const entry of tls.pinnedServerNames) {
    const [name = '', dialect = ''] = entry.split('=');
    names.set(name.toLowerCase(), dialect);
  }
  return names;
}

/** Ports that two listeners cannot share. */
export function checkPorts(configuration: Configuration): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const owners = new Map<number, string>([[configuration.http.port, 'http.port']]);
  for (const { port, setting, optional } of plannedListeners(configuration)) {
    if (port > 65_535) problems.push({ where: null, message: `${setting}: there is no port ${port}`, hint: null });
    if (port === 0 || optional) continue;
    const owner = owners.get(port);
    if (owner !== undefined) {
      const message = `${setting} and ${owner} are both ${port}`;
      problems.push({ where: null, message, hint: 'give each its own port' });
    }
    owners.set(port, setting);
  }
  return problems;
}

/** Settings of TLS that are nothing without each other. */
export function checkTls(configuration: Configuration): ConfigurationProblem[] {
  const { tls, combined } = configuration;
  const problems: ConfigurationProblem[] = [];
  const hint = 'set tls.certificate and tls.key, or make both with: moorage cert init';
  const needsBoth = (setting: string): void => {
    problems.push({ where: null, message: `${setting} needs a certificate and its key`, hint });
  };
  if ((tls.certificate === null) !== (tls.key === null)) {
    needsBoth(tls.key === null ? 'tls.certificate' : 'tls.key');
    return problems;
  }
  if (hasCertificate(configuration)) return problems;
  if (combined.port !== null) needsBoth('combined.port');
  if (tls.clientCa !== null) needsBoth('tls.clientCa');
  if (tls.pinnedServerNames.length > 0) needsBoth('tls.pinnedServerNames');
  for (const kind of ['mqtts', 'wss'] as const) {
    if (configuration[kind].pinnedPorts.length > 0) needsBoth(`${kind}.pinnedPorts`);
  }
  return problems;
}
