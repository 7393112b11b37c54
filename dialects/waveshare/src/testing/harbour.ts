import type { ApplicationRef, RpcOutcome } from '@moorage/core';
import { DeviceHost } from '@moorage/device-host';
import type { ProtocolLevel } from '@moorage/mqtt-codec';
import { type ConnectFields, DialectHarbour, type RawClient } from '@moorage/testkit';
import { WaveshareDialect } from '../dialect.ts';
import { type TestDevice, testRegistry } from './test-registry.ts';

/** The dialect with these devices and accounts behind a real broker. */
export class Harbour extends DialectHarbour {
  static async open(devices: readonly TestDevice[], accounts: readonly ApplicationRef[] = []): Promise<Harbour> {
    const credentials = testRegistry(devices, accounts);
    const harbour = new Harbour({
      dialect: (time) => new WaveshareDialect({ credentials, now: () => time.now(), sampleResource: false }),
      host: (options) => new DeviceHost(options),
      credentials,
      devices: devices.map(({ device }) => device),
      applications: accounts,
    });
    await harbour.start();
    return harbour;
  }

  /** A connection of a device; throws unless it is let in. */
  connect({ clientId }: TestDevice, level: ProtocolLevel = 4, fields: ConnectFields = {}): RawClient {
    const client = this.accept(level);
    const { reasonCode } = client.connect({ clientId, ...fields });
    if (reasonCode !== 0) throw new TypeError(`${clientId} is refused with ${reasonCode}`);
    return client;
  }

  /** A call by the API, and what became of it once it has settled. */
  async call({ device }: TestDevice, method: string, params: string): Promise<RpcOutcome | undefined> {
    const outcomes = this.request({ device, method, params, oneway: true, timeoutMs: 10_000 });
    await this.settle();
    return outcomes[0];
  }
}
