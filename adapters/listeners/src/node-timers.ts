import type { Scheduler } from '@moorage/mqtt-broker';

/** The timers of Node, which do not keep the process alive. */
export const nodeTimers: Pick<Scheduler, 'after'> = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
