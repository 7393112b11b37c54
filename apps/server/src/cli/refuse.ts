import type { LoadedConfiguration } from '../config/load-configuration.ts';
import { formatProblem } from '../config/problem.ts';
import { EXIT } from '../start-error.ts';
import type { CommandContext } from './command-context.ts';

/** Tells what is wrong with the configuration; the answer is the exit code. */
export function refuse(context: CommandContext, loaded: Extract<LoadedConfiguration, { ok: false }>): number {
  for (const problem of loaded.problems) context.stderr.write(`moorage: ${formatProblem(problem)}\n`);
  return EXIT.configuration;
}
