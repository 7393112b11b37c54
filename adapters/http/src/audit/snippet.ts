import type { JsonObject } from '@moorage/core';

type Json = JsonObject[string];

const MAX_DEPTH = 4;
const MAX_MEMBERS = 24;
const MAX_ITEMS = 8;
const MAX_TEXT = 100;
/** Members and items of one snippet: with the texts cut, at most some KiB. */
const MAX_NODES = 60;
/** Bodies of any type are read as JSON up to this size. */
const MAX_BODY_BYTES = 16_384;

const HIDDEN = '***';
/** Names of members whose values nobody may read in a log. `file` is a table to import, which has the credentials of its devices. */
const SECRET =
  /pass|secret|token|credential|auth(?!ority)|cookie|private|signature|certificate|^file$|^pem$|^pin$|key$/i;
const ADDRESS = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^/?#]*)/i;

/** What was sent, shortened, and without what looks like a secret. */
export function snippetOf(body: unknown): Json {
  return shorten(readable(body), { nodes: MAX_NODES }, 0);
}

/** Bytes are read where they are JSON; else only their number is said. */
function readable(body: unknown): unknown {
  if (!(body instanceof Uint8Array)) return body;
  if (body.byteLength <= MAX_BODY_BYTES) {
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    } catch {
      // Told by its size.
    }
  }
  return { bytes: body.byteLength };
}

function shorten(value: unknown, budget: { nodes: number }, depth: number): Json {
  budget.nodes -= 1;
  if (budget.nodes < 0) return '...';
  if (typeof value === 'string') return shortText(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= MAX_DEPTH) return '...';
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((item) => shorten(item, budget, depth + 1));
    return value.length > MAX_ITEMS ? [...items, `... ${value.length - MAX_ITEMS} more`] : items;
  }
  const members: [string, Json][] = [];
  for (const [name, member] of Object.entries(value)) {
    if (members.length >= MAX_MEMBERS || budget.nodes <= 0) {
      members.push(['...', '...']);
      break;
    }
    members.push([name.slice(0, MAX_TEXT), SECRET.test(name) ? hidden(member) : shorten(member, budget, depth + 1)]);
  }
  // Entries keep `__proto__` a plain member.
  return Object.fromEntries(members);
}

/** That there was nothing is no secret. */
function hidden(value: unknown): Json {
  return value === null || value === '' ? null : HIDDEN;
}

/** Of an address only where it leads to: paths and queries of webhooks hold tokens. */
function shortText(text: string): string {
  const address = ADDRESS.exec(text);
  if (address !== null) return `${address[1] ?? ''}${(address[2] ?? '').slice(0, MAX_TEXT)}`;
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}...`;
}
