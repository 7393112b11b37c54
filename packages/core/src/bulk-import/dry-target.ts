import { type PlatformError, type Result, success } from '../errors.ts';
import type { ConnectCredential } from '../model/connect-registry.ts';
import type { Device } from '../model/entities.ts';
import type { Caller, CredentialsInput, DeviceService } from '../platform.ts';
import type { Crypto } from '../ports/runtime.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';
import { ConnectIndex, type Reservation } from '../registry/connect-index.ts';
import { CREDENTIAL_KINDS, namesOf, readCredentials } from '../registry/credentials/read-credentials.ts';
import { jsonProblem, nameProblem, textProblem } from '../registry/text-rules.ts';
import { type CredentialNames, clashesOf } from './credential-clashes.ts';
import type { DeviceLine } from './device-line.ts';
import { currentDevice, type ImportTarget, lineInput } from './import-target.ts';

export interface DryTargetOptions {
  readonly devices: Pick<DeviceService, 'byName'>;
  readonly credentials: CredentialNames;
  readonly crypto: Crypto;
}

/** Says of each line what would become of it, with the lines before it in mind, and writes nothing. */
export class DryTarget implements ImportTarget {
  readonly #options: DryTargetOptions;
  readonly #caller: Caller;
  /** Names and credentials that earlier lines would have taken. */
  readonly #created = new Set<string>();
  readonly #index = new ConnectIndex();
  readonly #reservations = new Map<string, Reservation>();
  /** Hash of the certificate by name of the device, and the reverse. */
  readonly #certificates = new Map<string, string>();
  readonly #certificateHolders = new Map<string, string>();

  constructor(options: DryTargetOptions, caller: Caller) {
    this.#options = options;
    this.#caller = caller;
  }

  async take(line: DeviceLine): Promise<Result<'created' | 'updated'>> {
    const current = await currentDevice(this.#options.devices, this.#caller, line.name);
    if (!current.ok) return current;
    const input = lineInput(line, current.value);
    const refusal =
      nameProblem('Device', input.name) ??
      textProblem('label', input.label) ??
      textProblem('type', input.type) ??
      jsonProblem('additionalInfo', input.additionalInfo) ??
      (line.credentials === null ? null : this.#credentialsProblem(line.name, line.credentials, current.value));
    if (refusal !== null) return refusal;
    const exists = current.value !== null || this.#created.has(line.name);
    this.#created.add(line.name);
    return success(exists ? 'updated' : 'created');
  }

  #credentialsProblem(name: string, input: CredentialsInput, current: Device | null): PlatformError | null {
    const read = readCredentials(input, this.#options.crypto);
    if (!read.ok) return read;
    const { credentialsType, credentialsId, clientId, generated } = read.value;
    const kind = CREDENTIAL_KINDS[credentialsType];
    const clash = clashesOf(read.value, this.#options.credentials).find(({ credential }) =>
      this.#isOther(credential, current),
    );
    const earlier = this.#certificateHolders.get(credentialsId);
    if (clash !== undefined && clash.claim !== null) return kind.taken(clash.claim.list, clash.dialect);
    if (clash !== undefined || (earlier !== undefined && earlier !== name)) {
      return commitRefusal({ change: 0, kind: 'unique', member: 'credentialsId' });
    }
    const reservation = this.#index.reserve(generated ? [] : namesOf(read.value, kind), name, clientId);
    if (!reservation.ok) return kind.taken(reservation.claim.list, reservation.holder);
    // What an earlier line gave the device is free again.
    this.#reservations.get(name)?.release();
    this.#reservations.set(name, reservation);
    this.#certificateHolders.delete(this.#certificates.get(name) ?? '');
    this.#certificates.delete(name);
    if (credentialsType === 'X509_CERTIFICATE') {
      this.#certificates.set(name, credentialsId);
      this.#certificateHolders.set(credentialsId, name);
    }
    return null;
  }

  /** Held by somebody else, whom no earlier line would have given other credentials. */
  #isOther({ device }: ConnectCredential, current: Device | null): boolean {
    if (device === null) return true;
    const isRenewed = device.tenantId === this.#caller.tenantId && this.#reservations.has(device.name);
    return device.id !== current?.id && !isRenewed;
  }
}
