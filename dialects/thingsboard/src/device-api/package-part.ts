import type { OtaDownload } from '@moorage/core';
import type { DeviceRequest, PayloadSource } from '@moorage/dialect-api';
import { numberOf, parameterOf } from './query.ts';

/** What a request for a package says of it. Section 7.5 */
export interface WantedPart {
  /** null: any. */
  readonly title: string | null;
  readonly version: string | null;
  /** Bytes of a chunk; 0: the whole file. */
  readonly size: number;
  readonly chunk: number;
}

/** undefined: a number is none. */
export function wantedPart(query: DeviceRequest['query']): WantedPart | undefined {
  const size = numberOf(query, 'size');
  const chunk = numberOf(query, 'chunk');
  if (size === undefined || chunk === undefined) return undefined;
  return { title: parameterOf(query, 'title') ?? null, version: parameterOf(query, 'version') ?? null, size, chunk };
}

export function isOf({ title, version }: OtaDownload, wanted: WantedPart): boolean {
  return (wanted.title ?? title) === title && (wanted.version ?? version) === version;
}

const NOTHING = new Uint8Array(0);

/** The bytes of a chunk, past the end none; closing it closes the download. */
export function partOf(download: OtaDownload, { size, chunk }: WantedPart): PayloadSource {
  const start = size === 0 ? 0 : size * chunk;
  const length = Math.min(size === 0 ? download.size : size, download.size - start);
  if (length <= 0) {
    download.close();
    return NOTHING;
  }
  return {
    length,
    read: (offset, wanted) => download.read(start + offset, Math.min(wanted, length - offset)),
    close: () => download.close(),
  };
}
