import { parseJson } from '@moorage/core';
import type { DeviceHttpAnswer } from '@moorage/dialect-api';
import { encodeText } from '@moorage/dialect-api';
import type { SendCommand } from '../data/account-data.ts';
import { error, json } from './answers.ts';
import { bodyMembers, type Members } from './body-members.ts';
import type { HttpSide, RestCall, RestEntry } from './rest-route.ts';

/** Bytes. thingscale.md, 4.6 */
const MAXIMUM_PAYLOAD = 65_536;
/** A payload whose characters are all escaped, and what is around it. */
const PUBLISH_BODY_LIMIT = 6 * MAXIMUM_PAYLOAD + 4096;

/** A text as it is, anything else as compact JSON; undefined: there is none, or it is too long. */
function payloadOf(members: Members): Uint8Array | undefined {
  const text = members.get('payload');
  const value = text === undefined ? null : parseJson(text);
  if (text === undefined || value === null) return undefined;
  const payload = encodeText(typeof value === 'string' ? value.toWellFormed() : text);
  return payload.length > MAXIMUM_PAYLOAD ? undefined : payload;
}

/** undefined: a QoS that the service does not offer. thingscale.md, 1.1 */
function qosOf(members: Members): 0 | 1 | undefined {
  const text = members.get('qos') ?? '0';
  if (text === '0') return 0;
  return text === '1' ? 1 : undefined;
}

function deviceIdOf(members: Members): string | undefined {
  const id = parseJson(members.get('device_id') ?? 'null');
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

/** The publish service: commands for devices. thingscale.md, 4.6 */
export function publishRoutes(server: HttpSide, send: SendCommand): readonly RestEntry[] {
  const handle = async (call: RestCall): Promise<DeviceHttpAnswer> => {
    const members = bodyMembers(call.request.body, call.desk);
    const payload = members === undefined ? undefined : payloadOf(members);
    const qos = members === undefined ? undefined : qosOf(members);
    if (members === undefined || payload === undefined || qos === undefined) return error('BAD_JSON_FORMAT');
    const deviceId = call.id ?? deviceIdOf(members);
    if (deviceId === undefined) return error('BAD_JSON_FORMAT');
    const shown = call.data.device(deviceId);
    const device = server.credentials.accountDevice?.(call.applicationId, deviceId);
    if (shown === undefined || device === undefined) return error('NO_DEVICE');
    if (!shown.enabled) return error('DEVICE_DISABLED');
    const outcome = await send(call.application, device, payload, qos);
    return typeof outcome === 'string' ? error(outcome) : json(200, `{"result":"OK","receivers":${outcome.receivers}}`);
  };
  return ['/v1/publish', '/v1/publish/:id', '/v2/publish', '/v2/publish/:id'].map((path) => ({
    method: 'POST',
    path,
    bodyLimit: PUBLISH_BODY_LIMIT,
    handle,
  }));
}
