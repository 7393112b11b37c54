import { isObject, type Json, type JsonObject } from '@moorage/core';
import { elementsOf, type JsonTexts } from './json-text.ts';

/** Most definitions that are looked at; models have a few hundred. */
const MAXIMUM_DEFINITIONS = 10_000;
const WHOLE_NUMBER = /^-?\d+$/;

/** What the dialect needs of a product's model. Section 4.4 */
export class ThingModel {
  readonly #decimals: ReadonlySet<string>;
  readonly #syncServices: ReadonlySet<string>;

  constructor(model: JsonObject | null) {
    this.#decimals = new Set(
      definitions(model, 'properties')
        .filter(({ dataType }) => isObject(dataType) && (dataType.type === 'float' || dataType.type === 'double'))
        .map(identifierOf),
    );
    this.#syncServices = new Set(
      definitions(model, 'services')
        .filter(({ callType }) => callType === 'sync')
        .map(identifierOf),
    );
  }

  /** Is the caller's connection held until the device answers? */
  isSync(service: string): boolean {
    return this.#syncServices.has(service);
  }

  /** JSON text of property values, those of the types float and double with a decimal point. Section 3 */
  withDecimals(texts: JsonTexts, params: string): string {
    if (this.#decimals.size === 0) return params;
    const members = texts.members(params, MAXIMUM_DEFINITIONS);
    if (members === undefined) return params;
    const written = Array.from(members, ([identifier, text]) => {
      const value = WHOLE_NUMBER.test(text) && this.#decimals.has(identifier) ? `${text}.0` : text;
      return `${JSON.stringify(identifier)}:${value}`;
    });
    return `{${written.join(',')}}`;
  }
}

/** Properties, services or events; those of a further module carry its name. */
function definitions(model: JsonObject | null, kind: string): readonly JsonObject[] {
  const list: Json | undefined = model !== null && Object.hasOwn(model, kind) ? model[kind] : undefined;
  if (!Array.isArray(list)) return [];
  const entries: readonly Json[] = list;
  return entries.slice(0, MAXIMUM_DEFINITIONS).filter(isObject);
}

function identifierOf({ identifier }: JsonObject): string {
  return typeof identifier === 'string' ? identifier : '';
}

/** Identifiers of `["a","b"]`; undefined: it is something else, or more than `maximum`. */
export function identifiersOf(params: string | undefined, maximum: number): readonly string[] | undefined {
  const elements = elementsOf(params, maximum);
  if (elements === undefined || elements.some((element) => element.charCodeAt(0) !== 0x22)) return undefined;
  return elements.map((element) => String(JSON.parse(element)));
}
