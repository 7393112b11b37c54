const MAPPED = /^::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i;

/**
 * One spelling per address: lower case, and an IPv4 address that came in by an IPv6 socket in its dotted form, so that
 * limits and logs see one peer once. RFC 4291, 2.5.5.2
 */
export function normaliseAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address.toLowerCase();
}
