import type { Scheduler } from '@moorage/core';

/** The event loop of Node; its timers do not keep the process alive. */
export const nodeScheduler: Scheduler = {
  endOfTurn(task) {
    setImmediate(task);
  },
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs).unref();
    return () => clearInterval(timer);
  },
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
