import type { Call } from './audited-calls.ts';

/** The entity that a call is about. */
export interface Subject {
  readonly entityType: string | null;
  readonly entityId: string | null;
  readonly entityName: string | null;
}

/** Members of an answer or a body that name an entity, best first. */
const NAME_MEMBERS = ['name', 'title', 'email', 'description', 'deviceName'];
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Read from the path, else from the answer, else from the body. */
export function subjectOf(call: Call, params: unknown, answer: unknown, body: unknown): Subject {
  const fromPath = pathSubject(call.routeOptions.url ?? '', params);
  const found = idIn(answer) ?? idIn(body);
  const entityType = fromPath.entityType ?? found?.entityType ?? typeOfPath(call.routeOptions.url ?? '');
  return {
    entityType,
    entityId: fromPath.entityId ?? found?.id ?? null,
    entityName: nameIn(answer) ?? nameIn(body) ?? textOf(params, 'deviceName'),
  };
}

/** True if a body names the entity that it updates. */
export function namesEntity(body: unknown): boolean {
  return uuidOf(memberOf(body, 'id')) !== null;
}

/** A device that something is done to is meant before the customer it is done for. */
function pathSubject(url: string, params: unknown): Pick<Subject, 'entityType' | 'entityId'> {
  const entityType = textOf(params, 'entityType');
  const entityId = textOf(params, 'entityId');
  if (entityType !== null && entityId !== null && UUID.test(entityId)) {
    return { entityType: entityType.toUpperCase(), entityId: entityId.toLowerCase() };
  }
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  const last = names.findLast((name) => UUID.test(textOf(params, name) ?? ''));
  if (last === undefined) return { entityType: null, entityId: null };
  const id = textOf(params, last)?.toLowerCase() ?? null;
  const named = /^(\w+)Id$/.exec(last)?.[1];
  return { entityType: named === undefined ? typeOfPath(url) : snakeCase(named), entityId: id };
}

/** `/api/otaPackage/:id` is about an OTA_PACKAGE. */
function typeOfPath(url: string): string | null {
  const [, , first = ''] = url.split('/', 4);
  return first === '' ? null : snakeCase(first.replace(/-.*$/, ''));
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** The id of an entity, of the device that credentials belong to, or of what was claimed. */
function idIn(value: unknown): { readonly entityType: string | null; readonly id: string } | null {
  for (const holder of [value, memberOf(value, 'device')]) {
    for (const member of ['deviceId', 'id'] as const) {
      const id = memberOf(holder, member);
      const uuid = uuidOf(id);
      const entityType = textOf(id, 'entityType');
      // The id of credentials has no type, so that of their device is taken.
      if (uuid !== null && (member === 'id' || holdsCredentials(holder))) return { entityType, id: uuid };
    }
  }
  return null;
}

function holdsCredentials(value: unknown): boolean {
  return memberOf(value, 'credentialsType') !== undefined;
}

function nameIn(value: unknown): string | null {
  for (const holder of [value, memberOf(value, 'device')]) {
    for (const member of NAME_MEMBERS) {
      const name = textOf(holder, member);
      if (name !== null && name !== '') return name;
    }
  }
  return null;
}

function uuidOf(id: unknown): string | null {
  const text = textOf(id, 'id');
  return text !== null && UUID.test(text) ? text.toLowerCase() : null;
}

export function textOf(value: unknown, member: string): string | null {
  const found = memberOf(value, member);
  return typeof found === 'string' ? found : null;
}

function memberOf(value: unknown, member: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, member)) return undefined;
  return Reflect.get(value, member);
}
