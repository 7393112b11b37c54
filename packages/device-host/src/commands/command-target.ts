import type { DeliveryResult, SendResult } from '@moorage/core';
import type { DeviceCommand } from '@moorage/dialect-api';

/** What became of the try to hand a command over; nothing is routed here. */
export type Heard = Extract<SendResult, string>;

/** Told once what became of a command that was handed over. */
export type Delivered = (result: DeliveryResult) => void;

/** Something through which a device hears commands. */
export interface CommandTarget {
  /**
   * `connection` and `subDevice` mean that the device is present; a `listener` is a request that waits. The kind
   * decides the class.
   */
  readonly kind: 'connection' | 'subDevice' | 'listener';
  /** Hands a command over; `delivered` is told after `sent` and only then, possibly before this returns. */
  hear(command: DeviceCommand, delivered?: Delivered): Heard;
}
