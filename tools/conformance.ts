import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { REASONS } from './conformance-reasons.ts';
import { MQTT_5_CLAUSES, MQTT_311_CLAUSES } from './mqtt-clauses.ts';
import { runTool } from './run-tool.ts';

/** Where each number that stands in a test title is tested. */
export type Coverage = ReadonlyMap<string, ReadonlySet<string>>;

interface Checklist {
  readonly title: string;
  readonly source: string;
  readonly numbers: readonly string[];
}

const NUMBER = /\b(TB|TBS|ALI|WS|SEN|TS|REC|PL|F|B|N|L|O|U|K)-(\d+)(?:(?: to |…|\.\.)(?:\1-)?(\d+))?/g;
const CLAUSE = /(v3\.1\.1 )?MQTT-(\d+\.\d+\.\d+-\d+)/g;

function range(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

/** Numbers of one title; `TB-28 to TB-33` names all six. */
export function numbersOf(title: string): string[] {
  const found: string[] = [];
  for (const [, prefix, first, last] of title.matchAll(NUMBER)) {
    for (let number = Number(first); number <= Number(last ?? first); number++) found.push(`${prefix}-${number}`);
  }
  for (const [, old, clause] of title.matchAll(CLAUSE))
    found.push(`${old === undefined ? '' : 'v3.1.1 '}MQTT-${clause}`);
  return found;
}

/** Collects the full names of all tests, those made from tables included; nothing is run. */
export async function readCoverage(root: string): Promise<Coverage> {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-tests-'));
  try {
    const list = join(folder, 'list.json');
    const { code, output } = await runTool('vitest', ['list', '--no-static-parse', `--json=${list}`]);
    if (code !== 0) throw new Error(`the tests could not be listed:\n${output}`);
    const tests = JSON.parse(readFileSync(list, 'utf8')) as { readonly name: string; readonly file: string }[];
    const coverage = new Map<string, Set<string>>();
    for (const { name, file } of tests) {
      for (const number of numbersOf(name)) {
        coverage.set(number, (coverage.get(number) ?? new Set()).add(relative(root, file)));
      }
    }
    return coverage;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The checklists that conformance is measured against. */
export function checklists(root: string): Checklist[] {
  const plain = readFileSync(join(root, 'docs/dialects/plain.md'), 'utf8');
  const plainNumbers = [...new Set([...plain.matchAll(/\*{0,2}PL-(\d+)\b/g)].map((match) => Number(match[1])))];
  return [
    { title: 'ThingsBoard device API', source: 'TB', numbers: range('TB', 104) },
    { title: 'ThingsBoard server API', source: 'TBS', numbers: range('TBS', 105) },
    { title: 'Alibaba Link', source: 'ALI', numbers: range('ALI', 93) },
    { title: 'Waveshare Cloud', source: 'WS', numbers: range('WS', 48) },
    { title: 'SENSORO IoT cloud', source: 'SEN', numbers: range('SEN', 50) },
    { title: 'ThingScale', source: 'TS', numbers: range('TS', 50) },
    { title: 'Recognition on a shared port', source: 'REC', numbers: range('REC', 40) },
    { title: 'Plain MQTT (docs/dialects/plain.md)', source: 'PL', numbers: range('PL', Math.max(0, ...plainNumbers)) },
    { title: 'MQTT 5.0, statements on the server', source: 'MQTT', numbers: serverClauses(MQTT_5_CLAUSES, '') },
    {
      title: 'MQTT 3.1.1, statements on the server',
      source: 'v3.1.1 MQTT',
      numbers: serverClauses(MQTT_311_CLAUSES, 'v3.1.1 '),
    },
    { title: 'MQTT, rules without a number', source: 'U', numbers: range('U', 26) },
    { title: 'MQTT, choices', source: 'O', numbers: range('O', 36) },
    { title: 'MQTT, cases that brokers got wrong', source: 'K', numbers: range('K', 64) },
  ];
}

function serverClauses(clauses: Readonly<Record<string, 'S' | 'C' | 'B'>>, prefix: string): string[] {
  return Object.entries(clauses)
    .filter(([, who]) => who !== 'C')
    .map(([clause]) => prefix + clause);
}

/** The document: for each checklist what is tested and what is not. Every test named here passes, or `npm test` fails. */
export async function report(root: string): Promise<string> {
  const coverage = await readCoverage(root);
  const lines = [
    '# Conformance',
    '',
    'Made from the names of all tests by `npm run conformance`. A number counts as tested when it stands in the name of a test; all tests',
    'pass, or `npm test` fails. Missing numbers are not done, or not tested yet.',
    '',
    '| checklist | numbers | tested | missing |',
    '|---|---|---|---|',
  ];
  const lists = checklists(root).map((list) => {
    const tested = list.numbers.filter((number) => coverage.has(number));
    return { ...list, tested, missing: list.numbers.filter((number) => !coverage.has(number)) };
  });
  for (const list of lists) {
    lines.push(`| ${list.title} | ${list.numbers.length} | ${list.tested.length} | ${list.missing.length} |`);
  }
  for (const list of lists) {
    lines.push('', `## ${list.title}`, '');
    const explained = list.missing.filter((number) => REASONS[number] !== undefined);
    const unexplained = list.missing.filter((number) => REASONS[number] === undefined);
    if (unexplained.length > 0) lines.push(`Missing: ${unexplained.join(', ')}`, '');
    for (const number of explained) lines.push(`- ${number}: ${REASONS[number]}`);
    if (explained.length > 0) lines.push('');
    if (list.tested.length === 0) continue;
    lines.push('| number | tests |', '|---|---|');
    for (const number of list.tested) {
      const files = [...(coverage.get(number) ?? [])].sort().map((path) => `\`${path}\``);
      lines.push(`| ${number} | ${files.join(', ')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}
