import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { checkValue } from './check-value.ts';
import { nearestName } from './nearest-name.ts';
import { type ConfigurationProblem, quote } from './problem.ts';
import { GROUPS, SETTINGS } from './setting.ts';
import type { SourcedValue, SourceReading } from './source.ts';

const BY_KEY = new Map(SETTINGS.map((setting) => [setting.key, setting]));

/** Reads a configuration file. `file` is its name in messages. An empty file is a problem: it looks like a lost one. */
export function readYaml(file: string, text: string): SourceReading {
  return new YamlReading(file).read(text);
}

class YamlReading {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #values = new Map<string, SourcedValue>();
  readonly #problems: ConfigurationProblem[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  read(text: string): SourceReading {
    if (text.trim() === '') {
      this.#add(0, 'the file is empty', 'delete it to run with defaults');
      return this.#reading();
    }
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    for (const error of [...document.errors, ...document.warnings]) {
      this.#add(error.pos[0], error.code === 'DUPLICATE_KEY' ? 'the same key twice' : firstLine(error.message));
    }
    // Comments alone: everything is left to the defaults.
    if (this.#problems.length > 0 || document.contents === null) return this.#reading();
    this.#group(document.contents, [], 0);
    return this.#reading();
  }

  #group(node: Node | null, path: readonly string[], keyAt: number): void {
    if (!isMap(node)) {
      const name = path.length === 0 ? 'the file' : path.join('.');
      this.#add(node?.range?.[0] ?? keyAt, `${name} must be a group of keys`);
      return;
    }
    for (const pair of node.items) {
      const at = isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
      if (!isScalar(pair.key) || typeof pair.key.value !== 'string') {
        this.#add(at, 'a key must be a plain word');
        continue;
      }
      const inner = [...path, pair.key.value];
      const value = isNode(pair.value) ? pair.value : null;
      if (GROUPS.has(inner.join('.'))) this.#group(value, inner, at);
      else this.#setting(inner, at, value);
    }
  }

  #setting(path: readonly string[], at: number, node: Node | null): void {
    const key = path.join('.');
    const setting = BY_KEY.get(key);
    if (setting === undefined) {
      const near = nearestName(key, [...BY_KEY.keys(), ...GROUPS]) ?? sameLastStep(path);
      this.#add(at, `unknown key ${quote(key)}`, near === null ? null : `did you mean ${near}?`);
      return;
    }
    const value = plainValue(node);
    const checked = checkValue(setting.schema, value);
    // `key:` with nothing behind it is a forgotten value, also where null is the default.
    if (checked.ok && !isMissing(node)) {
      const origin = { from: 'file', file: this.#file, line: this.#line(at).line } as const;
      this.#values.set(key, { value: checked.value, origin });
      return;
    }
    const wants = checked.ok ? 'a value, or no line at all' : checked.wants;
    const shown = isMissing(node) ? 'nothing' : setting.secret ? 'the given value' : quote(value);
    this.#add(node?.range?.[0] ?? at, `${key} must be ${wants}, not ${shown}`);
  }

  #line(offset: number): { line: number; col: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), col: Math.max(col, 1) };
  }

  #add(offset: number, message: string, hint: string | null = null): void {
    const { line, col } = this.#line(offset);
    this.#problems.push({ where: `${this.#file}:${line}:${col}`, message, hint });
  }

  #reading(): SourceReading {
    return { values: this.#values, problems: this.#problems };
  }
}

function isMissing(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? '') === '');
}

/** Scalars and lists of scalars; anything else no setting accepts, and it is shown as what it is. */
function plainValue(node: Node | null): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map((item) => (isScalar(item) ? item.value : null));
  return node === null ? null : isMap(node) ? {} : undefined;
}

/** A key put into the wrong group or none. */
function sameLastStep(path: readonly string[]): string | null {
  const last = path.at(-1)?.toLowerCase();
  return SETTINGS.find((setting) => setting.path.at(-1)?.toLowerCase() === last)?.key ?? null;
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/\.$/, '');
}
