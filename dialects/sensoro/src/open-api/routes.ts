import type { DeviceHttpAnswer, DeviceHttpRoute } from '@moorage/dialect-api';
import { storedMessageId } from '../push/message-id.ts';
import { error, success } from './answers.ts';
import { readCustomData, readData, readInterval, readThreshold } from './command-body.ts';
import { type CommandTools, commandMany, commandOne } from './commands.ts';
import { deviceLog } from './device-log.ts';
import type { Gate, OpenApiCall } from './gate.ts';
import { listQuery, logQuery } from './query.ts';
import { deviceRecord, stationRecord } from './records.ts';
import type { ListedDevice } from './tenant-devices.ts';

export interface OpenApiTools extends CommandTools {
  readonly gate: Gate;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Records that are put together at the same time. */
const SLICE = 50;

/** The vendor's open API. sensoro.md, 4.7 */
export function openApiRoutes(tools: OpenApiTools): readonly DeviceHttpRoute[] {
  const { gate } = tools;
  return [
    gate.route('POST', '/developers/device/interval', ({ application, body }) =>
      commandMany(tools, application, readInterval(body)),
    ),
    gate.route('POST', '/developers/device/threshold', ({ application, body }) =>
      commandMany(tools, application, readThreshold(body)),
    ),
    gate.route('POST', '/developers/device/cdata', ({ application, body }) =>
      commandMany(tools, application, readCustomData(body)),
    ),
    gate.route('POST', '/developers/device/data', ({ application, body }) =>
      commandOne(tools, application, readData(body)),
    ),
    gate.route('GET', '/developers/device/list', (call) => list(tools, call, false)),
    gate.route('GET', '/developers/station/list', (call) => list(tools, call, true)),
    gate.route('GET', '/developers/device/:sn', async (call) => {
      const device = await named(tools, call);
      return device === undefined ? error(5020404) : success(await deviceRecord(tools.platform, device));
    }),
    gate.route('GET', '/developers/device/:sn/log', (call) => log(tools, call)),
    gate.route('GET', '/developers/station/:sn', async (call) => {
      const device = await named(tools, call);
      return device?.gateway === true ? success(await stationRecord(tools.platform, device)) : error(5020405);
    }),
  ];
}

function named({ directory }: OpenApiTools, { application, parameters }: OpenApiCall) {
  return directory.find(application, parameters.sn ?? '');
}

async function list(tools: OpenApiTools, call: OpenApiCall, stations: boolean): Promise<DeviceHttpAnswer> {
  const wanted = listQuery(call.query);
  if (wanted === null) return error(5020416);
  const { page, count } = wanted;
  const all = await tools.directory.list(call.application);
  const devices = stations ? all.filter(({ gateway }) => gateway) : all;
  const shown = devices.slice((page - 1) * count, page * count);
  const record = (device: ListedDevice) => (stations ? stationRecord : deviceRecord)(tools.platform, device);
  const items: object[] = [];
  for (let start = 0; start < shown.length; start += SLICE) {
    items.push(...(await Promise.all(shown.slice(start, start + SLICE).map(record))));
  }
  return success({ items, total: devices.length, page, count });
}

async function log(tools: OpenApiTools, call: OpenApiCall): Promise<DeviceHttpAnswer> {
  const { platform, now } = tools;
  const wanted = logQuery(call.query, now());
  if (wanted === null) return error(5020416);
  const device = await named(tools, call);
  const ref = device === undefined ? undefined : platform.device(device.id);
  if (device === undefined || ref === undefined) return error(5020404);
  const { sn, fields, id } = device;
  const entries = await deviceLog(platform, ref, fields.names, wanted);
  return success(
    entries.map(({ createdTime, data }) => ({
      sn,
      deviceType: fields.deviceType,
      createdTime,
      msgId: storedMessageId(id, createdTime),
      data,
    })),
  );
}
