import type { TLocalizedValidationError } from 'typebox/error';
import { RequestRefusal } from '../refusals/request-refusal.ts';

const PLACES: Readonly<Record<string, string>> = {
  body: 'the body',
  querystring: 'the query',
  params: 'the path',
  headers: 'the headers',
};

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  object: 'an object',
  string: 'a text',
};

/** Reads a member by JSON pointer. */
function valueAt(data: unknown, pointer: string): unknown {
  let value = data;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([name]) => name === part)?.[1];
  }
  return value;
}

function wanted(error: TLocalizedValidationError): string {
  switch (error.keyword) {
    case 'type':
      return `must be ${[error.params.type]
        .flat()
        .map((type) => TYPES[type] ?? type)
        .join(' or ')}`;
    case 'enum':
      return `must be one of ${error.params.allowedValues.join(', ')}`;
    case 'minimum':
      return `must be at least ${error.params.limit}`;
    case 'maximum':
      return `must be at most ${error.params.limit}`;
    case 'minLength':
      return error.params.limit === 1 ? 'must not be empty' : `must have at least ${error.params.limit} characters`;
    case 'maxLength':
      return `must have at most ${error.params.limit} characters`;
    default:
      return error.message;
  }
}

/** A refusal that names the member at fault and what it should be, in one sentence. */
export function validationRefusal(
  errors: readonly TLocalizedValidationError[],
  httpPart: string,
  data: unknown,
): RequestRefusal {
  const uuid = errors.find((error) => error.keyword === 'format' && error.params.format === 'uuid');
  if (uuid === undefined) return new RequestRefusal(400, 31, validationMessage(errors, httpPart));
  const text = String(valueAt(data, uuid.instancePath)).slice(0, 100);
  return new RequestRefusal(400, 31, `Invalid UUID string: ${text}`, 'id');
}

function validationMessage(errors: readonly TLocalizedValidationError[], httpPart: string): string {
  const place = PLACES[httpPart] ?? 'the request';
  // A union reports each of its branches before itself; the deepest finding says most.
  const error = errors.reduce<TLocalizedValidationError | undefined>(
    (best, next) => (best === undefined || depth(next) > depth(best) ? next : best),
    undefined,
  );
  if (error === undefined) return `Something in ${place} is not as expected`;
  const path = error.instancePath.split('/').slice(1);
  if (error.keyword === 'required') {
    const missing = error.params.requiredProperties.map((name) => `'${[...path, name].join('.')}'`).join(', ');
    return `${missing} is missing in ${place}`;
  }
  if (path.length === 0) return `${place.slice(0, 1).toUpperCase()}${place.slice(1)} ${wanted(error)}`;
  return `'${path.join('.')}' in ${place} ${wanted(error)}`;
}

function depth(error: TLocalizedValidationError): number {
  return error.instancePath.split('/').length;
}
