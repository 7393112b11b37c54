import type { EventEmitter } from 'node:events';
import type { Compose } from '../running-server.ts';

/** Where text goes. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Everything a command touches outside its arguments, so that it can run inside a test. */
export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly processId: number;
  /** Data. */
  readonly stdout: TextOutput;
  /** Talk. */
  readonly stderr: TextOutput;
  /** Signals and faults of the process. */
  readonly events: Pick<EventEmitter, 'on' | 'off'>;
  /** Ends the process at once; for faults and for the second signal. */
  readonly exit: (code: number) => void;
  readonly loadCompose: () => Promise<Compose>;
}

/** Whether talk is coloured: on a terminal, unless NO_COLOR is set to anything. https://no-color.org */
export function mayColour({ stderr, environment }: CommandContext): boolean {
  return stderr.isTTY === true && (environment.NO_COLOR ?? '') === '';
}
