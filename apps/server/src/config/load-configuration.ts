import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SettingValue } from './check-value.ts';
import { CONFIG_VARIABLE, readEnvironment } from './environment-source.ts';
import { anonymousExposure } from './exposure.ts';
import { readFlags } from './flag-source.ts';
import { checkPorts, checkTls } from './listener-settings.ts';
import type { ConfigurationProblem } from './problem.ts';
import type { Configuration } from './schema.ts';
import { SETTINGS } from './setting.ts';
import type { Origin, SourceReading } from './source.ts';

const DEFAULT_FILE = 'moorage.yaml';
const MAX_FILE_BYTES = 1_048_576;
const NOTHING: SourceReading = { values: new Map(), problems: [] };

/** What the process was started with. */
export interface ConfigurationInputs {
  /** Flags by name with both dashes: `--mqtt-port`, also `--config`. */
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly workingFolder: string;
}

export type LoadedConfiguration =
  | {
      readonly ok: true;
      readonly configuration: Configuration;
      readonly origins: ReadonlyMap<string, Origin>;
      /** The file that was read, or null. */
      readonly file: string | null;
    }
  | { readonly ok: false; readonly problems: readonly ConfigurationProblem[] };

/** Flags over environment over file over defaults. Any problem in any of them, and there is no configuration. */
export async function loadConfiguration(inputs: ConfigurationInputs): Promise<LoadedConfiguration> {
  const file = await readConfigurationFile(inputs);
  const readings = [readFlags(inputs.flags), readEnvironment(inputs.environment), file.reading];
  const problems = readings.flatMap((reading) => reading.problems);
  const origins = new Map<string, Origin>();
  const values = new Map<string, SettingValue>();
  for (const { key, schema } of SETTINGS) {
    const found = readings.map((reading) => reading.values.get(key)).find((value) => value !== undefined);
    origins.set(key, found?.origin ?? { from: 'default' });
    values.set(key, found === undefined ? (schema.default as SettingValue) : found.value);
  }
  if (problems.length > 0) return { ok: false, problems };
  const configuration = assemble(values, inputs.workingFolder);
  const together = checkTogether(configuration);
  if (together.length > 0) return { ok: false, problems: together };
  return { ok: true, configuration, origins, file: file.name };
}

async function readConfigurationFile(
  inputs: ConfigurationInputs,
): Promise<{ readonly name: string | null; readonly reading: SourceReading }> {
  const flag = inputs.flags.get('--config');
  const named = flag ?? inputs.environment[CONFIG_VARIABLE];
  const name = named ?? DEFAULT_FILE;
  const where = flag === undefined ? CONFIG_VARIABLE : '--config';
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolve(inputs.workingFolder, name));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (named === undefined && code === 'ENOENT') return { name: null, reading: NOTHING };
    const message = `the configuration file ${name} cannot be read: ${code}`;
    const problem = { where: named === undefined ? null : where, message, hint: null };
    return { name, reading: { values: NOTHING.values, problems: [problem] } };
  }
  if (bytes.length > MAX_FILE_BYTES) {
    const problem = { where: name, message: `the file has more than ${MAX_FILE_BYTES} bytes`, hint: null };
    return { name, reading: { values: NOTHING.values, problems: [problem] } };
  }
  const { readYaml } = await import('./yaml-source.ts');
  return { name, reading: readYaml(name, bytes.toString('utf8')) };
}

function assemble(values: ReadonlyMap<string, SettingValue>, workingFolder: string): Configuration {
  const root: Record<string, unknown> = {};
  for (const { path, key } of SETTINGS) {
    let group = root;
    for (const step of path.slice(0, -1)) {
      group[step] ??= {};
      group = group[step] as Record<string, unknown>;
    }
    group[path.at(-1) ?? ''] = values.get(key);
  }
  // Every member of the schema has been set to a checked value or its default.
  const configuration = root as Configuration;
  const { tls } = configuration;
  const file = (name: string | null): string | null => (name === null ? null : resolve(workingFolder, name));
  return {
    ...configuration,
    dataDir: resolve(workingFolder, configuration.dataDir),
    tls: { ...tls, certificate: file(tls.certificate), key: file(tls.key), clientCa: file(tls.clientCa) },
  };
}

function checkTogether(configuration: Configuration): ConfigurationProblem[] {
  const problems = [...checkPorts(configuration), ...checkTls(configuration)];
  const exposure = anonymousExposure(configuration, false);
  if (exposure !== null) problems.push(exposure);
  return problems;
}
