import { type PointList, type Scalar, ValueKind, type WaveshareAttribute, type WaveshareSettings } from '@moorage/core';

/** Most identifiers that are named in one mark. */
const MAXIMUM_NAMED = 64;

const NO_DEFINITIONS: ReadonlyMap<string, WaveshareAttribute> = new Map();

/** Settings are shared by all devices of a profile and replaced as a whole. */
const known = new WeakMap<WaveshareSettings, ReadonlyMap<string, WaveshareAttribute>>();

/** The attributes of a product by identifier. */
export function definitionsOf(settings: WaveshareSettings | undefined): ReadonlyMap<string, WaveshareAttribute> {
  if (settings === undefined || settings.attributes.length === 0) return NO_DEFINITIONS;
  let definitions = known.get(settings);
  if (definitions === undefined) {
    definitions = new Map(settings.attributes.map((attribute) => [attribute.identifier, attribute]));
    known.set(settings, definitions);
  }
  return definitions;
}

/** Identifiers whose values are of another type or out of range; undefined ones contradict nothing. Section 4.5 */
export function outOfDefinition(
  definitions: ReadonlyMap<string, WaveshareAttribute>,
  points: PointList,
): readonly string[] {
  const found: string[] = [];
  if (definitions.size === 0) return found;
  for (let index = 0; index < points.length; index++) {
    const key = points.keys[index];
    const kind = points.kinds[index];
    const value = points.values[index];
    if (key === undefined || kind === undefined || value === undefined) break;
    const definition = definitions.get(key);
    if (definition === undefined || fits(definition, kind, value)) continue;
    found.push(key);
    if (found.length === MAXIMUM_NAMED) break;
  }
  return found;
}

function fits(definition: WaveshareAttribute, kind: ValueKind, value: Scalar): boolean {
  switch (definition.type) {
    case 'int':
      return isNumber(kind) && Number.isInteger(Number(value)) && inRange(definition, Number(value));
    case 'float':
      return isNumber(kind) && inRange(definition, Number(value));
    case 'bool':
      // The boards say 1 and 0.
      return kind === ValueKind.Boolean || (kind === ValueKind.Long && (value === 0 || value === 1));
    case 'string':
      return kind === ValueKind.String;
    case 'enum': {
      const scalar = typeof value === 'bigint' ? Number(value) : value;
      return definition.values === null || definition.values.some((one) => one === scalar);
    }
    case 'json':
      return true;
    default:
      return definition.type satisfies never;
  }
}

function isNumber(kind: ValueKind): boolean {
  return kind === ValueKind.Long || kind === ValueKind.Double;
}

function inRange({ minimum, maximum }: WaveshareAttribute, value: number): boolean {
  return (minimum === null || value >= minimum) && (maximum === null || value <= maximum);
}
