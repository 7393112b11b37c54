import { configurationSchema, type SettingMarks } from './schema.ts';

/** The part of JSON Schema that settings are described with. */
export interface ValueSchema extends Partial<SettingMarks> {
  readonly type?: 'integer' | 'string' | 'boolean' | 'array' | 'null' | 'object';
  readonly enum?: readonly string[];
  readonly anyOf?: readonly ValueSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: ValueSchema;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
}

/** One setting: where it may come from and what it may be. */
export interface Setting {
  /** Path in the file, with dots: `mqtt.port`. */
  readonly key: string;
  readonly path: readonly string[];
  /** `MOORAGE_MQTT__PORT` */
  readonly environmentName: string;
  /** `--mqtt-port`, or null. */
  readonly flag: string | null;
  readonly secret: boolean;
  readonly schema: ValueSchema;
}

/** Every setting, in the order of the schema. */
export const SETTINGS: readonly Setting[] = collect(configurationSchema, []);

/** Paths of the groups: `mqtt`, `mqtt.limits`, ... */
export const GROUPS: ReadonlySet<string> = new Set(
  SETTINGS.flatMap(({ path }) => path.slice(0, -1).map((_, at) => path.slice(0, at + 1).join('.'))),
);

function collect(schema: ValueSchema, path: readonly string[]): Setting[] {
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([name, inner]) => collect(inner, [...path, name]));
  }
  return [
    {
      key: path.join('.'),
      path,
      environmentName: environmentName(path),
      flag: schema.flag?.split(' ')[0] ?? null,
      secret: schema.secret === true,
      schema,
    },
  ];
}

/** `serverKeepAlive` becomes `SERVER_KEEP_ALIVE`, steps of the path are joined by two underscores. */
function environmentName(path: readonly string[]): string {
  const steps = path.map((name) =>
    name
      .replace('MiB', 'Mib')
      .replace(/[a-z](?=[A-Z])/g, '$&_')
      .toUpperCase(),
  );
  return `MOORAGE_${steps.join('__')}`;
}
