import {
  type ClaimIntent,
  type DeviceIntent,
  type DeviceRef,
  type ProvisionRequest,
  VALUE_FAULT_TEXTS,
  type ValueFault,
  ValueReader,
  type ValueReadOptions,
} from '@moorage/core';
import type { DeviceDesk } from '@moorage/dialect-api';
import { decodeClaim, OPEN_CLAIM } from '../claiming.ts';
import { type ClientCall, decodeClientCall } from '../client-rpc.ts';
import { type Members, readMembers } from '../json-members.ts';
import { isProblem, type Problem } from '../payload-context.ts';
import { decodeAttributes, decodeTelemetry, isFault, type Reading, readOptions } from '../payloads.ts';
import { decodeProvisionRequest, MAXIMUM_PROVISION_MEMBERS } from '../provisioning.ts';

/** Most values of one body; MQTT messages are shorter and have fewer. */
const MAXIMUM_VALUES = 100_000;
/** Members of a request; unknown ones are ignored. */
const MAXIMUM_MEMBERS = 64;

/** A body that cannot be read; `tooLarge`: it can, but holds too much. */
export interface BodyProblem extends Problem {
  readonly tooLarge: boolean;
}

/** Reads the bodies of HTTP and CoAP requests, which are those of MQTT. */
export class DeviceBodies {
  private readonly reader = new ValueReader();

  telemetry(body: Uint8Array, device: DeviceRef, desk: DeviceDesk): readonly DeviceIntent[] | BodyProblem {
    return intentsOf(decodeTelemetry(this.reader, body, desk, optionsFor(device), desk.now()));
  }

  attributes(body: Uint8Array, device: DeviceRef, desk: DeviceDesk): readonly DeviceIntent[] | BodyProblem {
    return intentsOf(decodeAttributes(this.reader, body, desk, optionsFor(device), desk.now()));
  }

  /** The body is optional. Section 5.1 */
  claim(body: Uint8Array, desk: DeviceDesk): ClaimIntent | Problem {
    if (body.length === 0) return OPEN_CLAIM;
    const members = this.members(body, desk, MAXIMUM_MEMBERS);
    return isProblem(members) ? members : decodeClaim(members);
  }

  /** Over HTTP and CoAP the parameters have to be there. Section 9 */
  clientCall(body: Uint8Array, desk: DeviceDesk): ClientCall | Problem {
    const members = this.members(body, desk, MAXIMUM_MEMBERS);
    if (isProblem(members)) return members;
    return members.has('params') ? decodeClientCall(members) : { problem: 'The call has no params.' };
  }

  provision(body: Uint8Array, desk: DeviceDesk): ProvisionRequest | Problem | 'malformed' {
    const members = this.members(body, desk, MAXIMUM_PROVISION_MEMBERS);
    return isProblem(members) ? 'malformed' : decodeProvisionRequest(members);
  }

  isJsonObject(body: Uint8Array, desk: DeviceDesk): boolean {
    return typeof this.reader.readMembers(body, desk, MAXIMUM_VALUES) === 'object';
  }

  private members(body: Uint8Array, desk: DeviceDesk, maximum: number): Members | Problem {
    const members = readMembers(this.reader, body, desk, maximum);
    return typeof members === 'string' ? problemOf(members) : members;
  }
}

function optionsFor({ settings }: DeviceRef): ValueReadOptions {
  return { ...readOptions(settings.castStrings), maximumValues: MAXIMUM_VALUES };
}

function problemOf(fault: ValueFault): BodyProblem {
  return { problem: VALUE_FAULT_TEXTS[fault], tooLarge: fault === 'tooManyValues' };
}

function intentsOf(reading: Reading): readonly DeviceIntent[] | BodyProblem {
  if (reading === null) return [];
  return isFault(reading) ? problemOf(reading) : [reading];
}
