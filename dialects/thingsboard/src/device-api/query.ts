import type { DeviceRequest } from '@moorage/dialect-api';
import { type AttributeKeys, askedKeys, keyList } from '../attribute-requests.ts';

type Query = DeviceRequest['query'];

/** The first value of a name; undefined: the name is not there. */
export function parameterOf(query: Query, name: string): string | undefined {
  return query.find(([other]) => other === name)?.[1];
}

/** A number without sign, 0 where the name is absent or empty; undefined: something else. */
export function numberOf(query: Query, name: string): number | undefined {
  const text = parameterOf(query, name) ?? '';
  if (text === '') return 0;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** `clientKeys=a,b&sharedKeys=c`, where a name may come several times; undefined: too many keys. Section 9 */
export function attributeKeysOf(query: Query): AttributeKeys | undefined {
  const listOf = (name: string) => keyList(query.flatMap(([other, value]) => (other === name ? [value] : [])));
  const clientKeys = listOf('clientKeys');
  const sharedKeys = listOf('sharedKeys');
  return clientKeys === undefined || sharedKeys === undefined ? undefined : askedKeys(clientKeys, sharedKeys);
}
