import type { DeviceRef } from '@moorage/core';
import type { HostContext } from '../host-context.ts';
import type { SubDevice } from './sub-device.ts';

/** Tells gateways what the server did to the devices behind them. thingsboard-device.md, 8 */
export class GatewayNotices {
  readonly #context: HostContext;

  constructor(context: HostContext) {
    this.#context = context;
  }

  /** The session goes on under the name that the gateway knows, until the gateway takes up the new one. */
  deviceChanged(subDevice: SubDevice, device: DeviceRef): void {
    const before = subDevice.device?.name ?? subDevice.name;
    subDevice.device = device;
    if (before === device.name) return;
    this.#notify(subDevice, 'gateway_device_renamed', JSON.stringify(Object.fromEntries([[before, device.name]])));
  }

  deleted(subDevice: SubDevice): void {
    this.#notify(subDevice, 'gateway_device_deleted', JSON.stringify(subDevice.device?.name ?? subDevice.name));
  }

  #notify(subDevice: SubDevice, method: string, params: string): void {
    const gateway = subDevice.connection.principal.device;
    if (gateway !== null) this.#context.parts.notifyGateway(gateway.id, method, params);
  }
}
