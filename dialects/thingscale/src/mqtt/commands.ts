import { type CredentialLookup, type DeviceRef, formatValues, type Value } from '@moorage/core';
import { type DeviceCommand, encodeText, type RoutedCommand } from '@moorage/dialect-api';
import type { SendCommand } from '../data/account-data.ts';
import type { ThingscaleServer } from '../ports.ts';
import { commandTopic } from './topics.ts';

/** Bytes. thingscale.md, 4.6 */
const MAXIMUM_PAYLOAD = 65_536;

/** The account of a device; null: it is none of this dialect's. */
export function accountOf(device: DeviceRef, registry: CredentialLookup): string | null {
  return placeOf(device, registry)?.account ?? null;
}

/** Where a device of this dialect belongs, and what it is called there. */
function placeOf(
  device: DeviceRef,
  registry: CredentialLookup,
): { readonly account: string; readonly deviceId: string } | undefined {
  const credential = registry.ofDevice?.(device.id);
  if (credential?.credentialsType !== 'THINGSCALE') return undefined;
  const account = credential.secret?.('accountId') ?? null;
  const deviceId = credential.secret?.('deviceId') ?? null;
  return account === null || deviceId === null ? undefined : { account, deviceId };
}

/**
 * Commands of the platform; the vendor's are free text, so these are JSON: `{"method","params"}` for a call, an object of
 * the values for shared attributes, null for those that were deleted.
 */
export function routedCommand(
  device: DeviceRef,
  command: DeviceCommand,
  registry: CredentialLookup,
): RoutedCommand | 'notSupported' | 'tooLarge' {
  const place = placeOf(device, registry);
  if (place === undefined) return 'notSupported';
  const payload = encodeText(commandText(command));
  if (payload.length > MAXIMUM_PAYLOAD) return 'tooLarge';
  const message = { topicName: commandTopic(place.deviceId), payload, qos: 1 as const };
  return { account: place.account, messages: [message], spacingMs: 0 };
}

function commandText(command: DeviceCommand): string {
  if (command.kind === 'rpc') {
    return `{"method":${JSON.stringify(command.method)},"params":${command.params === '' ? 'null' : command.params}}`;
  }
  const values = command.values ?? new Map<string, Value>();
  const deleted = (command.deleted ?? []).filter((key) => !values.has(key));
  const members = [formatValues(values).slice(1, -1), ...deleted.map((key) => `${JSON.stringify(key)}:null`)];
  return `{${members.filter((member) => member !== '').join(',')}}`;
}

/** The publish service: sends a payload as it is. thingscale.md, 4.6 */
export function commandSender(server: Pick<ThingscaleServer, 'credentials' | 'publish'>): SendCommand {
  return async (application, device, payload, qos) => {
    const place = placeOf(device, server.credentials);
    if (place === undefined || place.account !== application.application?.id) return 'failed';
    return server.publish(device.tenantId, place.account, { topicName: commandTopic(place.deviceId), payload, qos });
  };
}
