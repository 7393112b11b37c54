import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Processor seconds, user and system, and resident memory of processes. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssKiB: number;
}

let ticks = 0;

/** Reads /proc; a process that is not there counts nothing. */
export function usageOf(pids: readonly number[]): Usage {
  ticks ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  let cpuSeconds = 0;
  let rssKiB = 0;
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    // Behind the name, which may hold anything, utime and stime are the 12th and 13th field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    cpuSeconds += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticks;
    rssKiB += Number(/VmRSS:\s*(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  }
  return { cpuSeconds, rssKiB };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
