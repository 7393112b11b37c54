import { Claims } from '../claiming/claims.ts';
import type { ServerAttributes } from '../claiming/server-attributes.ts';
import type { DeviceAdmission, DeviceClaims, DeviceProvisioning, GatewayDevices } from '../device-platform.ts';
import { GatewayRegistry } from '../gateways/gateway-devices.ts';
import type { ClaimService } from '../platform.ts';
import { ProfileDevices } from '../provisioning/device-admission.ts';
import { DeviceRoom } from '../provisioning/device-room.ts';
import { Provisioning } from '../provisioning/provisioning-service.ts';
import { RepeatWindows } from '../provisioning/repeat-windows.ts';
import type { DeviceAssignment } from './device-assignment.ts';
import type { DeviceWrites } from './device-writes.ts';
import type { RegistryContext } from './registry-context.ts';

export interface OnboardingOptions {
  readonly attributes: ServerAttributes;
  /** How long a claim is open when the device does not say, in milliseconds. Default 86,400,000. */
  readonly claimDurationMs?: number;
  /** Devices without a customer may be claimed unless said otherwise. Default true. thingsboard-server.md, 2.8 */
  readonly claimingAllowed?: boolean;
  /** How long a provisioning request may be repeated, in milliseconds; 0: never. Default 600,000. */
  readonly repeatWindowMs?: number;
  /** Devices of a tenant beyond which gateways and products create none; null: no limit. Default null. */
  readonly deviceLimit?: number | null;
}

/** How devices come in and find their owner. */
export interface Onboarding {
  /** For users. */
  readonly claims: ClaimService;
  /** For devices. */
  readonly deviceClaims: DeviceClaims;
  readonly provisioning: DeviceProvisioning;
  readonly gateways: GatewayDevices;
  readonly admission: DeviceAdmission;
  /** Resolves when nothing is written in the background; call it before the stores are closed. */
  settled(): Promise<void>;
}

/** Joins the use cases of coming in with the registry; reads what an earlier run left. */
export async function openOnboarding(
  context: RegistryContext,
  parts: { readonly writes: DeviceWrites; readonly assignment: DeviceAssignment },
  options: OnboardingOptions,
  report: (error: unknown) => void,
): Promise<Onboarding> {
  const { attributes } = options;
  const windows = new RepeatWindows(context, options.repeatWindowMs ?? 600_000, report);
  await windows.load();
  const claims = new Claims(context, parts.assignment, {
    attributes,
    durationMs: options.claimDurationMs ?? 86_400_000,
    allowedByDefault: options.claimingAllowed ?? true,
  });
  const provisioning = new Provisioning(context, parts.writes, attributes, windows);
  const room = new DeviceRoom(context.index, options.deviceLimit ?? null);
  const gateways = new GatewayRegistry(context, parts.writes, room);
  const admission = new ProfileDevices(context, parts.writes, room);
  // Devices are told of a store that cannot be read as of one that cannot be written.
  const failed = (error: unknown) => {
    report(error);
    return 'failed' as const;
  };
  return {
    claims,
    deviceClaims: {
      open: (device, secretKey, durationMs) => claims.open(device, secretKey, durationMs).catch(failed),
    },
    provisioning: {
      provision: (request) => provisioning.provision(request).catch(failed),
      connected: (deviceId) => provisioning.connected(deviceId),
    },
    gateways: {
      ensure: (gateway, name, type) =>
        gateways.ensure(gateway, name, type).catch((error) => ({ outcome: failed(error) })),
    },
    admission: {
      create: (profileId, names, credentials) =>
        admission.create(profileId, names, credentials).catch((error) => ({ outcome: failed(error) })),
    },
    settled: () => windows.settled(),
  };
}
