import { type Json, type JsonObject, listIn, type Operation, objectIn, resolve } from './openapi-structure.ts';

/** A request by the document. */
export interface MadeRequest {
  readonly query: Readonly<Record<string, Json>>;
  readonly path: Readonly<Record<string, Json>>;
  /** undefined: none is declared. */
  readonly body: Json | undefined;
}

/** A stream of whole numbers from 0 to below `limit`, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit);
  };
}

/** Makes requests that fit the schemas of a document. `known` gives values for members and parameters by their name. */
export class RequestMaker {
  readonly #document: JsonObject;
  readonly #known: Readonly<Record<string, Json>>;

  constructor(document: JsonObject, known: Readonly<Record<string, Json>>) {
    this.#document = document;
    this.#known = known;
  }

  /** `whole`: with optional members and parameters as well. */
  make(operation: Operation, whole: boolean): MadeRequest {
    const made: Record<'query' | 'path', Record<string, Json>> = { query: {}, path: {} };
    for (const parameter of listIn(operation.operation.parameters).map(objectIn)) {
      const place = parameter.in === 'path' ? 'path' : 'query';
      if (place === 'query' && parameter.required !== true && !whole) continue;
      const name = String(parameter.name);
      made[place][name] = this.#value(name, parameter.schema, whole, 0);
    }
    const schema = this.bodySchema(operation);
    return { ...made, body: schema === undefined ? undefined : this.#value('', schema, whole, 0) };
  }

  /** The schema of a JSON body, resolved; undefined if there is none. */
  bodySchema({ operation }: Operation): JsonObject | undefined {
    const content = objectIn(objectIn(operation.requestBody).content);
    const { schema } = objectIn(content['application/json']);
    return schema === undefined ? undefined : this.resolved(schema);
  }

  /** The schema behind references; of several alternatives the first. */
  resolved(schema: Json | undefined): JsonObject {
    const { $ref, anyOf, oneOf } = objectIn(schema);
    if (typeof $ref === 'string') return this.resolved(resolve(this.#document, $ref));
    const [first] = listIn(anyOf ?? oneOf);
    return first === undefined ? objectIn(schema) : this.resolved(first);
  }

  #value(name: string, given: Json | undefined, whole: boolean, depth: number): Json {
    const schema = this.resolved(given);
    const known = this.#known[name];
    const type = [schema.type].flat()[0];
    if (known !== undefined && (type === undefined || type === typeof known)) return known;
    if (schema.const !== undefined) return schema.const;
    const [listed] = listIn(schema.enum);
    if (listed !== undefined) return listed;
    switch (type) {
      case 'boolean':
        return true;
      case 'integer':
      case 'number':
        return typeof schema.minimum === 'number' ? schema.minimum : 1;
      case 'array':
        return depth > 4 ? [] : [this.#value('', objectIn(schema.items), whole, depth + 1)];
      case 'object':
        return this.#object(schema, whole, depth);
      default:
        return schema.format === 'uuid'
          ? String(this.#known.id)
          : 'a'.repeat(Math.max(1, Number(schema.minLength ?? 1)));
    }
  }

  #object(schema: JsonObject, whole: boolean, depth: number): JsonObject {
    const required = listIn(schema.required);
    const members = Object.entries(objectIn(schema.properties)).filter(
      ([name]) => required.includes(name) || (whole && depth < 4 && name !== 'id' && name !== 'version'),
    );
    return Object.fromEntries(members.map(([name, member]) => [name, this.#value(name, member, whole, depth + 1)]));
  }
}

const HOSTILE: readonly Json[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  2 ** 63,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '%00%0d%0a',
  'NaN',
  'x'.repeat(5000),
  [],
  {},
  [[[[[[]]]]]],
  { __proto__x: 1, constructor: { prototype: {} } },
  ['a', 1, null],
];

/** The request with one to three of its values replaced, left out or added. */
export function mutated(request: MadeRequest, random: (limit: number) => number): MadeRequest {
  let { body, query, path } = request;
  for (let times = 1 + random(3); times > 0; times--) {
    const place = random(4);
    if (place === 0) path = changeMember(path, random, false);
    else if (place === 1) query = changeMember(query, random, true);
    else if (body !== undefined) body = changeDeep(body, random);
    else query = changeMember(query, random, true);
  }
  return { body, query, path };
}

function hostile(random: (limit: number) => number): Json {
  return HOSTILE[random(HOSTILE.length)] ?? null;
}

function changeMember<T extends Readonly<Record<string, Json>>>(
  members: T,
  random: (limit: number) => number,
  removes: boolean,
): Readonly<Record<string, Json>> {
  const names = Object.keys(members);
  const name = names[random(names.length)] ?? 'nonsense';
  const { [name]: _gone, ...rest } = members;
  if (removes && random(4) === 0) return rest;
  return removes || names.length > 0 ? { ...rest, [name]: hostile(random) } : members;
}

function changeDeep(value: Json, random: (limit: number) => number): Json {
  if (typeof value !== 'object' || value === null || random(4) === 0) return hostile(random);
  if (Array.isArray(value)) {
    const at = random(value.length);
    return value.map((one: Json, index) => (index === at ? changeDeep(one, random) : one));
  }
  const entries = Object.entries(objectIn(value));
  const [name, member] = entries[random(entries.length)] ?? ['nonsense', null];
  const rest = Object.fromEntries(entries.filter(([other]) => other !== name)) as Record<string, Json>;
  return random(5) === 0 ? rest : { ...rest, [name]: changeDeep(member ?? null, random) };
}
