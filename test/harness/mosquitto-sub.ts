import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A running `mosquitto_sub` whose lines can be awaited one by one. */
export class MosquittoSub {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #subscribed = false;
  #ended = false;
  #waiters: (() => void)[] = [];

  constructor(args: readonly string[]) {
    // -d tells when the SUBACK has come; its lines go to standard output beside the messages.
    this.#child = spawn('stdbuf', ['-oL', 'mosquitto_sub', '-d', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    if (this.#child.stdout !== null) {
      createInterface(this.#child.stdout).on('line', (line) => {
        if (line.startsWith('Subscribed (mid:')) this.#subscribed = true;
        else if (!/^(Client|Subscribed|Connection)\b/.test(line)) this.#lines.push(line);
        this.#wake();
      });
    }
    this.#child.on('exit', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async subscribed(): Promise<void> {
    while (!this.#subscribed && !this.#ended) await this.#changed();
    if (!this.#subscribed) throw new Error('mosquitto_sub ended before it had subscribed');
  }

  async line(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#ended) throw new Error('mosquitto_sub has ended');
      await this.#changed();
    }
  }

  /** Lines that have come and were not asked for. */
  get unread(): readonly string[] {
    return this.#lines;
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
