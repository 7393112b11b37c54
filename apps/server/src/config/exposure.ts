import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ConfigurationProblem } from './problem.ts';
import type { Configuration } from './schema.ts';

const LOOPBACK = '127.0.0.1';

/**
 * The address that every port binds to. Without `host`: the loopback address until an administrator has a password (from
 * the configuration or, as `hasAdministrator`, in the data), then all addresses. product.md, First run, 7
 */
export function bindHost(configuration: Configuration, hasAdministrator: boolean): string {
  if (configuration.host !== null) return configuration.host;
  return hasAdministrator || configuration.adminPassword !== null ? allAddresses() : LOOPBACK;
}

/** True for addresses that only this machine reaches. A name other than `localhost` is taken for reachable. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^::ffff:/i, '');
  if (isIP(address) === 4) return address.startsWith('127.');
  return address === '::1' || address.toLowerCase() === 'localhost';
}

/** Whether anonymous clients would be let in from the network without that having been asked for. api-additions.md, 4 */
export function anonymousExposure(
  configuration: Configuration,
  hasAdministrator: boolean,
): ConfigurationProblem | null {
  if (!configuration.plain.anonymous || configuration.plain.anonymousAnywhere) return null;
  const host = bindHost(configuration, hasAdministrator);
  if (isLoopback(host)) return null;
  return {
    where: null,
    message: `plain.anonymous would let everybody in who reaches ${host}`,
    hint: 'bind to loopback with --host 127.0.0.1, or allow it with plain.anonymousAnywhere (MOORAGE_PLAIN__ANONYMOUS_ANYWHERE=true)',
  };
}

/** The IPv6 wildcard takes IPv4 connections too, but cannot be bound where IPv6 is switched off. */
function allAddresses(): string {
  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6'));
  return hasIpv6 ? '::' : '0.0.0.0';
}
