const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const OPERATION_ID = /^[a-z][A-Za-z0-9]+$/;
const STATUS = /^(?:[1-5]\d\d|[1-5]XX|default)$/;
const COMPONENT_NAME = /^[A-Za-z0-9._-]+$/;
const SCHEMA_TYPES = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'];

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [member: string]: Json | undefined;
}

/** The member as an object; an empty one where it is none. */
export function objectIn(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !isList(value) ? value : {};
}

export function listIn(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operation: JsonObject;
}

export function operationsOf(document: JsonObject): readonly Operation[] {
  return Object.entries(objectIn(document.paths)).flatMap(([path, item]) =>
    Object.entries(objectIn(item))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({ path, method, operation: objectIn(operation) })),
  );
}

/** What a `$ref` inside the document points at, by RFC 6901. */
export function resolve(document: JsonObject, reference: string): Json | undefined {
  if (!reference.startsWith('#/')) return undefined;
  let value: Json | undefined = document;
  for (const part of reference.slice(2).split('/')) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    value = Object.hasOwn(objectIn(value), name) ? objectIn(value)[name] : undefined;
  }
  return value;
}

/**
 * Where a document is not what OpenAPI 3.1.0 demands of it (sections 4.8.1 to 4.8.30), and where it leaves a generator of clients
 * without something: an id, a summary, a declared tag, a description, an answer for success and for refusals.
 */
export function structureFaults(document: JsonObject): readonly string[] {
  return [
    ...rootFaults(document),
    ...operationsOf(document).flatMap((one) =>
      operationFaults(document, one).map((fault) => `${one.method} ${one.path}: ${fault}`),
    ),
    ...schemaFaults(document),
    ...referenceFaults(document, document, '#'),
    ...repeated(operationsOf(document).map(({ operation }) => String(operation.operationId))).map(
      (id) => `operationId ${id} is there twice`,
    ),
    ...pathFaults(document),
  ];
}

function rootFaults(document: JsonObject): string[] {
  const info = objectIn(document.info);
  const faults: string[] = [];
  if (!/^3\.1\.\d+$/.test(String(document.openapi))) faults.push('openapi is not 3.1');
  if (typeof info.title !== 'string' || typeof info.version !== 'string') faults.push('info needs title and version');
  const schemes = objectIn(objectIn(document.components).securitySchemes);
  for (const requirement of listIn(document.security)) {
    for (const name of Object.keys(objectIn(requirement))) {
      if (!Object.hasOwn(schemes, name)) faults.push(`security scheme ${name} is not declared`);
    }
  }
  for (const tag of listIn(document.tags)) {
    if (typeof objectIn(tag).name !== 'string') faults.push('a tag without a name');
  }
  return faults;
}

function operationFaults(document: JsonObject, { path, operation }: Operation): string[] {
  const declared = listIn(document.tags).map((tag) => objectIn(tag).name);
  const faults: string[] = [];
  if (!OPERATION_ID.test(String(operation.operationId))) faults.push('operationId');
  if (typeof operation.summary !== 'string' || operation.summary === '') faults.push('summary');
  if (listIn(operation.tags).length === 0) faults.push('no tag');
  for (const tag of listIn(operation.tags))
    if (!declared.includes(String(tag))) faults.push(`tag ${tag} is not declared`);
  if (operation.requestBody !== undefined) {
    const body = objectIn(operation.requestBody);
    if (typeof body.required !== 'boolean') faults.push('requestBody does not say whether it is required');
    faults.push(...contentFaults(body, 'requestBody', true));
  }
  return [...faults, ...parameterFaults(path, operation), ...answerFaults(path, operation)];
}

function parameterFaults(path: string, operation: JsonObject): string[] {
  const faults: string[] = [];
  const parameters = listIn(operation.parameters).map(objectIn);
  for (const parameter of parameters) {
    const { name, in: place, required, schema } = parameter;
    if (!['path', 'query', 'header', 'cookie'].includes(String(place))) faults.push(`parameter ${name}: in`);
    if (schema === undefined) faults.push(`parameter ${name}: no schema`);
    if (place === 'path' && required !== true) faults.push(`parameter ${name}: not required`);
  }
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const declared = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => String(name));
  if (inPath.toSorted().join() !== declared.toSorted().join()) faults.push(`path parameters ${declared}`);
  for (const twice of repeated(parameters.map((one) => `${one.in} ${one.name}`))) faults.push(`${twice} twice`);
  return faults;
}

function answerFaults(path: string, operation: JsonObject): string[] {
  const answers = objectIn(operation.responses);
  const faults: string[] = [];
  for (const [status, answer] of Object.entries(answers)) {
    if (!STATUS.test(status)) faults.push(`status ${status}`);
    const { description } = objectIn(answer);
    if (typeof description !== 'string' || description === '') faults.push(`${status}: no description`);
    if (description === 'Default Response') faults.push(`${status}: a description that says nothing`);
    faults.push(...contentFaults(objectIn(answer), status, false));
  }
  if (answers['200'] === undefined) faults.push('no answer for success');
  const refusals = path.startsWith('/api/') ? ['4XX', '5XX'] : [];
  for (const status of refusals) {
    const { content } = objectIn(answers[status]);
    const schema = objectIn(objectIn(objectIn(content)['application/json']).schema);
    if (schema.$ref !== '#/components/schemas/ErrorObject') faults.push(`${status}: not the error object`);
  }
  return faults;
}

function contentFaults(holder: JsonObject, name: string, required: boolean): string[] {
  if (holder.content === undefined) return required ? [`${name}: no content`] : [];
  const media = Object.entries(objectIn(holder.content));
  if (media.length === 0) return [`${name}: empty content`];
  return media.flatMap(([type, value]) => [
    ...(/^[a-z]+\/[a-z0-9.+-]+$/.test(type) ? [] : [`${name}: media type ${type}`]),
    ...(objectIn(value).schema === undefined ? [`${name}: ${type} has no schema`] : []),
  ]);
}

function schemaFaults(document: JsonObject): string[] {
  const faults: string[] = [];
  const visit = (schema: Json | undefined, where: string): void => {
    const { type, properties, required, items, enum: values } = objectIn(schema);
    for (const one of isList(type) ? type : type === undefined ? [] : [type]) {
      if (!SCHEMA_TYPES.includes(String(one))) faults.push(`${where}: type ${one}`);
    }
    if (required !== undefined && repeated(listIn(required).map(String)).length > 0) faults.push(`${where}: required`);
    if (values !== undefined && listIn(values).length === 0) faults.push(`${where}: an empty enum`);
    for (const [name, property] of Object.entries(objectIn(properties))) visit(property, `${where}/${name}`);
    if (items !== undefined) visit(items, `${where}/items`);
    for (const union of ['anyOf', 'oneOf', 'allOf']) {
      for (const branch of listIn(objectIn(schema)[union])) visit(branch, `${where}/${union}`);
    }
  };
  for (const [name, schema] of Object.entries(objectIn(objectIn(document.components).schemas))) {
    if (!COMPONENT_NAME.test(name)) faults.push(`component name ${name}`);
    visit(schema, name);
  }
  return faults;
}

function referenceFaults(document: JsonObject, node: Json | undefined, where: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([member, value]: [string, Json | undefined]) => {
    const here = `${where}/${member}`;
    if (member === '$ref' && typeof value === 'string') {
      return resolve(document, value) === undefined ? [`${here}: ${value} is not there`] : [];
    }
    return referenceFaults(document, value, here);
  });
}

/** Two paths that differ in the names of their parameters only are the same path. */
function pathFaults(document: JsonObject): string[] {
  const paths = Object.keys(objectIn(document.paths));
  return [
    ...paths.filter((path) => !path.startsWith('/')).map((path) => `${path} does not begin with /`),
    ...repeated(paths.map((path) => path.replaceAll(/\{\w+\}/g, '{}'))).map((path) => `${path} is there twice`),
  ];
}

function repeated(values: readonly string[]): readonly string[] {
  return values.filter((value, at) => values.indexOf(value) !== at);
}
