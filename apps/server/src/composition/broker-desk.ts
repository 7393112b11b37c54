import type { Clock, Crypto, Registry, Scheduler } from '@moorage/core';
import { BrokerDesk, type DeskBroker, type DeviceHost } from '@moorage/device-host';
import type { Dialect } from '@moorage/dialect-api';
import type { SysOptions } from '@moorage/mqtt-broker';
import type { Configuration } from '../config/schema.ts';
import { describePacket } from './packet-summary.ts';
import { payloadText } from './payload-text.ts';

export interface BrokerDeskParts {
  readonly broker: DeskBroker;
  readonly host: Pick<DeviceHost, 'connectionsOf'>;
  readonly dialects: readonly Dialect[];
  readonly registry: Pick<Registry, 'deviceRef' | 'applicationRef' | 'credentials'>;
  readonly runtime: { readonly clock: Clock; readonly scheduler: Scheduler; readonly crypto: Pick<Crypto, 'uuid'> };
  readonly report: (error: unknown) => void;
}

/** Builds what the API shows of the broker and does with it. To be closed before the broker is. */
export function createBrokerDesk({ broker, host, dialects, registry, runtime, report }: BrokerDeskParts): BrokerDesk {
  return new BrokerDesk({
    broker,
    connectionsOf: (principalId) => host.connectionsOf(principalId),
    dialects,
    deviceRef: (id) => registry.deviceRef(id),
    applicationRef: (id) => registry.applicationRef(id),
    credentials: registry.credentials,
    clock: runtime.clock,
    scheduler: runtime.scheduler,
    uuid: () => runtime.crypto.uuid(),
    text: payloadText,
    describePacket,
    fault: report,
  });
}

/** What the broker is told about `$SYS`: nothing where it is switched off. */
export function sysTopics({ mqtt }: Configuration, version: string): { readonly sys?: SysOptions } {
  return mqtt.sysTopics === 'on' ? { sys: { version: `moorage ${version}` } } : {};
}

/** Figures of the whole server are for a tenant that is alone on it. */
export function serverFiguresFor(registry: { readonly tenants: Pick<Registry['tenants'], 'count'> }): () => boolean {
  return () => registry.tenants.count() === 1;
}
