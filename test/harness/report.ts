import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../.cache/reports/', import.meta.url));

/** True in `npm run test:durability` and `npm run test:abuse`: the long forms of the suites. */
export const LONG = process.env.LONG_SUITES === '1';

/** Writes the numbers of a suite as `.cache/reports/{name}.json`, for the documents that quote them. */
export function report(name: string, numbers: Readonly<Record<string, unknown>>): void {
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ name, date: new Date().toISOString(), long: LONG, ...numbers });
  writeFileSync(`${folder}${name}.json`, `${text}\n`);
  if (LONG) process.stdout.write(`${text}\n`);
}
