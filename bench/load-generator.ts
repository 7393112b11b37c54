import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('./load/mqttload.c', import.meta.url));
const script = fileURLToPath(new URL('./load/ts-load.ts', import.meta.url));
const cache = fileURLToPath(new URL('../.cache/', import.meta.url));
const binary = `${cache}mqttload`;

/** What one run of the load generator measured; the members this repository reads. */
export interface LoadResult {
  readonly acked_per_s: number;
  readonly sent_per_s: number;
  readonly recv_per_s: number;
  readonly broker_cpu: number;
  readonly load_cpu: number;
  readonly broker_cpu_us_per_msg: number;
  readonly broker_rss_kb: number;
  readonly lost: number;
  readonly errors: number;
  readonly refused: number;
  readonly closed: number;
  readonly unacked: number;
  readonly connects_per_s: number;
  readonly broker_bytes_per_conn?: number;
  readonly latency_us?: { readonly p50: number; readonly p99: number };
  readonly ack_us: { readonly p50: number; readonly p99: number };
}

/** Which generator makes the load; `ts` costs more processor time itself, see its head. */
export type GeneratorKind = 'c' | 'ts';

let kind: GeneratorKind = 'c';

/** Compiles the generator if that has not been done since it changed; without a compiler, or if `wanted`, it is `ts`. */
export function buildLoadGenerator(wanted: GeneratorKind = 'c'): GeneratorKind {
  kind = wanted === 'c' && compiled() ? 'c' : 'ts';
  if (kind !== wanted) console.error('no C compiler: the load comes from bench/load/ts-load.ts');
  return kind;
}

function compiled(): boolean {
  mkdirSync(cache, { recursive: true });
  if (existsSync(binary) && statSync(binary).mtimeMs >= statSync(source).mtimeMs) return true;
  try {
    execFileSync('cc', ['-O2', '-o', binary, source]);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Runs the generator on the second core. */
export function load(args: readonly string[]): Promise<LoadResult> {
  const command = kind === 'c' ? [binary] : [process.execPath, script];
  return new Promise((resolve, reject) => {
    execFile('taskset', ['-c', '1', ...command, ...args], { timeout: 120_000 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`load generator: ${stderr || error.message}`));
      else resolve(JSON.parse(stdout) as LoadResult);
    });
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
