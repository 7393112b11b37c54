/** Numbers from a seed, the same every time: a failing case can be run again. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer of [0, bound). */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError('The list to pick from is empty.');
    return found;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Pieces in a row. */
  text(pieces: readonly string[], maximumPieces: number): string {
    let text = '';
    for (let left = this.below(maximumPieces + 1); left > 0; left--) text += this.pick(pieces);
    return text;
  }
}

const TEXT_PIECES = [
  'a',
  'Z',
  '9',
  '/',
  '|',
  '&',
  '=',
  ',',
  '%',
  '%41',
  ' ',
  '-',
  '.',
  '$',
  '__proto__',
  'é',
  '😀',
  '\t',
];

/** Names and identifiers as an attacker would choose them; `seeds` are names that mean something to the dialect. */
export function hostileName(random: SeededRandom, seeds: readonly string[]): string {
  switch (random.below(6)) {
    case 0:
      return random.pick(seeds);
    case 1:
      return random.pick(seeds) + random.text(TEXT_PIECES, 3);
    case 2:
      return random.pick(['', 'provision', '__proto__', 'constructor', 'a'.repeat(1024), 'x|securemode=3|', 'dn&pk']);
    default:
      return random.text(TEXT_PIECES, 12);
  }
}

const TOPIC_PIECES = [
  'v1',
  'v2',
  'devices',
  'me',
  'telemetry',
  'moorage',
  'rpc',
  'request',
  'response',
  '%',
  '%zz',
  '..',
  '1',
  'é',
  ' ',
];

/** Topic Names that are well-formed, near those that the dialect knows and far from them. */
export function hostileTopicName(random: SeededRandom, known: readonly string[]): string {
  const levels = (count: number) => Array.from({ length: count }, () => random.pick(TOPIC_PIECES));
  switch (random.below(5)) {
    case 0:
      return random.pick(known);
    case 1:
      return `${random.pick(known)}/${random.pick(TOPIC_PIECES)}`;
    case 2:
      return random.pick(known).slice(0, -1) || 'a';
    case 3:
      return random.pick(['/', '//', '$SYS/x', '$share/g/t', '__proto__', 'a'.repeat(4096), '/'.repeat(127)]);
    default:
      return levels(1 + random.below(8)).join('/');
  }
}

/** Topic Filters that are well-formed, near those that the dialect knows and far from them. */
export function hostileTopicFilter(random: SeededRandom, known: readonly string[]): string {
  switch (random.below(5)) {
    case 0:
      return random.pick(known);
    case 1:
      return random.pick(['#', '+', '+/+', '/#', '$SYS/#', '+/'.repeat(100).concat('#'), '$share/g/#', '$share/g/+/a']);
    case 2:
      return `$share/group/${random.pick(known)}`;
    case 3:
      return `${hostileTopicName(random, known).replace(/^\$/, '')}/#`;
    default:
      return hostileTopicName(random, known).replace(/^$/, 'a');
  }
}

const JSON_PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '"ts"',
  '"values"',
  '"a"',
  '1',
  '-',
  '1e5',
  '.',
  'null',
  'true',
  '"__proto__"',
  "'",
  '#',
  '=',
  '\\u',
  'é',
];
const encoder = new TextEncoder();

/** Payloads: valid, nearly valid, and nothing like it. At most about 70 KB. */
export function hostilePayload(random: SeededRandom): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return random.bytes(random.below(64));
    case 1:
      return new Uint8Array(0);
    case 2:
      return encoder.encode('['.repeat(10_000));
    case 3:
      return encoder.encode(`{"a":${'9'.repeat(1 + random.below(3000))}}`);
    case 4:
      return encoder.encode('{"method":"m","params":{"a":[1]},"result":1,"ts":5,"values":{"a":1}}');
    case 5:
      return encoder.encode(`{"${'k'.repeat(random.below(400))}":${random.text(JSON_PIECES, 4)}}`);
    case 6:
      return random.below(8) === 0 ? new Uint8Array(70_000).fill(0x61) : encoder.encode('{"a":"\\ud800"}');
    default:
      return encoder.encode(random.text(JSON_PIECES, 30));
  }
}
