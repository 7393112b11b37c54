import type { EntityFilter, EntityQuery, EntitySelection } from '@moorage/core';
import { type JsonRecord, listMember, numberMember, recordMember, textMember, valueMember } from './json-members.ts';
import { readKeyFilters } from './read-key-filters.ts';
import { QueryFault, readKey, readKeys, uniqueKeys } from './read-keys.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads a query with its page; unknown members are ignored. thingsboard-server.md, 7.5 */
export function readQuery(query: JsonRecord): EntityQuery | QueryFault {
  const selection = readSelection(query);
  if (selection instanceof QueryFault) return selection;
  const pageLink = recordMember(query, 'pageLink');
  if (pageLink === null) return new QueryFault('pageLink is missing');
  const sort = readSort(pageLink);
  if (sort instanceof QueryFault) return sort;
  const fields = readKeys(listMember(query, 'entityFields'), 'ENTITY_FIELD');
  if (fields instanceof QueryFault) return fields;
  const latest = readKeys(listMember(query, 'latestValues'), null);
  if (latest instanceof QueryFault) return latest;
  const textSearch = textMember(pageLink, 'textSearch');
  return {
    ...selection,
    pageSize: numberMember(pageLink, 'pageSize', 0),
    page: numberMember(pageLink, 'page', 0),
    textSearch: textSearch === '' ? null : textSearch,
    sort,
    values: uniqueKeys([...fields, ...latest]),
  };
}

/** Reads which entities are meant. */
export function readSelection(query: JsonRecord): EntitySelection | QueryFault {
  const filter = recordMember(query, 'entityFilter');
  if (filter === null) return new QueryFault('entityFilter is missing');
  const read = readFilter(filter);
  if (read instanceof QueryFault) return read;
  const keyFilters = readKeyFilters(listMember(query, 'keyFilters'));
  if (keyFilters instanceof QueryFault) return keyFilters;
  const operation = textMember(query, 'keyFiltersOperation').toUpperCase() === 'OR' ? 'OR' : 'AND';
  return { filter: read, keyFilters, operation };
}

function readSort(pageLink: JsonRecord): EntityQuery['sort'] | QueryFault {
  const order = recordMember(pageLink, 'sortOrder');
  const named = order === null ? null : recordMember(order, 'key');
  if (order === null || named === null) return null;
  const key = readKey(named);
  if (key instanceof QueryFault) return key;
  return { key, descending: textMember(order, 'direction').toUpperCase() === 'DESC' };
}

function readFilter(filter: JsonRecord): EntityFilter | QueryFault {
  const type = textMember(filter, 'type');
  const entityType = textMember(filter, 'entityType').toUpperCase();
  switch (type) {
    case 'singleEntity': {
      const entity = recordMember(filter, 'singleEntity');
      const id = entity === null ? '' : textMember(entity, 'id').toLowerCase();
      if (entity === null || !UUID.test(id)) return new QueryFault(`Invalid UUID string: ${id.slice(0, 100)}`);
      return { type, entity: { entityType: textMember(entity, 'entityType').toUpperCase(), id } };
    }
    case 'entityList': {
      const ids = listMember(filter, 'entityList').map((id) => String(id).toLowerCase());
      const wrong = ids.find((id) => !UUID.test(id));
      if (wrong !== undefined) return new QueryFault(`Invalid UUID string: ${wrong.slice(0, 100)}`);
      return { type, entityType, ids };
    }
    case 'entityName':
      return { type: 'entityType', entityType, subTypes: [], nameFilter: textMember(filter, 'entityNameFilter') };
    case 'entityType':
      return { type, entityType, subTypes: [], nameFilter: null };
    case 'deviceType':
      return ofSubTypes('DEVICE', filter, 'deviceType');
    case 'assetType':
      return ofSubTypes('ASSET', filter, 'assetType');
    default:
      return new QueryFault(`Entity filters of type ${type.slice(0, 64) || 'none'} are not offered`);
  }
}

/** `deviceTypes`, or the older `deviceType`, and `deviceNameFilter`; the same for assets. */
function ofSubTypes(entityType: string, filter: JsonRecord, name: 'deviceType' | 'assetType'): EntityFilter {
  const listed = listMember(filter, `${name}s`).filter((type) => typeof type === 'string');
  const single = valueMember(filter, name);
  const subTypes = listed.length === 0 && typeof single === 'string' && single !== '' ? [single] : listed;
  const nameFilter = textMember(filter, name === 'deviceType' ? 'deviceNameFilter' : 'assetNameFilter');
  return { type: 'entityType', entityType, subTypes, nameFilter };
}
