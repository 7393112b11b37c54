import type { KeysQuery } from '@moorage/api-types';

/** Keys asked for; `key` beats `keys`, and null means that none was named. thingsboard-server.md, section 3 */
export function queryKeys(query: KeysQuery): readonly string[] | null {
  const named = query.key === undefined ? [] : [query.key].flat().filter((key) => key !== '');
  if (named.length > 0) return named;
  if (query.keys === undefined) return null;
  const listed = [query.keys]
    .flat()
    .flatMap((keys) => keys.split(','))
    .filter((key) => key !== '');
  return listed.length > 0 ? listed : null;
}
