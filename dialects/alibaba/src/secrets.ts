import {
  type DeviceAdmission,
  type DeviceRef,
  type DeviceService,
  type EntityId,
  platformCaller,
  ValueKind,
} from '@moorage/core';
import { deviceSecretOf, deviceTokenOf } from './credentials.ts';
import type { LinkIdentity } from './signature.ts';
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

export type IssuedToken =
  | { readonly outcome: 'issued'; readonly device: DeviceRef; readonly token: string }
  /** There is such a device, and it is not one that registers itself, or it has its token. */
  | { readonly outcome: 'active' }
  /** `reason`: why no device is made, where it is none of the server's faults. */
  | { readonly outcome: 'failed'; readonly reason?: string };

/** Gives devices that register themselves what they prove themselves with. */
export interface LinkSecrets {
  /** Durable when resolved. The same secret again until the device has connected, since its answer may have been lost. */
  issue(device: DeviceRef): Promise<IssuedSecret>;
  /** Makes the device of a product unless it is `known`, and gives it a token; else as `issue`. */
  admit(profileId: EntityId, identity: LinkIdentity, known: () => DeviceRef | null): Promise<IssuedToken>;
}

const FAILED = { outcome: 'failed' } as const;
const ACTIVE = { outcome: 'active' } as const;

/** Secrets among the credentials of the registry. `admission`: makes devices; absent: none are made. */
export function linkSecretsOf(
  devices: Pick<DeviceService, 'credentials' | 'saveCredentials'>,
  store: LinkStore,
  admission?: () => DeviceAdmission,
): LinkSecrets {
  const turns = new Turns();

  const has = async (device: DeviceRef, wanted: string): Promise<boolean> =>
    (await store.read(device, 'SERVER', [wanted])).length > 0;

  const again = async (device: DeviceRef, secret: string): Promise<IssuedSecret> =>
    (await has(device, REGISTERED_ATTRIBUTE)) && !(await has(device, CONNECTED_ATTRIBUTE))
      ? { outcome: 'issued', secret }
      : ACTIVE;

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

  const tokenOf = async (device: DeviceRef): Promise<IssuedToken> => {
    const found = await devices.credentials(platformCaller(device.tenantId), device.id);
    if (!found.ok || found.value.credentialsType !== 'ALIBABA') return FAILED;
    const token = deviceTokenOf(found.value.credentialsValue);
    return token === null ? ACTIVE : { outcome: 'issued', device, token };
  };

  const admit = async (
    profileId: EntityId,
    { productKey, deviceName }: LinkIdentity,
    present: DeviceRef | null,
  ): Promise<IssuedToken> => {
    if (present !== null) return (await has(present, CONNECTED_ATTRIBUTE)) ? ACTIVE : tokenOf(present);
    if (admission === undefined) return FAILED;
    const name = `${deviceName}&${productKey}`;
    // The registry draws the token, and that it was given out is part of the same commit.
    const created = await admission().create(profileId, [deviceName, name], {
      id: null,
      credentialsType: 'ALIBABA',
      credentialsId: name,
      credentialsValue: JSON.stringify({ productKey, deviceName, registered: true }),
      version: null,
    });
    if (created.outcome === 'created') return tokenOf(created.device);
    return created.outcome === 'refused' ? { outcome: 'failed', reason: created.reason } : FAILED;
  };

  return {
    issue: (device) => turns.run(device.id, () => issue(device)),
    admit: (profileId, identity, known) =>
      turns.run(`${identity.deviceName}&${identity.productKey}`, () => admit(profileId, identity, known())),
  };
}
