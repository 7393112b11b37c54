import { isIP } from 'node:net';

/**
 * `private`: of this machine or a network that is not the internet, allowed if the operator says so. `never`: no address of
 * one machine elsewhere, or one by which clouds hand out secrets (link-local).
 */
export type AddressClass = 'public' | 'private' | 'never';

type Range = readonly [address: string, prefix: number, addressClass: AddressClass];

/** IANA IPv4 special-purpose registry; what is not here is public. */
const IPV4_RANGES: readonly Range[] = [
  ['0.0.0.0', 8, 'never'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'private'],
  ['169.254.0.0', 16, 'never'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'never'],
  ['192.0.2.0', 24, 'never'],
  ['192.88.99.0', 24, 'never'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'never'],
  ['198.51.100.0', 24, 'never'],
  ['203.0.113.0', 24, 'never'],
  ['224.0.0.0', 3, 'never'],
];

/** IANA IPv6 registries, the first match counts; what is in none of them is not given to anybody. */
const IPV6_RANGES: readonly Range[] = [
  ['::1', 128, 'private'],
  ['fc00::', 7, 'private'],
  ['2001::', 23, 'never'],
  ['2001:db8::', 32, 'never'],
  ['2002::', 16, 'never'],
  ['3fff::', 20, 'never'],
  ['2000::', 3, 'public'],
];

const MAPPED = '::ffff:0:0';
const NAT64 = '64:ff9b::';

/** The class of an IPv4 or IPv6 address as the system writes it; `never` for other text. */
export function addressClass(address: string): AddressClass {
  const family = isIP(address);
  if (family === 4) return classOfIpv4(address);
  // A zone belongs to link-local addresses.
  if (family !== 6 || address.includes('%')) return 'never';
  const bits = ipv6Bits(address);
  // Both carry an IPv4 address in their last 32 bits, and lead to it.
  for (const carrier of [MAPPED, NAT64]) if (within(bits, carrier, 96)) return classOfIpv4(dotted(bits & 0xffff_ffffn));
  return IPV6_RANGES.find(([range, prefix]) => within(bits, range, prefix))?.[2] ?? 'never';
}

function classOfIpv4(address: string): AddressClass {
  const bits = ipv4Bits(address);
  const found = IPV4_RANGES.find(
    ([range, prefix]) => bits >> BigInt(32 - prefix) === ipv4Bits(range) >> BigInt(32 - prefix),
  );
  return found?.[2] ?? 'public';
}

function within(bits: bigint, range: string, prefix: number): boolean {
  const shift = BigInt(128 - prefix);
  return bits >> shift === ipv6Bits(range) >> shift;
}

function ipv4Bits(address: string): bigint {
  return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function dotted(bits: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.');
}

function ipv6Bits(address: string): bigint {
  // The last two groups may be written as an IPv4 address.
  const tail = /\d+\.\d+\.\d+\.\d+$/.exec(address)?.[0];
  const low = tail === undefined ? 0n : ipv4Bits(tail);
  const text = tail === undefined ? address : address.slice(0, -tail.length) + groups(low);
  const [before = '', after] = text.split('::');
  const first = before === '' ? [] : before.split(':');
  const last = after === undefined || after === '' ? [] : after.split(':');
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

function groups(ipv4: bigint): string {
  return `${(ipv4 >> 16n).toString(16)}:${(ipv4 & 0xffffn).toString(16)}`;
}
