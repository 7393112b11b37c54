import { type DeviceLinkService, refuse } from '@moorage/core';

const missing = async () => refuse('notFound');

/** No links at all; tests of links run on the registry itself. */
export function fakeLinks(): DeviceLinkService {
  return { save: missing, get: missing, list: missing, remove: missing };
}
