import type { SettingValue } from './check-value.ts';
import type { ConfigurationProblem } from './problem.ts';

/** Where a value came from. */
export type Origin =
  | { readonly from: 'default' }
  | { readonly from: 'file'; readonly file: string; readonly line: number }
  | { readonly from: 'environment'; readonly name: string }
  | { readonly from: 'flag'; readonly name: string };

export interface SourcedValue {
  readonly value: SettingValue;
  readonly origin: Origin;
}

/** What one source says: values by key of the setting, and what is wrong with it. */
export interface SourceReading {
  readonly values: ReadonlyMap<string, SourcedValue>;
  readonly problems: readonly ConfigurationProblem[];
}

/** The origin in words. */
export function formatOrigin(origin: Origin): string {
  switch (origin.from) {
    case 'default':
      return 'default';
    case 'file':
      return `${origin.file}:${origin.line}`;
    case 'environment':
      return `environment ${origin.name}`;
    case 'flag':
      return `flag ${origin.name}`;
  }
}
