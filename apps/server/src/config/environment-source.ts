import { readFileSync } from 'node:fs';
import { checkText } from './check-value.ts';
import { nearestName } from './nearest-name.ts';
import { type ConfigurationProblem, quote } from './problem.ts';
import { SETTINGS, type Setting } from './setting.ts';
import type { SourcedValue, SourceReading } from './source.ts';

const PREFIX = 'MOORAGE_';
/** Names the configuration file; not a setting itself. */
export const CONFIG_VARIABLE = 'MOORAGE_CONFIG';
const MAX_SECRET_BYTES = 65_536;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the variables that begin with MOORAGE_; any other such variable is a problem, for it would be without effect. */
export function readEnvironment(environment: Environment): SourceReading {
  const values = new Map<string, SourcedValue>();
  const problems: ConfigurationProblem[] = [];
  const known = new Set([CONFIG_VARIABLE]);
  for (const setting of SETTINGS) {
    known.add(setting.environmentName);
    if (setting.secret) known.add(`${setting.environmentName}_FILE`);
    const found = textOf(setting, environment);
    if (found === null) continue;
    if ('problem' in found) {
      problems.push(found.problem);
      continue;
    }
    const checked = checkText(setting.schema, found.text);
    if (checked.ok) {
      values.set(setting.key, { value: checked.value, origin: { from: 'environment', name: found.name } });
    } else {
      const shown = setting.secret ? 'the given value' : quote(found.text);
      problems.push({ where: found.name, message: `must be ${checked.wants}, not ${shown}`, hint: null });
    }
  }
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(PREFIX) || known.has(name) || environment[name] === undefined) continue;
    const near = nearestName(name, known) ?? nearestName(name.replaceAll('_', ''), withoutUnderscores(known).keys());
    const hint = near === null ? null : `did you mean ${withoutUnderscores(known).get(near) ?? near}?`;
    problems.push({ where: name, message: 'unknown setting', hint });
  }
  return { values, problems };
}

type Found = { readonly name: string; readonly text: string } | { readonly problem: ConfigurationProblem };

function textOf(setting: Setting, environment: Environment): Found | null {
  const name = setting.environmentName;
  const text = environment[name];
  const fileName = `${name}_FILE`;
  const file = setting.secret ? environment[fileName] : undefined;
  if (file === undefined) return text === undefined ? null : { name, text };
  if (text !== undefined) {
    return { problem: { where: fileName, message: `is set as well as ${name}`, hint: 'set one of the two' } };
  }
  try {
    const bytes = readFileSync(file);
    if (bytes.length > MAX_SECRET_BYTES) {
      return { problem: { where: fileName, message: `the file ${quote(file)} is too big for a secret`, hint: null } };
    }
    // The line end that editors and `echo` add is not part of the secret.
    return { name: fileName, text: bytes.toString('utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { problem: { where: fileName, message: `the file ${quote(file)} cannot be read: ${reason}`, hint: null } };
  }
}

function withoutUnderscores(names: Iterable<string>): Map<string, string> {
  return new Map([...names].map((name) => [name.replaceAll('_', ''), name]));
}
