/** A CONNECT of a protocol level that is not spoken here: `bytes` is the whole CONNACK to send before closing. mqtt.md, 2.1 */
export class ConnectRejection {
  readonly kind = 'level';
  readonly bytes: Uint8Array;
  /** The level that was asked for. */
  readonly level: number;

  constructor(bytes: Uint8Array, level: number) {
    this.bytes = bytes;
    this.level = level;
  }
}
