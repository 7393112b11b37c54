import type { Point } from '@moorage/core';
import type { SensoroPlatform } from '../ports.ts';
import { jsonValue, newReading, type Reading } from '../push/readings.ts';
import type { ListedDevice } from './tenant-devices.ts';

/** Where a device is not told otherwise by its readings. */
const PLACE_ATTRIBUTES = ['longitude', 'latitude'];
const INTERVAL_KEY = 'interval';

interface Present {
  readonly data: Reading;
  readonly updatedTime: number;
}

/** The record of a device. sensoro.md, 4.7 */
export async function deviceRecord(platform: SensoroPlatform, device: ListedDevice): Promise<object> {
  const { id, sn, name, fields } = device;
  const { data, updatedTime } = await presentOf(platform, device);
  return {
    sn,
    deviceType: fields.deviceType,
    name,
    tags: fields.tags,
    lonlat: await placeOf(platform, device, data),
    interval: await intervalOf(platform, device, data),
    status: await statusOf(platform, id),
    updatedTime,
    data,
  };
}

/** The record of a station: a gateway of the owner. sensoro.md, 4.7 */
export async function stationRecord(platform: SensoroPlatform, device: ListedDevice): Promise<object> {
  const { data, updatedTime } = await presentOf(platform, device);
  const lonlat = await placeOf(platform, device, data);
  return {
    sn: device.sn,
    name: device.name,
    type: 'station',
    lonlat,
    status: await statusOf(platform, device.id),
    updatedTime,
  };
}

async function statusOf(platform: SensoroPlatform, id: string): Promise<'online' | 'offline'> {
  return (await platform.isActive(id)) ? 'online' : 'offline';
}

async function presentOf(platform: SensoroPlatform, { id, fields }: ListedDevice): Promise<Present> {
  const device = platform.device(id);
  const latest: ReadonlyMap<string, Point> = device === undefined ? new Map() : await platform.latest(device);
  const data = newReading();
  let updatedTime = 0;
  for (const [key, { kind, value, ts }] of latest) {
    data[fields.names.get(key) ?? key] = jsonValue(kind, value);
    updatedTime = Math.max(updatedTime, ts);
  }
  return { data, updatedTime };
}

/** `[longitude, latitude]`, empty where nobody knows it. */
async function placeOf(platform: SensoroPlatform, { id }: ListedDevice, data: Reading): Promise<readonly number[]> {
  const { lonlat, longitude, latitude } = data;
  if (Array.isArray(lonlat) && lonlat.length === 2) return numbersOf(lonlat);
  const told = numbersOf([longitude, latitude]);
  if (told.length > 0) return told;
  const attributes = await platform.attributes(id, 'SERVER', PLACE_ATTRIBUTES);
  return numbersOf(PLACE_ATTRIBUTES.map((name) => attributes.find(({ key }) => key === name)?.value));
}

function numbersOf(values: readonly unknown[]): readonly number[] {
  return values.every((value) => typeof value === 'number') ? (values as readonly number[]) : [];
}

/** Seconds: what the device said last, else what it was told last, else null. */
async function intervalOf(platform: SensoroPlatform, { id }: ListedDevice, data: Reading): Promise<number | null> {
  const { [INTERVAL_KEY]: told } = data;
  if (typeof told === 'number') return told;
  const [attribute] = await platform.attributes(id, 'SHARED', [INTERVAL_KEY]);
  return typeof attribute?.value === 'number' ? attribute.value : null;
}
