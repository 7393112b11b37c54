import { checkText } from './check-value.ts';
import { type ConfigurationProblem, quote } from './problem.ts';
import { SETTINGS } from './setting.ts';
import type { SourcedValue, SourceReading } from './source.ts';

/** Reads flags of the command line, by their name with both dashes. */
export function readFlags(flags: ReadonlyMap<string, string>): SourceReading {
  const values = new Map<string, SourcedValue>();
  const problems: ConfigurationProblem[] = [];
  for (const setting of SETTINGS) {
    const text = setting.flag === null ? undefined : flags.get(setting.flag);
    if (setting.flag === null || text === undefined) continue;
    const checked = checkText(setting.schema, text);
    if (checked.ok) values.set(setting.key, { value: checked.value, origin: { from: 'flag', name: setting.flag } });
    else problems.push({ where: setting.flag, message: `must be ${checked.wants}, not ${quote(text)}`, hint: null });
  }
  return { values, problems };
}
