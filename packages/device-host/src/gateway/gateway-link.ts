import type { Completion, DeviceIntent, DeviceRef, GatewayDevices, SubDeviceIntent } from '@moorage/core';
import { ReasonCode } from '@moorage/dialect-api';
import type { InboundMessage } from '@moorage/mqtt-broker';
import type { DeviceConnection } from '../device-connection.ts';
import type { HostContext, Objection } from '../host-context.ts';
import { type Effects, isEffect } from '../intents/effects.ts';
import type { Requests } from '../intents/requests.ts';
import { pointsIn } from '../message-cost.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from '../options.ts';
import { SubDevice, type WaitingMessage } from './sub-device.ts';

type Ensured = Awaited<ReturnType<GatewayDevices['ensure']>>;

/** What a waiting message costs beside its payload, estimated. */
const MESSAGE_BYTES = 200;

const TAKEN_OVER = 'the device connected through a gateway';

function quota(reason: string): Objection {
  return { reasonCode: ReasonCode.QuotaExceeded, reason, close: false };
}

const TOO_MANY_DEVICES = quota('too many devices are behind this gateway');
const TOO_MANY_WAIT = quota('too many messages wait for the devices of this gateway');

/** The devices behind one gateway connection. thingsboard-device.md, 8 */
export class GatewayLink {
  readonly connection: DeviceConnection;
  readonly #context: HostContext;
  readonly #effects: Effects;
  readonly #requests: Requests;
  readonly #limits: GatewayLimits;
  readonly #byName = new Map<string, SubDevice>();
  /** Devices to be looked up or made, in order. */
  #line: SubDevice[] = [];
  #lineHead = 0;
  #creations = 0;
  #waitingMessages = 0;
  #waitingBytes = 0;
  #closed = false;

  constructor(context: HostContext, effects: Effects, requests: Requests, connection: DeviceConnection) {
    this.#context = context;
    this.#effects = effects;
    this.#requests = requests;
    this.connection = connection;
    this.#limits = { ...DEFAULT_GATEWAY_LIMITS, ...context.options.gateway };
  }

  get size(): number {
    return this.#byName.size;
  }

  /**
   * Carries out what the gateway says for one device, at once or as soon as the device exists; the token is held until
   * then. `shares`: how many devices the message names.
   */
  speak(intent: SubDeviceIntent, message: InboundMessage, token: Completion, shares: number): Objection | null {
    const { name, type, intents, exclusive = false } = intent;
    const known = this.#byName.get(name);
    if (known === undefined && this.#byName.size >= this.#limits.subDevices) return this.#refuse(TOO_MANY_DEVICES);
    if (known !== undefined && known.waiting === null) {
      if (exclusive) this.#displace(known);
      return this.#perform(known, intents, message.receivedAt, token);
    }
    const bytes = MESSAGE_BYTES + Math.ceil(message.payload.length / Math.max(shares, 1));
    if (!this.#hasRoom(bytes)) return this.#refuse(TOO_MANY_WAIT);
    token.hold();
    const subDevice = known ?? this.#enter(name, type, []);
    subDevice.exclusive ||= exclusive;
    this.#wait(subDevice, { intents, receivedAt: message.receivedAt, token, bytes });
    return null;
  }

  /** The gateway says that a device has left; one that is not there is fine. */
  leave(name: string): Objection | null {
    const known = this.#byName.get(name);
    if (known === undefined) return null;
    if (known.waiting === null) {
      this.end(known);
      return null;
    }
    if (!this.#hasRoom(MESSAGE_BYTES)) return this.#refuse(TOO_MANY_WAIT);
    this.#wait(known, { intents: null, receivedAt: 0, token: null, bytes: MESSAGE_BYTES });
    return null;
  }

  /** Ends the session of one device; the gateway may connect it again. */
  end(subDevice: SubDevice): void {
    if (this.#byName.get(subDevice.name) !== subDevice) return;
    this.#byName.delete(subDevice.name);
    if (subDevice.device !== null) this.#context.absent(subDevice.device.id, subDevice);
  }

  /** Ends the session of one device and tells the gateway, which may connect it again. */
  dismiss(subDevice: SubDevice, reasonCode: ReasonCode): void {
    this.end(subDevice);
    this.#tellClosed(subDevice.name, reasonCode);
  }

  /** The gateway is gone, and every device behind it. What was received is carried out all the same. */
  close(): void {
    this.#closed = true;
    this.endAll();
  }

  /** Ends the session of every device, as when the device is a gateway no longer. */
  endAll(): void {
    for (const subDevice of [...this.#byName.values()]) this.end(subDevice);
  }

  #hasRoom(bytes: number): boolean {
    const { waitingMessages, waitingBytes } = this.#limits;
    return this.#waitingMessages < waitingMessages && this.#waitingBytes + bytes <= waitingBytes;
  }

  #refuse(objection: Objection): Objection {
    this.#context.count('gateway_overflow');
    return objection;
  }

  #wait(subDevice: SubDevice, message: WaitingMessage): void {
    this.#waitingMessages++;
    this.#waitingBytes += message.bytes;
    subDevice.waiting?.push(message);
  }

  /** Begins to look a device up. */
  #enter(name: string, type: string | null, waiting: WaitingMessage[]): SubDevice {
    const subDevice = new SubDevice(this, name, type, waiting);
    if (!this.#closed) this.#byName.set(name, subDevice);
    this.#line.push(subDevice);
    this.#look();
    return subDevice;
  }

  #look(): void {
    while (this.#creations < this.#limits.creations) {
      const subDevice = this.#line[this.#lineHead];
      if (subDevice === undefined) {
        this.#line = [];
        this.#lineHead = 0;
        return;
      }
      this.#lineHead++;
      this.#creations++;
      this.#ensure(subDevice).catch((error: unknown) => this.#context.fault(error));
    }
  }

  async #ensure(subDevice: SubDevice): Promise<void> {
    const answer = await this.#find(subDevice);
    this.#creations--;
    this.#look();
    if (answer.outcome === 'found') this.#found(subDevice, answer.device);
    else this.#notFound(subDevice, answer);
  }

  async #find({ name, type }: SubDevice): Promise<Ensured> {
    const gateway = this.connection.principal.device;
    if (gateway === null) return { outcome: 'refused', reason: 'the connection is not one of a gateway' };
    try {
      return await this.#context.parts.platform.gateways.ensure(gateway, name, type);
    } catch (error) {
      this.#context.fault(error);
      return { outcome: 'failed' };
    }
  }

  #found(subDevice: SubDevice, found: DeviceRef): void {
    const { parts, options } = this.#context;
    const device = options.deviceRef(found.id) ?? found;
    subDevice.device = device;
    subDevice.sink = parts.ingest.sink(device.id);
    subDevice.limiter = options.limits?.limiterOf(device, 'subDevice') ?? null;
    if (this.#byName.get(subDevice.name) === subDevice) this.#open(subDevice, device);
    const waiting = subDevice.waiting ?? [];
    subDevice.waiting = null;
    for (const [index, message] of waiting.entries()) {
      if (!this.#settle(subDevice, message)) {
        this.#comeBack(subDevice, waiting.slice(index + 1));
        return;
      }
    }
  }

  #open(subDevice: SubDevice, device: DeviceRef): void {
    for (const other of this.#context.targets.of(device.id)) {
      // The gateway has taken up the new name of a device that was renamed.
      if (other.kind === 'subDevice' && other.link === this) this.end(other);
    }
    if (subDevice.exclusive) this.#displace(subDevice);
    this.#context.present(device.id, subDevice);
    this.#context.parts.platform.commands.listening(device.id);
  }

  /** Ends every other connection of the device and its sessions behind other gateways, which are told. */
  #displace({ device }: SubDevice): void {
    if (device === null) return;
    for (const other of this.#context.targets.of(device.id)) {
      if (other.kind === 'subDevice' && other.link !== this) other.link.dismiss(other, ReasonCode.SessionTakenOver);
      else if (other.kind === 'connection') other.handle?.disconnect(ReasonCode.SessionTakenOver, TAKEN_OVER);
    }
  }

  /** Carries out one message that waited; false: the device has left. */
  #settle(subDevice: SubDevice, { intents, receivedAt, token, bytes }: WaitingMessage): boolean {
    this.#waitingMessages--;
    this.#waitingBytes -= bytes;
    if (intents === null || token === null) {
      this.end(subDevice);
      return false;
    }
    try {
      const objection = this.#perform(subDevice, intents, receivedAt, token);
      this.#release(token, objection);
    } catch (error) {
      this.#context.fault(error);
      token.release('failed');
    }
    return true;
  }

  /** The gateway has spoken for the device again since it left: that takes a new session. */
  #comeBack({ name, type }: SubDevice, messages: WaitingMessage[]): void {
    if (messages.length > 0) this.#enter(name, type, messages);
  }

  #notFound(subDevice: SubDevice, answer: Exclude<Ensured, { readonly outcome: 'found' }>): void {
    const waiting = subDevice.waiting ?? [];
    subDevice.waiting = null;
    this.end(subDevice);
    const { connection } = this;
    const objection =
      answer.outcome === 'refused' ? quota(`device behind the gateway refused: ${answer.reason}`) : null;
    if (objection !== null) {
      this.#context.count('gateway_device_refused');
      this.#context.notes.note(connection, 'message', objection.reasonCode, objection.reason);
      this.#tellClosed(subDevice.name, ReasonCode.UnspecifiedError);
    }
    for (const { token, bytes } of waiting) {
      this.#waitingMessages--;
      this.#waitingBytes -= bytes;
      if (objection !== null && token !== null) this.#release(token, objection);
      else token?.release(answer.outcome === 'full' ? 'full' : 'failed');
    }
  }

  /** Ends the wait of a message. `full` is told as 0x97 on 5.0; 3.x has no word for it and is acknowledged. */
  #release(token: Completion, objection: Objection | null): void {
    if (objection === null) {
      token.release('stored');
      return;
    }
    const { reasonCode, reason, close } = objection;
    const { handle } = this.connection;
    if (close) handle?.disconnect(reasonCode, reason);
    token.release(handle?.level === 5 ? 'full' : 'stored');
  }

  #perform(
    subDevice: SubDevice,
    intents: readonly DeviceIntent[],
    receivedAt: number,
    token: Completion,
  ): Objection | null {
    const { device, sink, limiter } = subDevice;
    if (device === null || sink === null) return null;
    if (limiter !== null && !limiter.take(pointsIn(intents))) return this.#throttle(subDevice);
    this.#context.parts.activity.active(device.id);
    let objection: Objection | null = null;
    for (const intent of intents) {
      if (isEffect(intent)) this.#effects.perform(device, sink, intent, receivedAt, token);
      else objection = this.#requests.perform(this.connection, device, subDevice.name, intent) ?? objection;
    }
    return objection;
  }

  /** 5.0: the session of the device ends and the gateway is told; 3.x has no word for it. thingsboard-device.md, 8 */
  #throttle(subDevice: SubDevice): Objection {
    const { connection } = this;
    const reason = 'a device behind the gateway is over its rate limit';
    this.#context.count('sub_device_throttled');
    const about = subDevice.device?.id ?? null;
    this.#context.notes.note(connection, 'message', ReasonCode.QuotaExceeded, 'over the rate limit', about);
    this.dismiss(subDevice, ReasonCode.MessageRateTooHigh);
    return connection.handle?.level === 5
      ? quota(reason)
      : { reasonCode: ReasonCode.ImplementationSpecificError, reason, close: true };
  }

  #tellClosed(name: string, reasonCode: ReasonCode): void {
    const { connection } = this;
    if (connection.handle === null) return;
    const messages = connection.session.subDeviceClosed?.(name, reasonCode) ?? [];
    if (messages.length > 0) connection.push(messages);
  }
}
