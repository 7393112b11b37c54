import { type Attribute, type AttributesRequestIntent, formatValue, formatValues, type Value } from '@moorage/core';
import { askedKeys, keyList } from '../attribute-requests.ts';
import { type Members, memberOf, textMember } from '../json-members.ts';
import type { Problem } from '../payload-context.ts';

/** Form of the answer: `value` to one key, `values` to several. */
type AnswerForm = 'value' | 'values';

const REQUEST_ID = /^-?\d{1,10}$/;

/** Keys as an array takes them: a comma is part of a name. */
function nameList(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const keys: readonly unknown[] = value;
  const names = new Set<string>();
  for (const key of keys) {
    if (typeof key !== 'string') return undefined;
    names.add(key);
  }
  return names.size > 0 && names.size <= 1_000 ? [...names] : undefined;
}

function request(
  id: string,
  form: AnswerForm,
  keys: Pick<AttributesRequestIntent, 'clientKeys' | 'sharedKeys'>,
): AttributesRequestIntent {
  return { kind: 'attributesRequest', ...keys, ref: `${form}/${id}` };
}

/**
 * `{"id":1,"device":"A","client":true,"key":"k"}`, `"keys":["k"]` in place of the key, or the arrays of a newer page:
 * `"client":["k"],"shared":["k"]`. Section 8
 */
export function decodeGatewayAttributesRequest(members: Members): AttributesRequestIntent | Problem {
  const id = textMember(members, 'id');
  if (typeof id !== 'string' || !REQUEST_ID.test(id)) return { problem: 'The member id is no number.' };
  const client = memberOf(members, 'client');
  const shared = memberOf(members, 'shared');
  if (typeof client !== 'boolean') {
    const clientKeys = keyList(client);
    const sharedKeys = keyList(shared);
    if ((client === null && shared === null) || clientKeys === undefined || sharedKeys === undefined) {
      return { problem: 'The request does not say which attributes it asks for.' };
    }
    return request(id, 'values', askedKeys(clientKeys, sharedKeys));
  }
  const key = textMember(members, 'key');
  const keys = typeof key === 'string' ? [key] : nameList(memberOf(members, 'keys'));
  if (keys === undefined) return { problem: 'The request names no key.' };
  const form = typeof key === 'string' ? 'value' : 'values';
  return request(id, form, client ? { clientKeys: keys, sharedKeys: null } : { clientKeys: null, sharedKeys: keys });
}

/** `{"id":1,"device":"A","value":V}` or `"values":{}`; what was not found is left out. undefined: no such request. */
export function formatGatewayAttributes(
  ref: string,
  name: string,
  client: readonly Attribute[],
  shared: readonly Attribute[],
): string | undefined {
  const [form, id = ''] = ref.split('/', 2);
  if (!REQUEST_ID.test(id)) return undefined;
  const head = `{"id":${Number(id)},"device":${JSON.stringify(name)}`;
  // A key of both scopes is told once, as the device's own.
  const found = new Map<string, Value>();
  for (const attribute of [...client, ...shared]) if (!found.has(attribute.key)) found.set(attribute.key, attribute);
  const first = found.values().next();
  if (first.done === true) return `${head}}`;
  return form === 'value' ? `${head},"value":${formatValue(first.value)}}` : `${head},"values":${formatValues(found)}}`;
}
