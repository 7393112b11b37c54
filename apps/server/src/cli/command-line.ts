import { Command, CommanderError } from 'commander';
import { nearestName } from '../config/nearest-name.ts';
import { SETTINGS } from '../config/setting.ts';
import { EXIT } from '../start-error.ts';
import type { CommandContext } from './command-context.ts';
import { readVersion } from './version.ts';

const COMMANDS = ['start', 'doctor', 'config', 'cert', 'help'];
/** Commands of the finished product. */
const LATER = new Set(
  'demo device pub sub simulate bench rpc ota claim user token backup restore export trace reset-admin-password'.split(
    ' ',
  ),
);

type Options = Readonly<Record<string, unknown>>;

/** Runs one command; the answer is the exit code. */
export async function runCommandLine(context: CommandContext, words: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  const unknown = unknownCommand(words);
  if (unknown !== null) {
    context.stderr.write(`moorage: ${unknown}\n`);
    return EXIT.usage;
  }
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return exitCode;
}

function createProgram(context: CommandContext, done: (exitCode: number) => void): Command {
  const program = new Command('moorage')
    .description('A self-hosted IoT cloud. Without a command: start.')
    .version(readVersion(), '-V, --version')
    .exitOverride()
    .showHelpAfterError('(moorage --help shows what there is)')
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'moorage: ')),
    });
  withSettings(program.command('start', { isDefault: true }))
    .description('run the server')
    .option('--json', 'one JSON line on stdout when the server is ready')
    .action(async (options: Options) => {
      const { start } = await import('./start.ts');
      done(await start(context, flagsOf(options), { json: options.json === true }));
    });
  withSettings(program.command('doctor'))
    .description('check this machine, the configuration and the data, changing nothing')
    .option('--json', 'the findings as one JSON line')
    .action(async (options: Options) => {
      const { doctor } = await import('../doctor/doctor.ts');
      done(await doctor(context, flagsOf(options), { json: options.json === true }));
    });
  const config = program.command('config').description('the configuration in force');
  withSettings(config.command('show'))
    .description('print every setting, secrets masked')
    .option('--origin', 'also where each value came from')
    .option('--json', 'as one JSON line')
    .action(async (options: Options) => {
      const { configShow } = await import('./config-show.ts');
      const { json, origin } = options;
      done(await configShow(context, flagsOf(options), { json: json === true, origin: origin === true }));
    });
  const cert = program.command('cert').description('a certificate of your own for TLS');
  withPlace(cert.command('init'))
    .description('make a local certificate authority and a certificate for this server, or renew the latter')
    .option('--host <name>', 'a host name or address that devices use; may be given again', collect, [])
    .option('--rsa', 'RSA instead of P-256, for firmware that knows nothing else')
    .option('--json', 'the result as one JSON line')
    .action(async (options: Options) => {
      const { certInit } = await import('./cert-init.ts');
      const { host, json, rsa } = options;
      const hosts = Array.isArray(host) ? host.map(String) : [];
      done(
        await certInit(context, flagsOf(options), { json: json === true, hosts, keyKind: rsa === true ? 'rsa' : 'ec' }),
      );
    });
  return program;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** Adds the flags that say where configuration and data are. */
function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: moorage.yaml, if there is one)')
    .option('--data-dir <folder>', 'folder of everything that is kept');
}

/** Adds the flags that set something; values are checked with the rest of the configuration. */
function withSettings(command: Command): Command {
  command.option('--config <file>', 'configuration file (default: moorage.yaml, if there is one)');
  for (const { schema } of SETTINGS) {
    if (schema.flag !== undefined) command.option(schema.flag, schema.description?.split('. ')[0]?.replace(/\.$/, ''));
  }
  return command;
}

function flagsOf(options: Options): Map<string, string> {
  const flags = new Map<string, string>();
  for (const [name, value] of Object.entries(options)) {
    // commander has turned --mqtt-port into mqttPort
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (typeof value === 'string') flags.set(flag, value);
  }
  return flags;
}

/** Why the first word is no command, or null. Commander would take it for an argument of `start`. */
function unknownCommand(words: readonly string[]): string | null {
  const [first] = words;
  if (first === undefined || first.startsWith('-') || COMMANDS.includes(first)) return null;
  const shown = first.length > 40 ? `${first.slice(0, 40)}...` : first;
  if (LATER.has(first)) return `the command ${shown} is not offered yet (there are: ${COMMANDS.join(', ')})`;
  const near = nearestName(first, COMMANDS);
  const hint = near === null ? 'moorage --help shows what there is' : `did you mean ${near}?`;
  return `unknown command ${JSON.stringify(shown)} (${hint})`;
}
