/** Turns the texts of a query or path into the types its schema asks for. Texts that do not fit stay as they are. */
export type Conversion = (data: Record<string, unknown>) => void;

interface PropertySchema {
  readonly type?: unknown;
  readonly format?: unknown;
  readonly enum?: unknown;
}

type Convert = (value: unknown) => unknown;

const toInteger: Convert = (value) =>
  typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number.parseInt(value, 10) : value;
/** The words that ThingsBoard takes; its Python client writes `True`. */
const BOOLEANS = new Map([
  ...['true', 'on', 'yes', '1'].map((word) => [word, true] as const),
  ...['false', 'off', 'no', '0'].map((word) => [word, false] as const),
]);
const toBoolean: Convert = (value) =>
  typeof value === 'string' ? (BOOLEANS.get(value.toLowerCase()) ?? value) : value;
const toUpperCase: Convert = (value) => (typeof value === 'string' ? value.toUpperCase() : value);
const toLowerCase: Convert = (value) => (typeof value === 'string' ? value.toLowerCase() : value);

function converterOf(schema: PropertySchema): Convert | undefined {
  if (schema.type === 'integer') return toInteger;
  if (schema.type === 'boolean') return toBoolean;
  if (schema.format === 'uuid') return toLowerCase;
  if (Array.isArray(schema.enum)) return toUpperCase;
  return undefined;
}

/** For a schema of an object; an optional parameter that is there but empty counts as left out. */
export function conversionFor(schema: {
  readonly properties?: Readonly<Record<string, PropertySchema>>;
  readonly required?: readonly string[];
}): Conversion {
  const properties = Object.entries(schema.properties ?? {});
  const converters = properties.flatMap(([name, property]): (readonly [string, Convert])[] => {
    const convert = converterOf(property);
    return convert === undefined ? [] : [[name, convert]];
  });
  const optional = properties.map(([name]) => name).filter((name) => schema.required?.includes(name) !== true);
  return (data) => {
    for (const name of optional) if (data[name] === '') delete data[name];
    for (const [name, convert] of converters) {
      if (data[name] !== undefined) data[name] = convert(data[name]);
    }
  };
}
