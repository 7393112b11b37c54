import { LoginThrottle } from '../accounts/login-throttle.ts';
import type { DeviceClaims, DeviceOutcome } from '../device-platform.ts';
import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import { type Device, NULL_ID } from '../model/entities.ts';
import type { Caller, ClaimOutcome, ClaimService } from '../platform.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import { authorize, authorizeRole } from '../registry/authorize.ts';
import type { DeviceAssignment } from '../registry/device-assignment.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { ValueKind } from '../values/value.ts';
import { CLAIMING_ALLOWED, CLAIMING_DATA, type ClaimWindow, isAllowed, windowOf, windowValue } from './claim-window.ts';
import type { ServerAttributes } from './server-attributes.ts';

export interface ClaimOptions {
  readonly attributes: ServerAttributes;
  /** How long a window is open when the device does not say, in milliseconds. */
  readonly durationMs: number;
  /** Every device without a customer may be claimed; else the attribute `claimingAllowed` decides. */
  readonly allowedByDefault: boolean;
}

/** Longer secrets open no window, so that the attribute stays small. */
const MAX_SECRET_LENGTH = 4096;
/** A window asked for is never longer: one year. */
const MAX_DURATION_MS = 31_536_000_000;

/** Claiming from both sides: devices open windows, customer users claim through them. thingsboard-device.md, 5 */
export class Claims implements DeviceClaims, ClaimService {
  readonly #context: RegistryContext;
  readonly #assignment: DeviceAssignment;
  readonly #options: ClaimOptions;
  /** Guesses of one customer at one device, since a window that a user wrote survives a wrong secret. */
  readonly #throttle: LoginThrottle;

  constructor(context: RegistryContext, assignment: DeviceAssignment, options: ClaimOptions) {
    this.#context = context;
    this.#assignment = assignment;
    this.#options = options;
    this.#throttle = new LoginThrottle(context.clock);
  }

  async open(device: DeviceRef, secretKey: string, durationMs: number | null): Promise<DeviceOutcome> {
    const { attributes, durationMs: usual, allowedByDefault } = this.#options;
    const { index, clock, locks } = this.#context;
    if (secretKey.length > MAX_SECRET_LENGTH) return 'stored';
    return locks.run(claimKey(device.id), async () => {
      const customerId = index.registration(device.id)?.customerId;
      if (customerId !== NULL_ID) return 'stored';
      if (!allowedByDefault) {
        const found = await attributes.read(device.id, [CLAIMING_ALLOWED]);
        if (!isAllowed(found.get(CLAIMING_ALLOWED))) return 'stored';
      }
      const asked = durationMs !== null && durationMs > 0 ? Math.min(durationMs, MAX_DURATION_MS) : usual;
      const expirationTime = clock.now() + Math.round(asked);
      const window: ClaimWindow = { secretKey, expirationTime, byDevice: true };
      return attributes.save(device.id, new Map([[CLAIMING_DATA, windowValue(window)]]));
    });
  }

  async claim(caller: Caller, deviceName: string, secretKey: string): Promise<Result<ClaimOutcome>> {
    const role = authorizeRole(caller, 'claim', 'device');
    if (role !== null) return role;
    const found = await this.#byName(caller, deviceName);
    if (!found.ok) return found;
    const { id } = found.value;
    return this.#context.locks.run(claimKey(id), () => this.#claim(caller, id, secretKey));
  }

  async reclaim(caller: Caller, deviceName: string): Promise<Result<null>> {
    const role = authorizeRole(caller, 'read', 'device');
    if (role !== null) return role;
    const found = await this.#byName(caller, deviceName);
    if (!found.ok) return found;
    const device = found.value;
    if (device.customerId === NULL_ID) return success(null);
    const refusal = authorize(caller, 'read', 'device', device);
    if (refusal !== null) return refusal;
    return this.#context.locks.run(claimKey(device.id), async () => {
      const { attributes, allowedByDefault } = this.#options;
      // What is left of an earlier window would let somebody claim the device again at once.
      const removed = await attributes.remove(device.id, [CLAIMING_DATA]);
      if (removed !== 'stored') return storeRefusal(removed);
      if (!allowedByDefault) {
        const allowed = new Map([[CLAIMING_ALLOWED, { kind: ValueKind.Boolean, value: true }]]);
        const saved = await attributes.save(device.id, allowed);
        if (saved !== 'stored') return storeRefusal(saved);
      }
      const freed = await this.#assignment.set(device.id, NULL_ID, (now) => now.customerId === device.customerId);
      return freed.ok ? success(null) : freed;
    });
  }

  async #claim(caller: Caller, deviceId: string, secretKey: string): Promise<Result<ClaimOutcome>> {
    const { clock, crypto, index } = this.#context;
    const { attributes, allowedByDefault } = this.#options;
    if (index.registration(deviceId)?.customerId !== NULL_ID) return success({ response: 'CLAIMED' });
    const found = await attributes.read(deviceId, [CLAIMING_DATA, CLAIMING_ALLOWED]);
    const window = windowOf(found.get(CLAIMING_DATA));
    if (window === null) return success({ response: 'FAILURE' });
    if (!this.#throttle.begin(deviceId, caller.customerId)) return refuse('tooManyRequests');
    // A window that a user wrote is a permission of its own.
    const isClosed = window.byDevice && !allowedByDefault && !isAllowed(found.get(CLAIMING_ALLOWED));
    const isRight = crypto.equal(secretKey, window.secretKey);
    if (isClosed || !isRight || clock.now() >= window.expirationTime) {
      if (window.byDevice) {
        const removed = await attributes.remove(deviceId, [CLAIMING_DATA]);
        if (removed !== 'stored') return storeRefusal(removed);
      }
      return success({ response: 'FAILURE' });
    }
    this.#throttle.succeed(deviceId, caller.customerId);
    const assigned = await this.#assignment.set(deviceId, caller.customerId, (now) => now.customerId === NULL_ID);
    if (!assigned.ok) return assigned;
    if (assigned.value.customerId !== caller.customerId) return success({ response: 'CLAIMED' });
    // The device is the customer's now whatever becomes of this; a later claim meets CLAIMED first.
    await attributes.remove(deviceId, [CLAIMING_DATA, CLAIMING_ALLOWED]);
    return success({ response: 'SUCCESS', device: assigned.value });
  }

  async #byName(caller: Caller, deviceName: string): Promise<Result<Device>> {
    const device = await this.#context.repositories.deviceByName(caller.tenantId, deviceName);
    return device === null ? refuse('notFound') : success(device);
  }
}

function claimKey(deviceId: string): string {
  return `claim of ${deviceId}`;
}

function storeRefusal(outcome: Exclude<WriteOutcome, 'stored'>): PlatformError {
  return refuse(outcome === 'full' ? 'storageFull' : 'storageFailed');
}
