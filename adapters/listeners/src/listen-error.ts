const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is in use by another process'],
  ['EACCES', 'this user may not open that port'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['ENOTFOUND', 'the host name is unknown'],
]);

/** A listener could not be opened. `code` is the system's (EADDRINUSE, EACCES, EADDRNOTAVAIL, ...). */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;
  readonly listener: string;
  readonly host: string;
  readonly port: number;

  constructor(listener: string, host: string, port: number, cause: NodeJS.ErrnoException) {
    const code = cause.code ?? 'UNKNOWN';
    super(`cannot listen on ${host}, port ${port} (${listener}): ${REASONS.get(code) ?? cause.message}`, { cause });
    this.code = code;
    this.listener = listener;
    this.host = host;
    this.port = port;
  }
}
