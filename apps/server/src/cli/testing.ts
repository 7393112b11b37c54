import { EventEmitter } from 'node:events';
import type { Compose, RunningServer } from '../running-server.ts';
import type { CommandContext } from './command-context.ts';

/** A context for tests: what is written is collected, signals are emitted on `events`, exits are noted. */
export interface RecordedContext extends CommandContext {
  readonly events: EventEmitter;
  readonly written: { stdout: string; stderr: string };
  readonly exits: number[];
  /** Resolves at the first line on stdout. */
  readonly ready: Promise<void>;
}

export interface ContextSettings {
  readonly environment?: Record<string, string>;
  readonly workingFolder: string;
  readonly compose?: Compose;
  readonly terminal?: boolean;
}

export function recordedContext(settings: ContextSettings): RecordedContext {
  const written = { stdout: '', stderr: '' };
  const exits: number[] = [];
  let onReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  return {
    environment: settings.environment ?? {},
    workingFolder: settings.workingFolder,
    processId: 4711,
    stdout: {
      write(text) {
        written.stdout += text;
        onReady();
      },
      isTTY: settings.terminal ?? false,
    },
    stderr: {
      write(text) {
        written.stderr += text;
      },
      isTTY: settings.terminal ?? false,
    },
    events: new EventEmitter(),
    exit: (code) => void exits.push(code),
    loadCompose: async () => settings.compose ?? (async () => fakeServer()),
    written,
    exits,
    ready,
  };
}

/** A server that is ready at once. */
export function fakeServer(changes: Partial<RunningServer> = {}): RunningServer {
  return { ports: { mqtt: 1111, http: 2222 }, hasAdministrator: false, close: async () => undefined, ...changes };
}
