import type { MultipartFile } from '@fastify/multipart';
import type { OtaUpload, UploadClaims } from '@moorage/core';
import type { FastifyRequest } from 'fastify';
import { RequestRefusal } from '../refusals/request-refusal.ts';

/** The file is limited by the platform while it is read; everything else of a form is small. */
export const UPLOAD_LIMITS = {
  fileSize: Number.POSITIVE_INFINITY,
  files: 1,
  fields: 10,
  parts: 11,
  fieldNameSize: 100,
  fieldSize: 1024,
  headerPairs: 20,
};

type Parts = ReturnType<FastifyRequest['parts']>;

/** An upload as a form: the file, and text fields before it, behind it or in the query. thingsboard-server.md, 5 */
export class UploadForm {
  readonly #parts: Parts;
  readonly #claims: { checksumAlgorithm: string | null; checksum: string | null };
  #file: MultipartFile | null = null;

  /** `query` counts where the form says nothing. */
  constructor(parts: Parts, query: UploadClaims) {
    this.#parts = parts;
    this.#claims = { ...query };
  }

  /** Reads as far as the file; null: the form has none. */
  async open(): Promise<OtaUpload | null> {
    const file = await this.#next();
    this.#file = file;
    if (file === null) return null;
    return {
      fileName: file.filename,
      contentType: file.mimetype,
      data: chunksOf(file),
      early: { ...this.#claims },
      claims: async () => {
        await this.#next();
        return { ...this.#claims };
      },
    };
  }

  /** Lets go of a form that was not read to its end; what still arrives of it is thrown away. */
  close(): void {
    this.#file?.file.destroy();
  }

  /** Takes in text fields up to the next file, or to the end. */
  async #next(): Promise<MultipartFile | null> {
    for (;;) {
      const { value: part, done } = await asRefusal(() => this.#parts.next());
      if (done === true || part === undefined) return null;
      if (part.type === 'file') return part;
      if (part.fieldname !== 'checksumAlgorithm' && part.fieldname !== 'checksum') continue;
      if (typeof part.value !== 'string' || part.valueTruncated) {
        throw new RequestRefusal(400, 31, `The field '${part.fieldname}' is too long or not a text`);
      }
      this.#claims[part.fieldname] = part.value;
    }
  }
}

async function* chunksOf({ file }: MultipartFile): AsyncGenerator<Uint8Array> {
  const chunks = file[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await asRefusal(() => chunks.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    file.destroy();
  }
}

/** A form that breaks off, or is none, is the sender's fault. */
async function asRefusal<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch {
    throw new RequestRefusal(400, 31, 'The form is not well-formed, has too many parts, or broke off');
  }
}
