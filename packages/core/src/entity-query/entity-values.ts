import { NULL_ID } from '../model/entities.ts';
import type { Caller } from '../platform.ts';
import type { Attribute, AttributeScope, AttributeStore, SeriesId, TelemetryStore } from '../ports/telemetry-store.ts';
import { type Point, type Value, ValueKind } from '../values/value.ts';
import type { EntityRecord } from './entity-source.ts';
import type { EntityKey, EntityKeyType } from './query.ts';

/** Names of those who own entities. */
export interface OwnerNames {
  /** Title of a customer of the caller's tenant; null: not known. */
  customerTitle(caller: Caller, customerId: string): Promise<string | null>;
  tenantName(tenantId: string): Promise<string | null>;
}

export interface EntityValuesOptions {
  readonly telemetry: Pick<TelemetryStore, 'seriesOf' | 'latest'>;
  readonly attributes: Pick<AttributeStore, 'read'>;
  readonly owners: OwnerNames;
}

/** Values by the positions of the keys asked for. */
export type ValueRow = readonly (Point | null)[];

const SCOPES: Readonly<Partial<Record<EntityKeyType, AttributeScope>>> = {
  CLIENT_ATTRIBUTE: 'CLIENT',
  SHARED_ATTRIBUTE: 'SHARED',
  SERVER_ATTRIBUTE: 'SERVER',
};

/** Reads present values of many entities for one caller: names of owners are asked for once. */
export class EntityValues {
  readonly #options: EntityValuesOptions;
  readonly #caller: Caller;
  readonly #keys: readonly EntityKey[];
  readonly #attributeKeys: readonly string[];
  readonly #ownerNames = new Map<string, Promise<string | null>>();

  constructor(options: EntityValuesOptions, caller: Caller, keys: readonly EntityKey[]) {
    this.#options = options;
    this.#caller = caller;
    this.#keys = keys;
    const attributes = keys.filter(({ type }) => type !== 'ENTITY_FIELD' && type !== 'TIME_SERIES');
    this.#attributeKeys = [...new Set(attributes.map(({ key }) => key))];
  }

  /** A row for each record, in their order. A few hundred records at once. */
  async read(records: readonly EntityRecord[]): Promise<readonly ValueRow[]> {
    if (this.#keys.length === 0) return records.map(() => []);
    const points = await this.#latestPoints(records);
    const attributes =
      this.#attributeKeys.length === 0
        ? []
        : await Promise.all(records.map(({ id }) => this.#options.attributes.read(id, null, this.#attributeKeys)));
    const rows: ValueRow[] = [];
    for (const [index, record] of records.entries()) {
      const row: (Point | null)[] = [];
      for (const { type, key } of this.#keys) {
        if (type === 'TIME_SERIES') row.push(points[index]?.get(key) ?? null);
        else if (type === 'ENTITY_FIELD') row.push(await this.#field(record, key));
        else row.push(attributeValue(attributes[index] ?? [], key, SCOPES[type] ?? null));
      }
      rows.push(row);
    }
    return rows;
  }

  /** The latest points of all records, asked for at once. */
  async #latestPoints(records: readonly EntityRecord[]): Promise<readonly ReadonlyMap<string, Point | null>[]> {
    const wanted = this.#keys.filter(({ type }) => type === 'TIME_SERIES').map(({ key }) => key);
    if (wanted.length === 0) return [];
    const { telemetry } = this.#options;
    const ids: SeriesId[] = [];
    const places = records.map(({ id }) => {
      const series = telemetry.seriesOf(id);
      const found: [key: string, at: number][] = [];
      for (const key of wanted) {
        const one = series.get(key);
        if (one !== undefined) found.push([key, ids.push(one) - 1]);
      }
      return found;
    });
    const points = ids.length === 0 ? [] : await telemetry.latest(ids);
    return places.map((found) => new Map(found.map(([key, at]) => [key, points[at] ?? null])));
  }

  /** A member of the entity itself, with its creation as the time; null: it has no such member. */
  async #field(record: EntityRecord, name: string): Promise<Point | null> {
    const value = fieldValue(record, name) ?? (name === 'ownerName' ? await this.#ownerName(record) : null);
    return value === null ? null : { ts: record.createdTime, kind: value.kind, value: value.value };
  }

  async #ownerName({ customerId, tenantId }: EntityRecord): Promise<Value | null> {
    const id = customerId === NULL_ID ? tenantId : customerId;
    let name = this.#ownerNames.get(id);
    if (name === undefined) {
      const { owners } = this.#options;
      name = id === tenantId ? owners.tenantName(id) : owners.customerTitle(this.#caller, id);
      this.#ownerNames.set(id, name);
    }
    return text(await name);
  }
}

function fieldValue(record: EntityRecord, name: string): Value | null {
  switch (name) {
    case 'name':
    case 'title':
      return text(record.name);
    case 'displayName':
      return text(record.label === null || record.label === '' ? record.name : record.label);
    case 'type':
      return text(record.type);
    case 'label':
      return text(record.label);
    case 'entityType':
      return text(record.entityType);
    case 'id':
      return text(record.id);
    case 'createdTime':
      return { kind: ValueKind.Long, value: record.createdTime };
    case 'ownerType':
      return text(record.customerId === NULL_ID ? 'TENANT' : 'CUSTOMER');
    case 'additionalInfo':
      return record.additionalInfo === null
        ? null
        : { kind: ValueKind.Json, value: JSON.stringify(record.additionalInfo) };
    default:
      return null;
  }
}

function text(value: string | null): Value | null {
  return value === null ? null : { kind: ValueKind.String, value };
}

/** The attribute of a scope, or the newest of this name over all scopes. */
function attributeValue(attributes: readonly Attribute[], key: string, scope: AttributeScope | null): Point | null {
  let newest: Attribute | null = null;
  for (const attribute of attributes) {
    if (attribute.key !== key || (scope !== null && attribute.scope !== scope)) continue;
    if (newest === null || attribute.lastUpdateTs > newest.lastUpdateTs) newest = attribute;
  }
  return newest === null ? null : { ts: newest.lastUpdateTs, kind: newest.kind, value: newest.value };
}
