import { type DeviceRequest, encodeText, passwordMatches } from '@moorage/dialect-api';
import type { HmacSha256Base64 } from '../ports.ts';
import { signatureOf } from '../push/signature.ts';

export interface RequestSignatureOptions {
  readonly hmacSha256Base64: HmacSha256Base64;
  /** Names under which this server is reached, with a port where it is not the usual one. */
  readonly publicNames: readonly string[];
  /** Whether `X-Forwarded-*` from a peer of this address are to be believed. */
  readonly trustedProxy: (remoteAddress: string) => boolean;
}

/** The headers of a signed request. sensoro.md, 2.2 */
export interface AccessHeaders {
  readonly appId: string;
  readonly nonce: string;
  readonly signature: string;
}

/** Longest signature or nonce that is looked at; those that can be right are shorter. */
const MAXIMUM_HEADER = 256;

/** undefined: one of them is missing. */
export function accessHeaders(request: DeviceRequest): AccessHeaders | undefined {
  const appId = header(request, 'x-access-id');
  const nonce = header(request, 'x-access-nonce');
  const signature = header(request, 'x-access-signature');
  if (appId === null || nonce === null || signature === null) return undefined;
  return nonce.length > MAXIMUM_HEADER || signature.length > MAXIMUM_HEADER ? undefined : { appId, nonce, signature };
}

function header({ headers }: DeviceRequest, name: string): string | null {
  const value = headers?.[name];
  const text = typeof value === 'string' ? value : value?.[0];
  return text === undefined || text === '' ? null : text;
}

/** Of a list, what the proxy that is nearest to the client has put in. */
function forwarded(request: DeviceRequest, name: string): string | null {
  return header(request, name)?.split(',', 1)[0]?.trim() ?? null;
}

/**
 * Whether a request is signed with this secret. Clients differ in the address they sign (a proxy stands between) and in the
 * body (serialised again, or `{}` for none), so several are tried; path and query are those of the request line alone.
 */
export class RequestSignature {
  readonly #options: RequestSignatureOptions;

  constructor(options: RequestSignatureOptions) {
    this.#options = options;
  }

  /** `method` in capitals. */
  matches(
    request: DeviceRequest,
    method: string,
    { nonce, signature }: AccessHeaders,
    secrets: readonly string[],
  ): boolean {
    const given = encodeText(signature);
    const bodies = bodiesOf(request.body);
    for (const url of this.#addresses(request)) {
      for (const body of bodies) {
        for (const secret of secrets) {
          const expected = signatureOf(this.#options.hmacSha256Base64, secret, { nonce, method, url, body });
          if (passwordMatches(given, expected)) return true;
        }
      }
    }
    return false;
  }

  #addresses(request: DeviceRequest): ReadonlySet<string> {
    const { publicNames, trustedProxy } = this.#options;
    const trusted = trustedProxy(request.peerAddress ?? request.remoteAddress);
    const schemes = [
      request.scheme ?? 'http',
      ...(trusted ? [forwarded(request, 'x-forwarded-proto') ?? ''] : []),
      'https',
      'http',
    ];
    const hosts = [
      header(request, 'host') ?? '',
      ...(trusted ? [forwarded(request, 'x-forwarded-host') ?? ''] : []),
      ...publicNames,
    ];
    const addresses = new Set<string>();
    for (const scheme of schemes.filter((one) => one === 'http' || one === 'https')) {
      for (const host of hosts.filter((one) => one !== '')) {
        addresses.add(`${scheme}://${withoutUsualPort(scheme, host)}${request.target ?? ''}`);
        addresses.add(`${scheme}://${host}${request.target ?? ''}`);
      }
    }
    return addresses;
  }
}

function withoutUsualPort(scheme: string, host: string): string {
  const usual = scheme === 'https' ? ':443' : ':80';
  return host.endsWith(usual) ? host.slice(0, -usual.length) : host;
}

const decoder = new TextDecoder();

/** The body as it came and as `JSON.stringify` makes it again; for none what clients sign instead. */
function bodiesOf(body: Uint8Array): readonly (string | Uint8Array)[] {
  if (body.length === 0) return ['{}', ''];
  try {
    return [body, JSON.stringify(JSON.parse(decoder.decode(body)))];
  } catch {
    return [body];
  }
}
