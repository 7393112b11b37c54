import { Readable } from 'node:stream';
import type { OtaPackageInfo } from '@moorage/api-types';
import type { OtaDownload } from '@moorage/core';

/** Bytes read at once. A multiple of three, so that pieces of base64 can be put one behind the other. */
const PIECE_BYTES = 196_608;

/** The bytes of a file. The download is closed with the stream. */
export function fileStream(download: OtaDownload): Readable {
  return streamOf(download, piecesOf(download));
}

/** JSON text of a package with its file in base64, without the file ever being in memory as a whole. */
export function packageWithData(info: OtaPackageInfo, download: OtaDownload): Readable {
  async function* pieces(): AsyncGenerator<Buffer | string> {
    yield `${JSON.stringify(info).slice(0, -1)},"data":"`;
    for await (const piece of piecesOf(download)) yield piece.toString('base64');
    yield '"}';
  }
  return streamOf(download, pieces());
}

function streamOf(download: OtaDownload, pieces: AsyncIterable<Buffer | string>): Readable {
  const stream = Readable.from(pieces, { objectMode: false });
  stream.on('close', () => download.close());
  return stream;
}

async function* piecesOf(download: OtaDownload): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < download.size; offset += PIECE_BYTES) {
    const bytes = await download.read(offset, PIECE_BYTES);
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

/** Headers of a file to be saved under its name. thingsboard-server.md, 5; RFC 6266, 4 */
export function fileHeaders(download: OtaDownload): Readonly<Record<string, string | number>> {
  const { fileName, contentType, size } = download;
  const encoded = encodeURIComponent(fileName);
  const isToken = /^[\w.+-]+$/.test(fileName);
  return {
    'content-type': contentType,
    'content-length': size,
    'content-disposition': isToken
      ? `attachment;filename=${fileName}`
      : `attachment;filename*=UTF-8''${extValue(encoded)}`,
    'x-filename': isToken ? fileName : encoded,
  };
}

/** RFC 5987, 3.2.1: these stay as they are in a URI component and may not here. */
function extValue(encoded: string): string {
  return encoded.replaceAll(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
