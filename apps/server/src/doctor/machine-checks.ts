import { createServer } from 'node:net';
import { bindHost } from '../config/exposure.ts';
import { plannedListeners } from '../config/listener-settings.ts';
import type { Configuration } from '../config/schema.ts';
import { SETTINGS } from '../config/setting.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const OLDEST_NODE = 24;
/** The first SQLite without the WAL-reset corruption. sqlite.org/changes.html, 3.51.3 */
const OLDEST_SQLITE = '3.51.3';
/** Moorage did not exist before; a machine without a clock of its own wakes up far earlier. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** Databases, listeners, HTTP. */
const FILES_BESIDE_CONNECTIONS = 1000;
const LATEST = Date.UTC(2100, 0, 1);

/** Checks the versions that everything runs on. */
export function checkVersions(versions: Readonly<Record<string, string | undefined>>): Finding[] {
  const node = versions.node ?? 'unknown';
  const sqlite = versions.sqlite ?? 'unknown';
  return [
    Number(node.split('.')[0]) >= OLDEST_NODE
      ? ok('node', `Node ${node}`)
      : fail('node', `Node ${node}`, `use Node ${OLDEST_NODE} or newer`),
    isAtLeast(sqlite, OLDEST_SQLITE)
      ? ok('sqlite', `SQLite ${sqlite}`)
      : fail('sqlite', `SQLite ${sqlite} can damage its files`, 'use a newer release of Node, which carries SQLite'),
  ];
}

/** Checks that the clock tells a time that can be true. `newestFileMs`: the latest change in the data folder, or null. */
export function checkClock(nowMs: number, newestFileMs: number | null): Finding {
  const now = new Date(nowMs).toISOString();
  const fix = 'set the clock, best by NTP';
  if (nowMs < EARLIEST || nowMs > LATEST) return fail('clock', `the clock says ${now}`, fix);
  if (newestFileMs !== null && newestFileMs > nowMs + 86_400_000) {
    const written = new Date(newestFileMs).toISOString();
    return fail('clock', `the clock says ${now}, but data was written at ${written}`, fix);
  }
  return ok('clock', now);
}

/** Checks that the process may hold a file open for every connection. `limitsText`: /proc/self/limits; null: not Linux. */
export function checkOpenFiles(limitsText: string | null, connections: number): Finding | null {
  // Node raises its own limit to the hard one, the second figure.
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limitsText ?? '')?.[1];
  if (hard === undefined) return null;
  const message = `${hard} open files allowed, mqtt.limits.connections is ${connections}`;
  if (Number(hard) >= connections + FILES_BESIDE_CONNECTIONS) return ok('files', message);
  return warn(
    'files',
    message,
    'raise the limit (LimitNOFILE of systemd, ulimit -Hn) if that many devices are to connect',
  );
}

/** Checks that the ports can be opened. A server that runs on the same folder is expected to hold them. */
export async function checkPorts(configuration: Configuration, serverRuns: boolean): Promise<Finding[]> {
  const host = bindHost(configuration, false);
  const findings: Finding[] = [];
  const http = { setting: 'http.port', port: configuration.http.port, optional: false };
  for (const { setting, port, optional } of [...plannedListeners(configuration), http]) {
    if (port === 0) {
      findings.push(ok(setting, 'any free port'));
      continue;
    }
    const code = await tryToListen(host, port);
    const cannot = `${host}, port ${port} cannot be opened: ${code}`;
    if (code === null) findings.push(ok(setting, `${host}, port ${port} is free`));
    else if (code === 'EADDRINUSE' && serverRuns)
      findings.push(ok(setting, `${host}, port ${port} is in use while the server runs`));
    else if (optional)
      findings.push(warn(setting, cannot, `the server starts without it; set ${setting} if it is needed`));
    else findings.push(fail(setting, cannot, `choose another port${flagOf(setting)}`));
  }
  return findings;
}

function flagOf(key: string): string {
  const flag = SETTINGS.find((setting) => setting.key === key)?.flag ?? null;
  return flag === null ? '' : ` with ${flag}`;
}

function tryToListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

function isAtLeast(version: string, oldest: string): boolean {
  const have = version.split('.').map(Number);
  for (const [at, wanted] of oldest.split('.').map(Number).entries()) {
    const part = have[at] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
