import type { TlsAcceptor, TlsAcceptorOptions } from './tls-acceptor.ts';

/** Prepares TLS for listeners; its code is loaded now and not before. Throws what OpenSSL says of a bad certificate. */
export async function openTls(options: TlsAcceptorOptions): Promise<TlsAcceptor> {
  const { TlsAcceptor: Acceptor } = await import('./tls-acceptor.ts');
  return new Acceptor(options);
}
