import { BlockList, isIP } from 'node:net';
import { EXIT, StartError } from '../start-error.ts';

const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

function family(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address);
  if (version === 0) return null;
  return version === 4 ? 'ipv4' : 'ipv6';
}

/** Whether an address is one of these, or in one of these networks (`10.0.0.0/8`). Throws `StartError` for what is neither. */
export function trustedProxies(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/', 2);
    const type = family(address);
    const most = type === 'ipv4' ? 32 : 128;
    if (type === null || (bits !== undefined && !(Number(bits) <= most))) {
      const hint = 'write addresses as in 10.0.0.1 and networks as in 10.0.0.0/8';
      throw new StartError(`http.trustedProxies: ${entry} is no address`, { hint, exitCode: EXIT.configuration });
    }
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return (given) => {
    const address = given.replace(MAPPED_IPV4, '');
    const type = family(address);
    return type !== null && list.check(address, type);
  };
}
