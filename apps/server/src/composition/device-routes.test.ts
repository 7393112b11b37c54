import type { DeviceHttpRoute } from '@moorage/dialect-api';
import { describe, expect, it } from 'vitest';
import { deviceRoutes } from './device-routes.ts';

function dialect(id: string, ...paths: readonly string[]) {
  const httpRoutes = paths.map(
    (path): DeviceHttpRoute => ({
      method: 'GET',
      path,
      bodyLimit: 0,
      handle: () => Promise.reject(new Error('not asked')),
      tooLarge: () => ({ status: 413, contentType: null, body: null }),
    }),
  );
  return { manifest: { id, title: id, documents: [], capabilities: [] }, httpRoutes };
}

describe('routes of all dialects', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/a/:x', '/a/b'],
    ['/a/*', '/a/b/c'],
    ['/:x/b', '/a/:y'],
  ])('REC-39 two overlapping declarations stop the start: %s and %s', (first, second) => {
    expect(() => deviceRoutes([dialect('one', first), dialect('two', second)])).toThrow(
      `GET ${first} of one and ${second} of two`,
    );
    expect(() => deviceRoutes([dialect('one', second), dialect('two', first)])).toThrow('overlap');
  });

  it('REC-39 paths that never meet, and those of one dialect, are all kept', () => {
    const routes = deviceRoutes([
      dialect('one', '/a/list', '/a/:x', '/v1/:t/x'),
      dialect('two', '/b', '/a', '/v1/:t/y', '/v1/:t/x/z', '/a/b/'),
    ]);
    expect(routes).toHaveLength(8);
  });
});
