import type { DeviceHttpAnswer } from '@moorage/dialect-api';
import type { AccountData, ThingscaleDevice } from '../data/account-data.ts';
import { isDeviceId } from '../text/names.ts';
import { formatTime } from '../text/times.ts';
import { changed, error, json } from './answers.ts';
import { BodyReader, bodyMembers } from './body-members.ts';
import { defined } from './defined.ts';
import type { RestCall, RestEntry } from './rest-route.ts';

/** `state` is shown once there is one, the option of ours once it is on. thingscale.md, 2.4 */
function deviceText(device: ThingscaleDevice, zone: string): string {
  return JSON.stringify({
    device_id: device.deviceId,
    description: device.description,
    enabled: device.enabled,
    mapped_ch: device.mappedChannel,
    device_type: device.deviceType,
    location: device.location,
    manufacturer: device.manufacturer,
    activate_at: formatTime(device.activateAt, zone),
    ...(device.state === null ? {} : { state: device.state }),
    ...(device.decodeMsgpack ? { decodeMsgpack: true } : {}),
  });
}

function list(devices: readonly ThingscaleDevice[], data: AccountData): string {
  return `[${devices.map((device) => deviceText(device, data.settings.timezone)).join(',')}]`;
}

/** The record as it is after a change. */
function oneText(data: AccountData, id: string): string {
  const device = data.device(id);
  return list(device === undefined ? [] : [device], data);
}

async function updateDevice({ request, desk, data, id = '' }: RestCall): Promise<DeviceHttpAnswer> {
  const members = bodyMembers(request.body, desk);
  if (members === undefined) return error('BAD_JSON_FORMAT');
  const body = new BodyReader(members);
  const changes = defined({
    description: body.text('description'),
    enabled: body.boolean('enabled'),
    mappedChannel: body.count('mapped_ch'),
    deviceType: body.text('device_type'),
    location: body.text('location'),
    manufacturer: body.text('manufacturer'),
    decodeMsgpack: body.boolean('decodeMsgpack'),
  });
  return changed(await data.updateDevice(id, changes), 200, () => oneText(data, id));
}

/** The device service. thingscale.md, 2.4 and 4.8 */
export const DEVICE_ROUTES: readonly RestEntry[] = [
  { method: 'GET', path: '/v2/device', handle: ({ data }) => json(200, list(data.devices(), data)) },
  {
    method: 'GET',
    path: '/v2/device/:id',
    handle: ({ data, id = '' }) => (data.device(id) === undefined ? error('NO_DEVICE') : json(200, oneText(data, id))),
  },
  {
    method: 'POST',
    path: '/v2/device/:id',
    async handle({ data, id = '' }) {
      if (!isDeviceId(id)) return error('BAD_JSON_FORMAT');
      return changed(await data.createDevice(id), 201, () => oneText(data, id));
    },
  },
  { method: 'PUT', path: '/v2/device/:id', handle: updateDevice },
  {
    method: 'DELETE',
    path: '/v2/device/:id',
    async handle({ data, id = '' }) {
      const removed = oneText(data, id);
      return changed(await data.deleteDevice(id), 200, () => removed);
    },
  },
];
