const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Index behind the text that begins at `start`. */
function endOfText(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i + 1;
}

/** Index of the comma or brace that ends the value that begins at `start`. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const character = text[i];
    if (character === '"') i = endOfText(text, i) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === ',' && depth === 0) return i;
    else if (character === '}' || character === ']') {
      if (depth === 0) return i;
      depth -= 1;
    }
  }
  return text.length;
}

/**
 * JSON text of a member of an object, as it is written; undefined if there is none, the last one if there are several.
 * A parsed value would not keep every digit. `text` is well-formed JSON with an object at top level.
 */
export function rawMember(text: string, name: string): string | undefined {
  let found: string | undefined;
  let at = text.indexOf('{') + 1;
  for (;;) {
    const keyStart = text.indexOf('"', at);
    if (keyStart < 0) return found;
    const keyEnd = endOfText(text, keyStart);
    const valueStart = text.indexOf(':', keyEnd) + 1;
    const valueEnd = endOfValue(text, valueStart);
    if (JSON.parse(text.slice(keyStart, keyEnd)) === name) found = text.slice(valueStart, valueEnd).trim();
    if (text[valueEnd] !== ',') return found;
    at = valueEnd + 1;
  }
}
