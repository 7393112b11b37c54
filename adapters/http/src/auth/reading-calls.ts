import type { FastifyRequest } from 'fastify';

const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Calls by POST that only ask; `route` as it is registered. */
const READING_POSTS: ReadonlySet<string> = new Set([
  '/api/alarmsQuery/count',
  '/api/alarmsQuery/find',
  '/api/devices',
  '/api/entitiesQuery/count',
  '/api/entitiesQuery/find',
  '/api/entitiesQuery/find/keys',
  '/api/auth/logout',
]);

/** True for calls that anybody may make who sees a public dashboard. Unknown ones are taken to change something. */
export function changesNothing({ method, routeOptions }: Pick<FastifyRequest, 'method' | 'routeOptions'>): boolean {
  return READING_METHODS.has(method) || (method === 'POST' && READING_POSTS.has(routeOptions.url ?? ''));
}
