/** Who a datagram is from. RFC 7252, 1.2 */
export interface Endpoint {
  /** As text, for logs and limits; one of IPv4 also where the socket is of IPv6. */
  readonly address: string;
  /** As the socket wants it. */
  readonly rawAddress: string;
  readonly port: number;
  readonly key: string;
}

const MAPPED_PREFIX = '::ffff:';

export function endpointOf(rawAddress: string, port: number): Endpoint {
  const isMapped = rawAddress.startsWith(MAPPED_PREFIX) && rawAddress.includes('.');
  const address = isMapped ? rawAddress.slice(MAPPED_PREFIX.length) : rawAddress;
  return { address, rawAddress, port, key: `${rawAddress}|${port}` };
}
