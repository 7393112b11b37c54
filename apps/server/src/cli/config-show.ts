import { loadConfiguration } from '../config/load-configuration.ts';
import { showConfiguration } from '../config/show.ts';
import { EXIT } from '../start-error.ts';
import type { CommandContext } from './command-context.ts';
import { refuse } from './refuse.ts';

/** Prints the configuration in force; the answer is the exit code. */
export async function configShow(
  context: CommandContext,
  flags: ReadonlyMap<string, string>,
  options: { readonly json: boolean; readonly origin: boolean },
): Promise<number> {
  const { environment, workingFolder, stdout } = context;
  const loaded = await loadConfiguration({ flags, environment, workingFolder });
  if (!loaded.ok) return refuse(context, loaded);
  const shown = showConfiguration(loaded.configuration, loaded.origins);
  if (options.json) {
    const settings = options.origin ? shown : shown.map(({ key, value }) => ({ key, value }));
    stdout.write(`${JSON.stringify({ file: loaded.file, settings })}\n`);
    return EXIT.ok;
  }
  const left = shown.map(({ key, value }) => `${key}: ${JSON.stringify(value)}`);
  const width = Math.max(...left.map((text) => text.length));
  for (const [at, { origin }] of shown.entries()) {
    const text = left[at] ?? '';
    stdout.write(options.origin ? `${text.padEnd(width)}  # ${origin}\n` : `${text}\n`);
  }
  return EXIT.ok;
}
