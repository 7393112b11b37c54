import { performance } from 'node:perf_hooks';
import type { Clock } from '@moorage/core';

/** The clocks of the machine. */
export class NodeClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }
}
