import { type ConnectCredential, DEFAULT_PROFILE_SETTINGS, type DeviceRef, type NameHolder } from '@moorage/core';
import { DownloadLinks } from '../download-links.ts';
import type { LinkStore } from '../stored-requests.ts';

export const PRODUCT_KEY = 'a1b2C3d4E5f';
export const DEVICE_NAME = 'lamp-01';
export const SECRET = '0123456789abcdef0123456789abcdef';
export const USERNAME = `${DEVICE_NAME}&${PRODUCT_KEY}`;
/** `/sys/{productKey}/{deviceName}/` of the device. */
export const SYSTEM = `/sys/${PRODUCT_KEY}/${DEVICE_NAME}/`;

/** The device of the worked examples, section 1.3. */
export const LAMP: DeviceRef = {
  id: '5a8a8d3e-0000-4000-8000-000000000001',
  tenantId: '5a8a8d3e-0000-4000-8000-000000000002',
  name: 'A lamp',
  profileId: '5a8a8d3e-0000-4000-8000-000000000003',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

/** Who holds the user name of a device; `secret` null: it waits for its registration. */
export function holderOf(secret: string | null, device: DeviceRef = LAMP, username = USERNAME): NameHolder {
  const credential: ConnectCredential = {
    credentialsType: 'ALIBABA',
    device,
    application: null,
    username,
    clientId: null,
    password: secret,
  };
  return { dialect: 'alibaba', credentials: [credential] };
}

/** A store that nobody is expected to ask. */
export function noStore(): LinkStore {
  throw new TypeError('the store was not to be asked');
}

/** The server's address is not known, so nothing is fetched by HTTP. */
export const NO_LINKS = new DownloadLinks({
  hmac: () => '',
  now: () => 0,
  base: () => null,
  secretOf: () => null,
});
