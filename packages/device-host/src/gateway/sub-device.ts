import type { Completion, DeviceIntent, DeviceRef, TelemetrySink } from '@moorage/core';
import type { DeviceCommand } from '@moorage/dialect-api';
import type { CommandTarget, Delivered, Heard } from '../commands/command-target.ts';
import type { DeviceConnection } from '../device-connection.ts';
import type { MessageLimiter } from '../options.ts';
import type { GatewayLink } from './gateway-link.ts';

/** A message that waits until its device exists. */
export interface WaitingMessage {
  /** null: the gateway says that the device has left. */
  readonly intents: readonly DeviceIntent[] | null;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** Held while the message waits; null with `intents`. */
  readonly token: Completion | null;
  readonly bytes: number;
}

/** A device behind a gateway, from the first message that names it until it leaves. thingsboard-device.md, 8 */
export class SubDevice implements CommandTarget {
  /** As the gateway calls it, also after the device was renamed. */
  readonly name: string;
  /** Name of the profile, should the device have to be made. */
  readonly type: string | null;
  readonly link: GatewayLink;
  /** null until it was found or made. */
  device: DeviceRef | null = null;
  sink: TelemetrySink | null = null;
  limiter: MessageLimiter | null = null;
  /** When it is found, whoever else speaks for the device is told that it does not any more. */
  exclusive = false;
  /** null: nothing waits, and nothing has to. */
  waiting: WaitingMessage[] | null;

  constructor(link: GatewayLink, name: string, type: string | null, waiting: WaitingMessage[]) {
    this.link = link;
    this.name = name;
    this.type = type;
    this.waiting = waiting;
  }

  get kind(): 'subDevice' {
    return 'subDevice';
  }

  get connection(): DeviceConnection {
    return this.link.connection;
  }

  hear(command: DeviceCommand, delivered?: Delivered): Heard {
    const { connection } = this;
    if (connection.handle === null) return 'notConnected';
    const messages = connection.session.subDeviceCommand?.(this.name, command) ?? 'notSupported';
    if (typeof messages === 'string') return messages;
    connection.push(messages, delivered);
    return 'sent';
  }
}
