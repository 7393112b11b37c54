/** One pair as a program encodes it: a name of the few characters that stay as they are, a value a little freer. */
const ENCODED = /^(?:[\w*.+~-]|%[\dA-Fa-f]{2})+=(?:[\w*.+~!'():@/?,;$=-]|%[\dA-Fa-f]{2})*$/;

/** `+` and `%XX` decoded; undefined: what comes out is no UTF-8. */
function decoded(text: string): string | undefined {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Pairs of a text that is a form beyond doubt; undefined: it is something else. */
export function encodedPairs(text: string): ReadonlyMap<string, string> | undefined {
  const pairs = new Map<string, string>();
  for (const part of text.trim().split('&')) {
    if (!ENCODED.test(part)) return undefined;
    const equals = part.indexOf('=');
    const name = decoded(part.slice(0, equals));
    const value = decoded(part.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    pairs.set(name, value);
  }
  return pairs;
}

/**
 * Pairs where a form is expected: what a sketch forgot to encode is taken as it stands, empty parts are left out. Of
 * equal names the last holds. undefined: there is no `=` in it.
 */
export function loosePairs(text: string): ReadonlyMap<string, string> | undefined {
  const trimmed = text.trim();
  if (!trimmed.includes('=')) return undefined;
  const pairs = new Map<string, string>();
  for (const part of trimmed.split('&')) {
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    const value = equals === -1 ? '' : part.slice(equals + 1);
    if (name !== '') pairs.set(decoded(name) ?? name, decoded(value) ?? value);
  }
  return pairs.size === 0 ? undefined : pairs;
}
