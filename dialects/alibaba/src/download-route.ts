import type { OtaDownload } from '@moorage/core';
import type { DeviceHttpAnswer, DeviceHttpRoute, PulledPayload } from '@moorage/dialect-api';
import { credentialOf, parsePair } from './credentials.ts';
import { DOWNLOAD_PATH, type DownloadLinks } from './download-links.ts';

const NOT_FOUND: DeviceHttpAnswer = { status: 404, contentType: null, body: null };

/** The bytes from `start` to before `end`. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * `bytes=a-b`, `bytes=a-` or `bytes=-n`; null: the whole file, as for any other header; `none`: outside of the file.
 * RFC 9110, 14.1.2 and 14.2
 */
function rangeOf(header: string | readonly string[] | undefined, size: number): ByteRange | null | 'none' {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(String(header ?? '')) ?? [];
  if (first === '' && last === '') return null;
  if (first === '') return last === '0' || size === 0 ? 'none' : { start: Math.max(size - Number(last), 0), end: size };
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < start) return null;
  return start >= size ? 'none' : { start, end };
}

function part(download: OtaDownload, { start, end }: ByteRange): PulledPayload {
  return {
    length: end - start,
    read: (offset, length) => download.read(start + offset, Math.min(length, end - start - offset)),
    close: () => download.close(),
  };
}

/** The firmware of a device, for who was given the address. Section 5, 6 */
export function downloadRoute(links: DownloadLinks): DeviceHttpRoute {
  return {
    method: 'GET',
    path: `${DOWNLOAD_PATH}/:productKey/:deviceName/:expires/:proof`,
    bodyLimit: 0,
    tooLarge: () => ({ status: 413, contentType: null, body: null }),
    async handle({ parameters, headers, remoteAddress }, desk) {
      const { productKey = '', deviceName = '', expires = '', proof = '' } = parameters;
      const identity = parsePair(productKey, deviceName);
      const device = identity === undefined ? null : (credentialOf(identity, desk.credentials)?.device ?? null);
      if (identity === undefined || device === null || !links.isValid(identity, expires, proof)) {
        await desk.refused(remoteAddress, `${deviceName}&${productKey}`, 'The address of the firmware is not valid.');
        return NOT_FOUND;
      }
      const download = await desk.download(device, 'FIRMWARE');
      if (typeof download === 'string') return NOT_FOUND;
      const { size, contentType } = download;
      const range = rangeOf(headers?.range, size);
      if (range === 'none') {
        download.close();
        return { status: 416, contentType: null, headers: { 'content-range': `bytes */${size}` }, body: null };
      }
      const wanted = range ?? { start: 0, end: size };
      const body = part(download, wanted);
      const accepts = { 'accept-ranges': 'bytes' };
      if (range === null) return { status: 200, contentType, headers: accepts, body };
      const contentRange = `bytes ${wanted.start}-${wanted.end - 1}/${size}`;
      return { status: 206, contentType, headers: { ...accepts, 'content-range': contentRange }, body };
    },
  };
}
