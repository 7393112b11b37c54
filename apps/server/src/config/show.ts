import type { SettingValue } from './check-value.ts';
import type { Configuration } from './schema.ts';
import { SETTINGS, type Setting } from './setting.ts';
import { formatOrigin, type Origin } from './source.ts';

/** A setting as it is shown: secrets are only said to be set. */
export interface ShownSetting {
  readonly key: string;
  readonly value: SettingValue;
  readonly origin: string;
}

/** Every setting in force, in the order of the schema. */
export function showConfiguration(configuration: Configuration, origins: ReadonlyMap<string, Origin>): ShownSetting[] {
  return SETTINGS.map((setting) => {
    const value = shownValue(configuration, setting);
    return {
      key: setting.key,
      value: setting.secret && value !== null ? '********' : value,
      origin: formatOrigin(origins.get(setting.key) ?? { from: 'default' }),
    };
  });
}

function shownValue(configuration: Configuration, { path }: Setting): SettingValue {
  let value: unknown = configuration;
  for (const step of path) value = (value as Record<string, unknown>)[step];
  return value as SettingValue;
}
