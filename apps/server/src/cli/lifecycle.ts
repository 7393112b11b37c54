import type { Logger } from 'pino';
import { EXIT } from '../start-error.ts';
import type { CommandContext } from './command-context.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** Of the 10 s that a stop may take, so that the process itself says why it is late. */
const STOP_LIMIT_MS = 9500;

/**
 * Watches the process from the first moment of a start: the first SIGTERM or SIGINT asks for an orderly stop, a second
 * one ends the process; a fault that nobody caught is logged and ends it too, since nothing can be said about the state
 * it left, while everything acknowledged is on disk. SIGHUP asks a server in the background to read its certificate anew;
 * on a terminal it means that the terminal has gone, which is a stop.
 */
export class Lifecycle {
  readonly #context: Pick<CommandContext, 'events' | 'exit' | 'stderr'>;
  readonly #log: Logger;
  readonly #stopLimitMs: number;
  readonly #listeners: readonly (readonly [string, (value: unknown) => void])[];
  #limit: NodeJS.Timeout | null = null;
  #stop: () => void = () => undefined;
  /** What SIGHUP asks for; nothing before the server is ready. */
  reload: () => Promise<void> = async () => undefined;
  /** Resolves when a stop is asked for. */
  readonly stopAsked: Promise<void>;

  constructor(context: Pick<CommandContext, 'events' | 'exit' | 'stderr'>, log: Logger, stopLimitMs = STOP_LIMIT_MS) {
    this.#context = context;
    this.#log = log;
    this.#stopLimitMs = stopLimitMs;
    this.stopAsked = new Promise((resolve) => {
      this.#stop = resolve;
    });
    this.#listeners = [
      ...SIGNALS.map((name) => [name, () => this.#signal(name)] as const),
      ['SIGHUP', () => this.#hangUp()],
      ['uncaughtException', (error: unknown) => this.#fault(error, 'an exception that nobody caught')],
      ['unhandledRejection', (error: unknown) => this.#fault(error, 'a rejection that nobody handled')],
    ];
  }

  /** True once a stop has been asked for. */
  get stopping(): boolean {
    return this.#limit !== null;
  }

  watch(): void {
    for (const [event, listener] of this.#listeners) this.#context.events.on(event, listener);
  }

  unwatch(): void {
    if (this.#limit !== null) clearTimeout(this.#limit);
    for (const [event, listener] of this.#listeners) this.#context.events.off(event, listener);
  }

  #signal(name: string): void {
    if (this.#limit !== null) {
      this.#log.warn(`${name} again: ending at once`);
      this.#context.exit(EXIT.failed);
      return;
    }
    this.#log.info(`${name}: stopping`);
    this.#limit = setTimeout(() => {
      this.#log.error(`not stopped after ${this.#stopLimitMs} ms: ending at once`);
      this.#context.exit(EXIT.failed);
    }, this.#stopLimitMs);
    this.#stop();
  }

  #hangUp(): void {
    if (this.#context.stderr.isTTY === true) {
      this.#signal('SIGHUP');
      return;
    }
    this.#log.info('SIGHUP: reading the certificate anew');
    this.reload().catch((error: unknown) => this.#log.error(error, 'the certificate could not be read anew'));
  }

  #fault(error: unknown, message: string): void {
    this.#log.fatal(error instanceof Error ? error : { value: String(error) }, message);
    this.#context.exit(EXIT.failed);
  }
}
