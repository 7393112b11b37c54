import type { ConnectCredential } from '@moorage/core';
import type { AccountSettings } from './account-data.ts';

const DEFAULT_MAXIMUM_DEVICES = 10_000;

/** Settings of an account; what is missing is as usual. thingscale.md, 4.1 */
export function accountSettings({ application }: ConnectCredential): AccountSettings {
  const { timezone, autoMap, maxDevices, email } = application?.configuration ?? {};
  return {
    timezone: typeof timezone === 'string' && timezone !== '' ? timezone : 'UTC',
    autoMap: autoMap !== false,
    maxDevices: typeof maxDevices === 'number' ? maxDevices : DEFAULT_MAXIMUM_DEVICES,
    email: typeof email === 'string' ? email : '',
  };
}
