/** Whoever waits for room. */
export interface WaitsForRoom {
  pump(): void;
}

/** Requests and bytes that all targets share; who finds none is told when there is some again, each in turn. */
export class SharedRoom {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  readonly #waiting = new Set<WaitsForRoom>();
  readonly #idle: (() => void)[] = [];
  #requests = 0;
  #bytes = 0;
  #waking = false;

  constructor(maxRequests: number, maxBytes: number) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasRequest(): boolean {
    return this.#requests < this.#maxRequests;
  }

  get hasBytes(): boolean {
    return this.#bytes < this.#maxBytes;
  }

  /** Room for what could as well be read again: half of it stays free for what is to be sent now. */
  get hasSpareBytes(): boolean {
    return this.#bytes < this.#maxBytes / 2;
  }

  begin(): void {
    this.#requests += 1;
  }

  end(): void {
    this.#requests -= 1;
    this.#wake();
    if (this.#requests > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    this.#wake();
  }

  wait(target: WaitsForRoom): void {
    this.#waiting.add(target);
  }

  forget(target: WaitsForRoom): void {
    this.#waiting.delete(target);
  }

  /** Resolves when no request is under way. */
  idle(): Promise<void> {
    return this.#requests === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #wake(): void {
    if (this.#waking || this.#waiting.size === 0) return;
    this.#waking = true;
    // Behind the change that made the room.
    void Promise.resolve().then(() => {
      this.#waking = false;
      for (let left = this.#waiting.size; left > 0 && this.hasRequest; left -= 1) {
        const [target] = this.#waiting;
        if (target === undefined) return;
        this.#waiting.delete(target);
        target.pump();
      }
    });
  }
}
