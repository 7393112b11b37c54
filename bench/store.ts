import { runStoreBench } from '../adapters/store-sqlite/bench/store-bench.ts';

/** The telemetry store alone: the workload of docs/performance.md. */
export function store(): Promise<Record<string, unknown>> {
  return runStoreBench();
}
