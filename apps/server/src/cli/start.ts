import { flushCompileCache } from 'node:module';
import type { Logger } from 'pino';
import { bindHost } from '../config/exposure.ts';
import { loadConfiguration } from '../config/load-configuration.ts';
import type { Configuration } from '../config/schema.ts';
import { type DataFolder, openDataFolder } from '../data/data-folder.ts';
import { createLog } from '../log/create-log.ts';
import type { RunningServer } from '../running-server.ts';
import { NodeClock } from '../runtime/node-clock.ts';
import { NodeCrypto } from '../runtime/node-crypto.ts';
import { NodeScheduler } from '../runtime/node-scheduler.ts';
import { EXIT, StartError } from '../start-error.ts';
import { type Announcement, readyLine, readyText } from './announce.ts';
import { type CommandContext, mayColour } from './command-context.ts';
import { Lifecycle } from './lifecycle.ts';
import { refuse } from './refuse.ts';
import { readVersion } from './version.ts';

const OTHER_PORTS = 'choose other ports or another --host';

/** Runs a server until a signal ends it; the answer is the exit code. */
export async function start(
  context: CommandContext,
  flags: ReadonlyMap<string, string>,
  options: { readonly json: boolean },
): Promise<number> {
  const { environment, workingFolder } = context;
  // Fetched while the configuration is read: it is the bulk of the code.
  const composing = context.loadCompose();
  composing.catch(() => undefined);
  const loaded = await loadConfiguration({ flags, environment, workingFolder });
  if (!loaded.ok) return refuse(context, loaded);
  const { configuration } = loaded;
  const log = createLog({
    level: configuration.log.level,
    readable: context.stderr.isTTY === true,
    colour: mayColour(context),
    write: (line) => void context.stderr.write(line),
  });
  const lifecycle = new Lifecycle(context, log);
  lifecycle.watch();
  let folder: DataFolder | null = null;
  try {
    folder = openDataFolder(configuration.dataDir);
    for (const note of folder.notes) log.warn(note);
    const crypto = new NodeCrypto(folder.secretKey);
    const runtime = { clock: new NodeClock(), scheduler: new NodeScheduler(), crypto, log };
    const compose = await composing;
    const server = await compose(configuration, runtime);
    lifecycle.reload = async () => server.reload?.();
    if (!lifecycle.stopping) announce(context, log, options.json, describe(context, configuration, server));
    // Kept now, so that the next start is quick also when this process is killed.
    flushCompileCache();
    await lifecycle.stopAsked;
    await server.close();
    log.info('stopped');
    return EXIT.ok;
  } catch (error) {
    return failure(context, log, error);
  } finally {
    folder?.release();
    lifecycle.unwatch();
  }
}

function describe(context: CommandContext, configuration: Configuration, server: RunningServer): Announcement {
  return {
    version: readVersion(),
    pid: context.processId,
    host: bindHost(configuration, server.hasAdministrator),
    publicHost: configuration.publicHost,
    ports: server.ports,
    dataDir: configuration.dataDir,
    hasAdministrator: server.hasAdministrator,
  };
}

function announce(context: CommandContext, log: Logger, json: boolean, announcement: Announcement): void {
  const lines = readyText(announcement);
  // On a terminal for people; elsewhere stderr holds nothing but JSON lines.
  if (context.stderr.isTTY === true && !json) context.stderr.write(`${lines.join('\n')}\n`);
  else log.info(announcement, lines.map((line) => line.trim().replace(/ {2,}/, ' ')).join('; '));
  if (json) context.stdout.write(readyLine(announcement));
}

function failure(context: CommandContext, log: Logger, error: unknown): number {
  const expected = asStartError(error);
  if (expected === null) {
    log.fatal(error, 'the server failed');
    return EXIT.failed;
  }
  log.debug(error, 'the server did not start');
  const hint = expected.hint === null ? '' : ` (${expected.hint})`;
  context.stderr.write(`moorage: ${expected.message}${hint}\n`);
  return expected.exitCode;
}

/** Errors that an operator meets, in words; null: not one of them. */
function asStartError(error: unknown): StartError | null {
  if (error instanceof StartError) return error;
  if (!(error instanceof Error)) return null;
  const code = 'code' in error ? String(error.code) : '';
  if (error.name === 'ListenError') return new StartError(error.message, { hint: OTHER_PORTS, cause: error });
  if (['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL'].includes(code)) {
    return new StartError(`cannot listen: ${error.message}`, { hint: OTHER_PORTS, cause: error });
  }
  if (error.name !== 'RegistryStartError' && error.name !== 'StoreError') return null;
  const hint =
    code === 'wrong-seal-key' ? 'put back the secrets.key that belongs to this data' : 'moorage doctor tells more';
  return new StartError(error.message, { hint, cause: error });
}
