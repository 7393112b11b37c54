const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * A short text that differs where the given one does, except by chance (1 in 2^53 or so). To notice changes, not to
 * withstand somebody who looks for a collision: who can write the one text can write the other as well.
 */
export function textFingerprint(text: string): string {
  let a = OFFSET;
  let b = OFFSET ^ text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, PRIME);
    b = Math.imul(b ^ (unit + i), PRIME);
  }
  return `${text.length.toString(36)}-${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}`;
}
