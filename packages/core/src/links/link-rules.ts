import { type PlatformError, refuse } from '../errors.ts';
import type { Json } from '../model/entities.ts';
import { nameProblem } from '../registry/text-rules.ts';
import { isStorableKey } from '../telemetry/point-rules.ts';
import type { DeviceLinkInput } from './link.ts';

export const MAX_LINKS_OF_TENANT = 10_000;
const MAX_MAP_ENTRIES = 100;
/** Characters of a map's JSON text: all maps are in memory. */
const MAX_MAP_LENGTH = 16_384;
const MAX_METHOD_LENGTH = 255;

/** Why a link cannot be saved, apart from its devices; null: it can. */
export function inputProblem({ name, source, target, map }: DeviceLinkInput): PlatformError | null {
  const problem = nameProblem('Link', name);
  if (problem !== null) return problem;
  if (!isStorableKey(source.key)) return refuse('badRequest', 'Link source key should have 1 to 255 characters!');
  const { method, attribute } = target;
  if ((method === null) === (attribute === null)) {
    return refuse('badRequest', 'Link target should be either a method or an attribute!');
  }
  if (method !== null && (method.trim() === '' || method.length > MAX_METHOD_LENGTH)) {
    return refuse('badRequest', `Link method should have 1 to ${MAX_METHOD_LENGTH} characters!`);
  }
  if (attribute !== null && !isStorableKey(attribute)) {
    return refuse('badRequest', 'Link attribute should have 1 to 255 characters!');
  }
  return map === null ? null : mapProblem(map, attribute !== null);
}

function mapProblem(map: Readonly<Record<string, Json>>, toAttribute: boolean): PlatformError | null {
  const values = Object.values(map);
  if (values.length > MAX_MAP_ENTRIES) {
    return refuse('badRequest', `Link map should have at most ${MAX_MAP_ENTRIES} entries!`);
  }
  if (JSON.stringify(map).length > MAX_MAP_LENGTH) {
    return refuse('badRequest', `Validation error: map is longer than ${MAX_MAP_LENGTH} characters`);
  }
  if (toAttribute && values.includes(null)) return refuse('badRequest', 'An attribute cannot be set to null!');
  return null;
}
