import { type DeviceRef, type DeviceService, platformCaller, ValueKind } from '@moorage/core';
import { deviceSecretOf } from './credentials.ts';
import type { LinkStore } from './stored-requests.ts';
import { Turns } from './turns.ts';

/** Server attribute of a device whose secret was given out over the network. */
const REGISTERED_ATTRIBUTE = 'linkRegistered';
/** Server attribute of a device that has been connected. thingsboard-device.md, 1.7 */
const CONNECTED_ATTRIBUTE = 'lastConnectTime';

export type IssuedSecret =
  | { readonly outcome: 'issued'; readonly secret: string }
  /** The device has its secret already. */
  | { readonly outcome: 'active' }
  | { readonly outcome: 'failed' };

/** Gives devices that wait for their registration a secret. */
export interface LinkSecrets {
  /** Durable when resolved. The same secret again until the device has connected, since its answer may have been lost. */
  issue(device: DeviceRef): Promise<IssuedSecret>;
}

const FAILED: IssuedSecret = { outcome: 'failed' };

/** Secrets among the credentials of the registry. */
export function linkSecretsOf(
  devices: Pick<DeviceService, 'credentials' | 'saveCredentials'>,
  store: LinkStore,
): LinkSecrets {
  const turns = new Turns();

  const again = async (device: DeviceRef, secret: string): Promise<IssuedSecret> => {
    const state = await store.read(device, 'SERVER', [REGISTERED_ATTRIBUTE, CONNECTED_ATTRIBUTE]);
    const has = (wanted: string): boolean => state.some(({ key }) => key === wanted);
    return has(REGISTERED_ATTRIBUTE) && !has(CONNECTED_ATTRIBUTE)
      ? { outcome: 'issued', secret }
      : { outcome: 'active' };
  };

  const issue = async (device: DeviceRef): Promise<IssuedSecret> => {
    const caller = platformCaller(device.tenantId);
    const found = await devices.credentials(caller, device.id);
    if (!found.ok || found.value.credentialsType !== 'ALIBABA') return FAILED;
    const { id, credentialsId, credentialsValue, version } = found.value;
    const secret = deviceSecretOf(credentialsValue);
    if (secret !== null) return again(device, secret);
    // Noted first: a secret that was stored and not told is told when the device asks again.
    const mark = new Map([[REGISTERED_ATTRIBUTE, { kind: ValueKind.Boolean, value: true }]]);
    if (!(await store.save(device, 'SERVER', mark))) return FAILED;
    // A value that is left out is drawn by the registry.
    const saved = await devices.saveCredentials(caller, device.id, {
      id,
      credentialsType: 'ALIBABA',
      credentialsId,
      credentialsValue: null,
      version,
    });
    const drawn = saved.ok ? deviceSecretOf(saved.value.credentialsValue) : null;
    return drawn === null ? FAILED : { outcome: 'issued', secret: drawn };
  };

  return { issue: (device) => turns.run(device.id, () => issue(device)) };
}
