/** Longest pattern that can be saved. */
const MAX_PATTERN_LENGTH = 256;
/** Longest Common Name that is matched. RFC 5280, appendix A.1: ub-common-name */
export const MAX_COMMON_NAME_LENGTH = 64;
/** Repetitions whose end depends on what follows; with 64 characters three of them try fewer than a million ways. */
const MAX_OPEN_REPETITIONS = 3;
/** Ways through all alternatives and optional parts together. */
const MAX_CHOICES = 8;

/** Characters that an atom may match: codes 0 to 127, then one sample for all others. */
type CharacterSet = readonly boolean[];

/** A part of the pattern that consumes text, after its groups have been taken apart. */
interface Step {
  /** null: several characters, or any. */
  readonly set: CharacterSet | null;
  /** May match nothing. */
  readonly optional: boolean;
  /** May match different numbers of times, more than once. */
  readonly variable: boolean;
}

interface Parsed {
  readonly steps: readonly Step[];
  readonly choices: number;
  readonly variables: number;
}

class PatternFault {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Why a pattern cannot be used to take a device's name from a Common Name, as the end of a sentence; null: it can.
 * Tenants write patterns and they run on the main thread, so everything that could backtrack without bound is refused:
 * repetitions inside repetitions, repetitions side by side that match the same characters, look-around, back-references.
 */
export function namePatternProblem(pattern: string): string | null {
  if (pattern.length > MAX_PATTERN_LENGTH) return `is longer than ${MAX_PATTERN_LENGTH} characters`;
  if (compileNamePattern(pattern) === null) return 'is not a regular expression';
  try {
    const reader = new PatternReader(pattern);
    const { steps, choices } = reader.alternatives();
    if (reader.groups === 0) return 'has no capture group';
    if (choices > MAX_CHOICES) return 'has too many alternatives and optional parts';
    return repetitionProblem(steps);
  } catch (fault) {
    if (fault instanceof PatternFault) return fault.text;
    throw fault;
  }
}

/** null: the pattern does not compile. */
export function compileNamePattern(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern);
  } catch {
    return null;
  }
}

/** Capture group 1 of the first match; null: no match, or the group took no part. */
export function nameFromCommonName(pattern: RegExp, commonName: string): string | null {
  if (commonName.length > MAX_COMMON_NAME_LENGTH) return null;
  return pattern.exec(commonName)?.[1] ?? null;
}

function repetitionProblem(steps: readonly Step[]): string | null {
  let open = 0;
  for (const [index, step] of steps.entries()) {
    if (!step.variable) continue;
    for (const next of steps.slice(index + 1)) {
      if (next.variable && overlap(step.set, next.set)) return 'has overlapping quantifiers';
      if (!next.optional) break;
    }
    const next = steps[index + 1];
    if (next !== undefined && (next.optional || overlap(step.set, next.set))) open += 1;
  }
  return open > MAX_OPEN_REPETITIONS ? 'has too many quantifiers' : null;
}

function overlap(a: CharacterSet | null, b: CharacterSet | null): boolean {
  return a === null || b === null || a.some((member, index) => member && b[index] === true);
}

/** The characters that the source of a single-character atom matches. */
function setOf(source: string): CharacterSet {
  const atom = new RegExp(`^(?:${source})$`);
  return Array.from({ length: 129 }, (_, code) => atom.test(code === 128 ? '\u00e9' : String.fromCharCode(code)));
}

/** Reads a pattern that the engine has accepted already, so only what is refused here has to be recognised. */
class PatternReader {
  readonly #pattern: string;
  #at = 0;
  groups = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /** Up to a closing parenthesis or the end. */
  alternatives(): Parsed {
    const branches = [this.#sequence()];
    while (this.#pattern[this.#at] === '|') {
      this.#at += 1;
      branches.push(this.#sequence());
    }
    const [only] = branches;
    if (only !== undefined && branches.length === 1) return only;
    const variables = branches.reduce((sum, branch) => sum + branch.variables, 0);
    const choices = branches.reduce((sum, branch) => sum + branch.choices, 0);
    for (const branch of branches) {
      const problem = repetitionProblem(branch.steps);
      if (problem !== null) throw new PatternFault(problem);
    }
    return { steps: [{ set: null, optional: true, variable: variables > 0 }], choices, variables };
  }

  #sequence(): Parsed {
    const steps: Step[] = [];
    let choices = 1;
    let variables = 0;
    for (;;) {
      const next = this.#pattern[this.#at];
      if (next === undefined || next === '|' || next === ')') return { steps, choices, variables };
      const part = this.#part(next);
      steps.push(...part.steps);
      choices *= part.choices;
      variables += part.variables;
    }
  }

  /** One atom with its quantifier. */
  #part(first: string): Parsed {
    if (first === '^' || first === '$') {
      this.#at += 1;
      return this.#quantified({ steps: [], choices: 1, variables: 0 });
    }
    if (first === '(') return this.#quantified(this.#group());
    const start = this.#at;
    if (first === '[') this.#skipClass();
    else if (first === '\\') {
      if (this.#skipEscape()) return this.#quantified({ steps: [], choices: 1, variables: 0 });
    } else this.#at += 1;
    const set = setOf(this.#pattern.slice(start, this.#at));
    return this.#quantified({ steps: [{ set, optional: false, variable: false }], choices: 1, variables: 0 });
  }

  #group(): Parsed {
    this.#at += 1;
    if (this.#pattern[this.#at] !== '?') this.groups += 1;
    else if (this.#pattern.startsWith('?:', this.#at)) this.#at += 2;
    else if (/^\?<[^=!]/.test(this.#pattern.slice(this.#at, this.#at + 3))) {
      this.groups += 1;
      this.#at = this.#pattern.indexOf('>', this.#at) + 1;
    } else throw new PatternFault('has look-around or flags inside');
    const inner = this.alternatives();
    this.#at += 1;
    return inner;
  }

  #skipClass(): void {
    this.#at += 1;
    while (this.#at < this.#pattern.length && this.#pattern[this.#at] !== ']') {
      this.#at += this.#pattern[this.#at] === '\\' ? 2 : 1;
    }
    this.#at += 1;
  }

  /** True: the escape matches no character. */
  #skipEscape(): boolean {
    const escaped = this.#pattern[this.#at + 1] ?? '';
    if (/[1-9kpP]/.test(escaped)) throw new PatternFault('has back-references or Unicode classes');
    const rest = this.#pattern.slice(this.#at + 2);
    const digits =
      escaped === 'x' ? /^[\da-f]{2}/i : escaped === 'u' ? /^[\da-f]{4}/i : escaped === 'c' ? /^[a-z]/i : null;
    this.#at += 2 + (digits?.exec(rest)?.[0].length ?? 0);
    return escaped === 'b' || escaped === 'B';
  }

  #quantified(atom: Parsed): Parsed {
    const found = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.#pattern.slice(this.#at));
    if (found === null) return atom;
    const [text, fewest = '0', comma, most] = found;
    this.#at += text.length;
    const sign = text.charAt(0);
    const minimum = sign === '{' ? Number(fewest) : sign === '+' ? 1 : 0;
    const unbounded = sign === '*' || sign === '+' || (comma !== undefined && most === '');
    const maximum = unbounded
      ? Number.POSITIVE_INFINITY
      : sign === '?'
        ? 1
        : Number(comma === undefined ? fewest : most);
    if (maximum <= 1) {
      if (minimum === maximum) return atom;
      const steps = atom.steps.map((step) => ({ ...step, optional: true }));
      return { steps, choices: atom.choices + 1, variables: atom.variables };
    }
    if (atom.variables > 0 || atom.choices > 1) throw new PatternFault('has nested quantifiers');
    const variable = minimum !== maximum;
    const only = atom.steps.length === 1 ? atom.steps[0] : undefined;
    const set = only?.set ?? null;
    return { steps: [{ set, optional: minimum === 0, variable }], choices: 1, variables: variable ? 1 : 0 };
  }
}
