/** Password hashes computed at the same time; each occupies a thread and some memory for about 150 ms. */
const MAX_RUNNING = 2;
const MAX_WAITING = 128;
/** Of one address, running and waiting, so that one guesser cannot fill the queue. */
const MAX_OF_ADDRESS = 8;

/** Bounds the costly comparison of passwords: few at a time, a bounded queue, and a share for each address. */
export class VerificationQueue {
  readonly #byAddress = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Runs `verify` when there is room; null: too many wait already. */
  async run<T>(address: string, verify: () => Promise<T>): Promise<T | null> {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (ofAddress >= MAX_OF_ADDRESS || this.#waiting.length >= MAX_WAITING) return null;
    this.#byAddress.set(address, ofAddress + 1);
    try {
      if (this.#running >= MAX_RUNNING) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      else this.#running += 1;
      return await verify();
    } finally {
      this.#leave(address);
    }
  }

  /** The place of the one that ends passes to the next in the queue. */
  #leave(address: string): void {
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
