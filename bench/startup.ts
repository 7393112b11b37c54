import { readFileSync } from 'node:fs';
import { MoorageProcess } from '../test/harness/moorage-process.ts';
import { median } from './load-generator.ts';

/** Start to ready with a warm compile cache, and resident memory ten seconds later with no device and no page opened. */
export async function startup(): Promise<Record<string, unknown>> {
  const times: number[] = [];
  let residentMiB = 0;
  for (let round = 0; round < 6; round++) {
    const moorage = new MoorageProcess();
    try {
      const begin = performance.now();
      await moorage.start();
      // The first start fills the compile cache and creates the data folder of the measurement.
      if (round > 0) times.push(performance.now() - begin);
      if (round === 5) {
        await new Promise((resolve) => setTimeout(resolve, 10_000));
        const status = readFileSync(`/proc/${moorage.pid}/status`, 'utf8');
        residentMiB = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
      }
      await moorage.stop();
    } finally {
      await moorage.dispose();
    }
  }
  return { case: 'startup', readyMs: Math.round(median(times)), idleResidentMiB: Math.round(residentMiB) };
}
