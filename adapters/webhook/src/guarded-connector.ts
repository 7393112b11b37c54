import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { addressClass } from './address-class.ts';

/** An address of a host. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface ConnectorOptions {
  /** Also connect to loopback and to private networks. */
  readonly allowPrivateAddresses: boolean;
  /** Milliseconds. */
  readonly connectTimeoutMs: number;
  /** Asks DNS; by default the system. */
  readonly resolve?: ((host: string) => Promise<readonly ResolvedAddress[]>) | undefined;
  /** Authorities that are trusted, in PEM; by default those of the system. */
  readonly ca?: string | undefined;
}

/** The host leads to no address that may be asked. */
export class AddressRefused extends Error {
  constructor() {
    super('the address is private or reserved');
    this.name = 'AddressRefused';
  }
}

/** Look-ups of the system occupy threads that files need too, and may hang for long. */
const LOOKUPS = 2;

/** Whether the policy lets an address be asked. */
export function isAllowed(address: string | undefined, allowPrivateAddresses: boolean): boolean {
  if (address === undefined) return false;
  const found = addressClass(address);
  return found === 'public' || (found === 'private' && allowPrivateAddresses);
}

/**
 * Makes connections for undici: the name is resolved once, here, addresses that are not allowed are left out, and the
 * connection goes to one of the others; what it is connected to in the end is looked at again.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const { allowPrivateAddresses, connectTimeoutMs, ca } = options;
  const resolve = shared(options.resolve ?? ((host) => systemLookup(host, { all: true })));
  const lookup: LookupFunction = (host, { all, family }, done) => {
    resolve(host).then(
      (addresses) => {
        const allowed = addresses
          .filter(({ address }) => isAllowed(address, allowPrivateAddresses))
          .filter((one) => family === undefined || family === 0 || String(family).endsWith(String(one.family)))
          .map(({ address, family: version }) => ({ address, family: version }));
        const [first] = allowed;
        if (first === undefined) done(new AddressRefused(), '');
        else if (all === true) done(null, allowed);
        else done(null, first.address, first.family);
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), ''),
    );
  };
  const connect = buildConnector({
    lookup,
    timeout: connectTimeoutMs,
    allowH2: false,
    ...(ca === undefined ? {} : { ca }),
  });
  return (target, callback) => {
    if (isIP(target.hostname) !== 0 && !isAllowed(target.hostname, allowPrivateAddresses)) {
      callback(new AddressRefused(), null);
      return;
    }
    connect(target, (...[error, socket]) => {
      if (error !== null) callback(error, null);
      else if (isAllowed(socket.remoteAddress, allowPrivateAddresses)) callback(null, socket);
      else {
        socket.destroy();
        callback(new AddressRefused(), null);
      }
    });
  };
}

/** Few look-ups at a time; those of a name that is being looked up wait for the same answer. */
function shared(
  resolve: (host: string) => Promise<readonly ResolvedAddress[]>,
): (host: string) => Promise<readonly ResolvedAddress[]> {
  const under = new Map<string, Promise<readonly ResolvedAddress[]>>();
  const waiting: (() => void)[] = [];
  let active = 0;
  const run = async (host: string): Promise<readonly ResolvedAddress[]> => {
    if (active >= LOOKUPS) await new Promise<void>((go) => waiting.push(go));
    else active += 1;
    try {
      return await resolve(host);
    } finally {
      under.delete(host);
      const next = waiting.shift();
      if (next === undefined) active -= 1;
      else next();
    }
  };
  return (host) => {
    const known = under.get(host);
    if (known !== undefined) return known;
    const asked = run(host);
    under.set(host, asked);
    return asked;
  };
}
