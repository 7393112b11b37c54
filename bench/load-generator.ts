import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('./load/mqttload.c', import.meta.url));
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

/** Compiles the generator if that has not been done since it changed. */
export function buildLoadGenerator(): void {
  mkdirSync(cache, { recursive: true });
  if (existsSync(binary) && statSync(binary).mtimeMs >= statSync(source).mtimeMs) return;
  execFileSync('cc', ['-O2', '-o', binary, source]);
}

/** Runs the generator on the second core. */
export function load(args: readonly string[]): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    execFile('taskset', ['-c', '1', binary, ...args], { timeout: 120_000 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`mqttload: ${stderr || error.message}`));
      else resolve(JSON.parse(stdout) as LoadResult);
    });
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
