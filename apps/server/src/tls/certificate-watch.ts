import { stat } from 'node:fs/promises';
import type { Scheduler } from '@moorage/core';
import type { TlsAcceptor } from '@moorage/listeners';
import type { Logger } from 'pino';
import {
  type CertificateFiles,
  readServerCertificate,
  type ServerCertificate,
  validity,
} from './server-certificate.ts';

const LOOK_EVERY_MS = 60_000;
/** Below this many days a certificate that somebody renews would have been renewed. */
const SOON_DAYS = 14;

/** Takes over a new certificate when its files change, and keeps the old one while the new one is broken. */
export class CertificateWatch {
  readonly #files: CertificateFiles;
  readonly #tls: Pick<TlsAcceptor, 'reload'>;
  readonly #log: Pick<Logger, 'info' | 'warn' | 'error'>;
  #seen: string;
  #looking: Promise<void> = Promise.resolve();
  #cancel: () => void = () => undefined;

  private constructor(
    files: CertificateFiles,
    tls: Pick<TlsAcceptor, 'reload'>,
    log: CertificateWatchLog,
    seen: string,
  ) {
    this.#files = files;
    this.#tls = tls;
    this.#log = log;
    this.#seen = seen;
  }

  /** Begins to watch; the files as they are now are taken for known. */
  static async start(
    files: CertificateFiles,
    tls: Pick<TlsAcceptor, 'reload'>,
    { log, scheduler }: { readonly log: CertificateWatchLog; readonly scheduler: Pick<Scheduler, 'every'> },
  ): Promise<CertificateWatch> {
    const watch = new CertificateWatch(files, tls, log, await fingerprint(files));
    watch.#cancel = scheduler.every(LOOK_EVERY_MS, () => void watch.look());
    return watch;
  }

  /** Takes the files over if they have changed since the last look. */
  look(): Promise<void> {
    return this.#next(async () => {
      const now = await fingerprint(this.#files);
      if (now !== this.#seen) this.#take(now);
    });
  }

  /** Takes the files over, changed or not. */
  reload(): Promise<void> {
    return this.#next(async () => this.#take(await fingerprint(this.#files)));
  }

  async close(): Promise<void> {
    this.#cancel();
    await this.#looking;
  }

  /** One after the other, so that an older reading never follows a newer one. */
  #next(step: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(step);
    return this.#looking;
  }

  #take(fingerprintNow: string): void {
    this.#seen = fingerprintNow;
    const read = readServerCertificate(this.#files);
    if (!read.ok) {
      this.#log.error(`the new certificate is not used, the old one stays: ${read.message}`);
      return;
    }
    try {
      this.#tls.reload(read.certificate.material);
    } catch (error) {
      this.#log.error(error, 'the new certificate is not used, the old one stays');
      return;
    }
    this.#log.info(`certificate taken over, valid until ${read.certificate.leaf.validTo}`);
    warnOfDates(read.certificate, this.#log, Date.now());
  }
}

export type CertificateWatchLog = Pick<Logger, 'info' | 'warn' | 'error'>;

/** Says that a certificate is out of its time or nearly so. */
export function warnOfDates({ leaf }: ServerCertificate, log: Pick<Logger, 'warn'>, nowMs: number): void {
  const { state, days } = validity(leaf, nowMs);
  if (state === 'expired') log.warn(`the certificate expired on ${leaf.validTo}: most devices will refuse it`);
  else if (state === 'early')
    log.warn(`the certificate is valid from ${leaf.validFrom} only: most devices will refuse it`);
  else if (days < SOON_DAYS) log.warn(`the certificate expires on ${leaf.validTo}`);
}

/** Changes with every file, also behind a symbolic link as certbot has them. */
async function fingerprint({ certificate, key, clientCa }: CertificateFiles): Promise<string> {
  const files = clientCa === null ? [certificate, key] : [certificate, key, clientCa];
  const marks = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ ino, size, mtimeMs }) => `${ino}:${size}:${mtimeMs}`,
        (error: NodeJS.ErrnoException) => error.code ?? 'unknown',
      ),
    ),
  );
  return marks.join(' ');
}
