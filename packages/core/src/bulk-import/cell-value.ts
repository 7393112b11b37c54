import { castNumericString } from '../values/number-typing.ts';
import { type Value, ValueKind } from '../values/value.ts';

/** Levels of arrays and objects. reliability.md, section 8 */
const MAX_DEPTH = 32;

/** The value a cell stands for: number, truth value, JSON object or array, else text. thingsboard-server.md, section 6 */
export function cellValue(cell: string): Value {
  const number = castNumericString(cell);
  if (number !== undefined) return number;
  const lower = cell.length <= 5 ? cell.toLowerCase() : '';
  if (lower === 'true' || lower === 'false') return { kind: ValueKind.Boolean, value: lower === 'true' };
  const json = compactJson(cell.trim());
  return json === undefined ? { kind: ValueKind.String, value: cell } : { kind: ValueKind.Json, value: json };
}

/** An object or array without its white space, every number as it was written; undefined: it is none. */
function compactJson(text: string): string | undefined {
  if (!/^[[{]/.test(text)) return undefined;
  let compact = '';
  let depth = 0;
  let copied = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1;
    } else if (character === '[' || character === '{') {
      depth += 1;
      if (depth > MAX_DEPTH) return undefined;
    } else if (character === ']' || character === '}') depth -= 1;
    else if (character === ' ' || character === '\t' || character === '\n' || character === '\r') {
      compact += text.slice(copied, at);
      copied = at + 1;
    }
  }
  try {
    // The text with its white space: without it, `1 2` would become a number.
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return compact + text.slice(copied);
}
