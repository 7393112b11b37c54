import type { DeviceCoapRoute } from '@moorage/dialect-api';

export interface FoundRoute {
  readonly route: DeviceCoapRoute;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Row {
  readonly route: DeviceCoapRoute;
  readonly levels: readonly string[];
}

const isParameter = (level: string): boolean => level.startsWith(':');

/** The routes by path; a fixed level goes before a parameter at the same place. */
export class RouteTable {
  readonly #rows: readonly Row[];

  constructor(routes: readonly DeviceCoapRoute[]) {
    this.#rows = routes.map((route) => ({ route, levels: route.path.split('/').slice(1) })).sort(byFixedLevels);
  }

  find(method: string, levels: readonly string[]): FoundRoute | 'notFound' | 'notAllowed' {
    let outcome: 'notFound' | 'notAllowed' = 'notFound';
    for (const { route, levels: pattern } of this.#rows) {
      const parameters = match(pattern, levels);
      if (parameters === undefined) continue;
      if (route.method === method) return { route, parameters };
      outcome = 'notAllowed';
    }
    return outcome;
  }
}

function byFixedLevels(a: Row, b: Row): number {
  for (const [index, level] of a.levels.entries()) {
    const difference = Number(isParameter(level)) - Number(isParameter(b.levels[index] ?? ''));
    if (difference !== 0) return difference;
  }
  return 0;
}

function match(pattern: readonly string[], levels: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== levels.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const level = levels[index] ?? '';
    if (isParameter(expected)) parameters[expected.slice(1)] = level;
    else if (expected !== level) return undefined;
  }
  return parameters;
}
