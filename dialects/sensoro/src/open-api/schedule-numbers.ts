const DAY_MS = 86_400_000;

/**
 * Numbers of commands. Those of a day go on where they would be if there had been one in every second before the start, so
 * that a restart does not use them twice; tasks count up from where the caller says.
 */
export class ScheduleNumbers {
  readonly #now: () => number;
  #day: number;
  #schedule: number;
  #task: number;

  /** `now`: epoch milliseconds. */
  constructor(now: () => number, firstTask: number) {
    this.#now = now;
    const start = now();
    this.#day = Math.floor(start / DAY_MS);
    this.#schedule = Math.floor((start % DAY_MS) / 1000);
    this.#task = firstTask - 1;
  }

  /** `ED-20260101-000001`; the day is that of UTC. */
  nextSchedule(): string {
    const day = Math.floor(this.#now() / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#schedule = 0;
    }
    this.#schedule++;
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '');
    return `ED-${date}-${String(this.#schedule).padStart(6, '0')}`;
  }

  nextTask(): number {
    this.#task++;
    return this.#task;
  }
}
