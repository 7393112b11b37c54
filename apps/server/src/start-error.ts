import type { ConfigurationProblem } from './config/problem.ts';

/** Exit codes of the command line. product.md, Conventions */
export const EXIT = { ok: 0, failed: 1, usage: 2, configuration: 78 } as const;

/** The server cannot start, and the operator can put it right: shown as a sentence, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** How to put it right, or null. */
  readonly hint: string | null;
  readonly exitCode: number;

  constructor(message: string, options: { hint?: string | null; exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint ?? null;
    this.exitCode = options.exitCode ?? EXIT.failed;
  }

  /** For a problem that shows itself only when the data is open, such as `anonymousExposure`. */
  static of(problem: ConfigurationProblem): StartError {
    return new StartError(problem.message, { hint: problem.hint, exitCode: EXIT.configuration });
  }
}
