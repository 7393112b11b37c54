/** A name or address that is safe inside a shell command, a URL and a configuration file. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45})$/;

/**
 * The host that a connection guide names: the one asked for, else the one this request came to. undefined: the one
 * asked for is not a host. The guide holds commands to be pasted, so anything else is refused and never quoted.
 */
export function guideHost(asked: string | undefined, requested: string): string | undefined {
  if (asked !== undefined) {
    const host = withoutBrackets(asked);
    return HOST.test(host) ? host : undefined;
  }
  const host = withoutBrackets(requested);
  return HOST.test(host) ? host : 'localhost';
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
