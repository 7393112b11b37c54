/** When the store is too far behind. */
export interface LoadLimits {
  /** Points waiting above which publishers are paused. */
  readonly highWaterPoints: number;
  /** Bytes waiting, as estimated by the columns, above which publishers are paused. */
  readonly highWaterBytes: number;
}

/** What waits for the store; congested from the high-water mark until both figures are at most half of theirs. */
export class LoadGauge {
  points = 0;
  bytes = 0;
  congested = false;
  readonly #limits: LoadLimits;
  readonly #changed: (congested: boolean) => void;

  constructor(limits: LoadLimits, changed: (congested: boolean) => void) {
    this.#limits = limits;
    this.#changed = changed;
  }

  add(points: number, bytes: number): void {
    this.points += points;
    this.bytes += bytes;
    if (this.congested) return;
    if (this.points > this.#limits.highWaterPoints || this.bytes > this.#limits.highWaterBytes) {
      this.congested = true;
      this.#changed(true);
    }
  }

  remove(points: number, bytes: number): void {
    this.points -= points;
    this.bytes -= bytes;
    if (!this.congested) return;
    if (this.points <= this.#limits.highWaterPoints / 2 && this.bytes <= this.#limits.highWaterBytes / 2) {
      this.congested = false;
      this.#changed(false);
    }
  }
}
