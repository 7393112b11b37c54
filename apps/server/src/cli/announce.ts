import { isIP } from 'node:net';
import { isLoopback } from '../config/exposure.ts';
import type { RunningServer } from '../running-server.ts';

/** What is told when the server is ready. */
export interface Announcement {
  readonly version: string;
  readonly pid: number;
  /** The address bound to. */
  readonly host: string;
  readonly publicHost: string | null;
  readonly ports: RunningServer['ports'];
  readonly dataDir: string;
  readonly hasAdministrator: boolean;
}

/** The one line of `--json`. product.md, start-up contract */
export function readyLine({ version, pid, host, ports, dataDir }: Announcement): string {
  return `${JSON.stringify({ ready: true, version, pid, host, ports, dataDir })}\n`;
}

/** The same for people, line by line. */
export function readyText(announcement: Announcement): string[] {
  const { version, host, publicHost, ports, dataDir, hasAdministrator } = announcement;
  const local = isLoopback(host);
  const everywhere = host === '::' || host === '0.0.0.0';
  const name = publicHost ?? (everywhere ? 'localhost' : host);
  const address = isIP(name) === 6 ? `[${name}]` : name;
  const lines = [
    `Moorage ${version} is ready`,
    `  API   http://${address}:${ports.http}`,
    `  MQTT  mqtt://${address}:${ports.mqtt}`,
    ...otherPorts(address, ports),
    `  Data  ${dataDir}`,
  ];
  if (!hasAdministrator) {
    lines.push(
      `  No administrator password yet: reachable from ${local ? 'this machine only' : `everywhere that ${host} is`}.`,
      '  To set one, start with MOORAGE_ADMIN_EMAIL and MOORAGE_ADMIN_PASSWORD (or MOORAGE_ADMIN_PASSWORD_FILE).',
    );
  }
  return lines;
}

/** The other ports for devices, as far as they are open. */
function otherPorts(
  address: string,
  { mqtts, ws, wss, combined, coap, pinned = [] }: RunningServer['ports'],
): string[] {
  const lines: string[] = [];
  const add = (scheme: string, port: number | undefined, remark = ''): void => {
    if (port !== undefined) lines.push(`        ${scheme}://${address}:${port}${remark}`);
  };
  add('mqtts', mqtts);
  add('ws', ws);
  add('wss', wss);
  add('https', combined, ' (also mqtts and wss)');
  add('coap', coap);
  for (const { listener, dialect, port } of pinned) add(listener, port, ` (${dialect} alone)`);
  return lines;
}
