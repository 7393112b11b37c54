import type { DeviceHttpAnswer } from '@moorage/dialect-api';
import type { SensoroApplication } from '../applications.ts';
import type { SensoroPlatform } from '../ports.ts';
import { error, info, type OpenApiError, success } from './answers.ts';
import type { SensoroCommand } from './command-body.ts';
import type { DeviceDirectory } from './device-directory.ts';
import type { ScheduleNumbers } from './schedule-numbers.ts';
import type { ListedDevice } from './tenant-devices.ts';

export interface CommandTools {
  readonly platform: SensoroPlatform;
  readonly directory: DeviceDirectory;
  readonly numbers: ScheduleNumbers;
}

interface Sorted {
  readonly ok: { readonly sn: string; readonly taskId: number }[];
  readonly unsupportSns: string[];
  readonly unexistSns: string[];
}

/** Has many devices told; says of each what became of it. sensoro.md, 4.7 */
export async function commandMany(
  tools: CommandTools,
  application: SensoroApplication,
  command: SensoroCommand | OpenApiError,
): Promise<DeviceHttpAnswer> {
  if (typeof command === 'number') return error(command);
  const scheduleNo = tools.numbers.nextSchedule();
  const sorted: Sorted = { ok: [], unsupportSns: [], unexistSns: [] };
  for (const sn of command.serials) {
    const device = await tools.directory.find(application, sn);
    if (device === undefined) sorted.unexistSns.push(sn);
    else {
      const outcome = await send(tools, device, command);
      if (outcome === 'failed') return info('failed');
      if (outcome === 'taken') sorted.ok.push({ sn: device.sn, taskId: tools.numbers.nextTask() });
      else sorted.unsupportSns.push(sn);
    }
  }
  return success({ scheduleNo, ...sorted });
}

/** Has one device told. sensoro.md, 2.5 */
export async function commandOne(
  tools: CommandTools,
  application: SensoroApplication,
  command: SensoroCommand | OpenApiError,
): Promise<DeviceHttpAnswer> {
  if (typeof command === 'number') return error(command);
  const device = await tools.directory.find(application, command.serials[0] ?? '');
  if (device === undefined) return error(5020404);
  const scheduleNo = tools.numbers.nextSchedule();
  return (await send(tools, device, command)) === 'failed' ? info('failed') : success({ scheduleNo });
}

async function send({ platform }: CommandTools, device: ListedDevice, { values, deviceType }: SensoroCommand) {
  if (deviceType !== null && device.fields.deviceType !== deviceType) return 'notSupported';
  const ref = platform.device(device.id);
  return ref === undefined ? 'notSupported' : platform.command(ref, values);
}
