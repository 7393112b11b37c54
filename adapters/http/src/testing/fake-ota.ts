import { type OtaService, refuse } from '@moorage/core';

/** A platform without packages. */
export function fakeOta(): OtaService {
  const none = async () => refuse('notFound');
  return {
    save: none,
    upload: none,
    get: none,
    list: none,
    listForProfile: none,
    download: none,
    remove: none,
    countDevices: none,
  };
}
