import { Gauge, type Registry } from 'prom-client';

/** Figures of the process, read when they are asked for; nothing runs between scrapes. */
export function processMetrics(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const startedAt = Math.floor(performance.timeOrigin / 1000);
  gauge('process_start_time_seconds', 'Start of the process since the Unix epoch.', () => startedAt);
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('nodejs_heap_used_bytes', 'Used part of the JavaScript heap.', () => process.memoryUsage().heapUsed);
  gauge('process_cpu_seconds_total', 'User and system CPU time.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('nodejs_eventloop_utilization', 'Share of time the event loop was busy since the start, 0 to 1.', () => {
    return performance.eventLoopUtilization().utilization;
  });
}
