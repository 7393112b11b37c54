import type { CommandContext } from './cli/command-context.ts';

const context: CommandContext = {
  environment: process.env,
  workingFolder: process.cwd(),
  processId: process.pid,
  stdout: process.stdout,
  stderr: process.stderr,
  events: process,
  exit: (code) => process.exit(code),
  loadCompose: async () => (await import('./compose.ts')).compose,
};

// A reader that went away, as in `moorage config show | head`, is no fault of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

async function run(words: readonly string[]): Promise<number> {
  if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
    const { readVersion } = await import('./cli/version.ts');
    context.stdout.write(`${readVersion()}\n`);
    return 0;
  }
  const { runCommandLine } = await import('./cli/command-line.ts');
  return runCommandLine(context, words);
}

process.exit(await run(process.argv.slice(2)));
