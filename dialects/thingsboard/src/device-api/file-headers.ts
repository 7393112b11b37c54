/** Characters of a token: such a name needs no quotes. RFC 9110, 5.6.2 */
const TOKEN = /^[\w!#$&+.^`|~-]+$/;

/**
 * `Content-Disposition` and `x-filename` as the vendor has them (section 7.5). A name that cannot stand in a header as it
 * is goes encoded, RFC 6266, with `_` for such characters in the plain form.
 */
export function fileHeaders(fileName: string): Readonly<Record<string, string>> {
  const plain = fileName.replace(/[^ -~]|["\\]/g, '_');
  if (TOKEN.test(fileName)) {
    return { 'content-disposition': `attachment;filename=${fileName}`, 'x-filename': fileName };
  }
  const encoded = encodeURIComponent(fileName.toWellFormed()).replace(/['()*]/g, percentEncoded);
  return {
    'content-disposition': `attachment;filename="${plain}";filename*=UTF-8''${encoded}`,
    'x-filename': plain,
  };
}

/** The content type of a package, or that of any bytes if it could not stand in a header. */
export function fileType(contentType: string): string {
  return /^[\w.+-]+\/[\w.+-]+(; ?[\w.-]+=[\w.-]+)*$/.test(contentType) ? contentType : 'application/octet-stream';
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
