import type { EntityId, OtaChunkIntent, OtaDownload } from '@moorage/core';
import type { PayloadSource } from '@moorage/dialect-api';
import type { DeviceConnection } from '../device-connection.ts';
import type { HostContext } from '../host-context.ts';
import { MAXIMUM_INFLIGHT_MESSAGES, MAXIMUM_PAYLOAD_BYTES } from '../intents/session-limits.ts';
import { OtaBinding } from './ota-binding.ts';

/** Request numbers of one connection whose packages are kept open; beyond it the one not used for longest is closed. */
const MAXIMUM_BINDINGS = 8;
/** Bytes of chunks that the device has not taken yet; beyond it nothing more is read for it. */
const UNTAKEN_BYTES = 65_536;
const EMPTY = new Uint8Array(0);

interface ChunkRequest {
  readonly deviceId: EntityId;
  readonly intent: OtaChunkIntent;
}

/**
 * Sends parts of packages on one connection, in the order of the requests, with at most one read under way and no more
 * chunks in memory than the device takes. thingsboard-device.md, 7.3
 */
export class OtaQueue {
  readonly #context: HostContext;
  readonly #connection: DeviceConnection;
  /** The last used one last. */
  readonly #bindings = new Map<string, OtaBinding>();
  readonly #waiting: ChunkRequest[] = [];
  #reading = false;
  #untakenBytes = 0;
  #closed = false;

  constructor(context: HostContext, connection: DeviceConnection) {
    this.#context = context;
    this.#connection = connection;
  }

  request(deviceId: EntityId, intent: OtaChunkIntent): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MAXIMUM_INFLIGHT_MESSAGES) {
      this.#refuse(intent, 'failed', 'ota_refused');
      return;
    }
    this.#waiting.push({ deviceId, intent });
    this.#next();
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const binding of this.#bindings.values()) binding.release();
    this.#bindings.clear();
  }

  #next(): void {
    if (this.#reading) return;
    while (!this.#closed && this.#untakenBytes < UNTAKEN_BYTES) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      // What is taken while it is sent asks for the next one: not from inside this call.
      this.#reading = true;
      if (!this.#serveAtOnce(request)) {
        this.#context.otaReads.enter(() => this.#serve(request));
        return;
      }
      this.#reading = false;
    }
  }

  /** Most chunks are in memory, for many devices ask for the same ones: no read, no promise. */
  #serveAtOnce({ deviceId, intent }: ChunkRequest): boolean {
    if (intent.size === 0 || intent.size > MAXIMUM_PAYLOAD_BYTES) return false;
    const key = keyOf(deviceId, intent);
    const binding = this.#bindings.get(key);
    const download = binding?.download ?? null;
    if (binding === undefined || download === null) return false;
    const offset = intent.offset ?? intent.chunk * intent.size;
    const payload = download.peek?.(offset, intent.size) ?? null;
    if (payload === null) return false;
    binding.chunkSize = intent.size;
    if (this.#bindings.size > 1) this.#bindingOf(key, deviceId, intent);
    this.#send(intent, payload, download.size);
    return true;
  }

  async #serve({ deviceId, intent }: ChunkRequest): Promise<void> {
    try {
      if (!this.#closed) await this.#answer(deviceId, intent);
    } catch (error) {
      this.#context.fault(error);
      this.#refuse(intent, 'failed', 'ota_failed');
    }
    this.#reading = false;
    this.#next();
  }

  async #answer(deviceId: EntityId, intent: OtaChunkIntent): Promise<void> {
    if (intent.size > MAXIMUM_PAYLOAD_BYTES) {
      this.#refuse(intent, 'tooLarge', 'ota_too_large');
      return;
    }
    const key = keyOf(deviceId, intent);
    const binding = this.#bindingOf(key, deviceId, intent);
    let download: Awaited<ReturnType<OtaBinding['opened']>>;
    try {
      download = await binding.opened();
    } catch (error) {
      this.#unbind(key, binding);
      throw error;
    }
    if (typeof download === 'string') {
      // A package that is assigned later is found by the same number.
      this.#unbind(key, binding);
      this.#refuse(intent, download, `ota_${download === 'notFound' ? 'not_found' : 'elsewhere'}`);
      return;
    }
    if (this.#closed) return;
    const payload = await this.#payload(binding, download, intent);
    if (!this.#closed) this.#send(intent, payload, download.size);
    else if (!(payload instanceof Uint8Array)) payload.close();
  }

  async #payload(binding: OtaBinding, download: OtaDownload, intent: OtaChunkIntent): Promise<PayloadSource> {
    if (intent.size > 0) binding.chunkSize = intent.size;
    const size = binding.chunkSize;
    if (size === 0) return intent.chunk === 0 && download.size > 0 ? binding.wholeFile(download) : EMPTY;
    const offset = intent.offset ?? intent.chunk * size;
    if (!(offset < download.size)) return EMPTY;
    return binding.read(download, offset, Math.min(size, download.size - offset));
  }

  #send(intent: OtaChunkIntent, payload: PayloadSource, fileSize: number): void {
    const { length } = payload;
    this.#untakenBytes += length;
    this.#connection.answer({ kind: 'otaChunk', ref: intent.ref, payload, fileSize }, (result) => {
      this.#untakenBytes -= length;
      // Larger than the client's Maximum Packet Size; or it is gone, and so is whom to tell.
      if (result === 'lost') this.#refuse(intent, 'tooLarge', 'ota_lost');
      this.#next();
    });
  }

  #refuse(intent: OtaChunkIntent, error: 'notFound' | 'elsewhere' | 'tooLarge' | 'failed', event: string): void {
    this.#context.count(event);
    if (!this.#closed) this.#connection.answer({ kind: 'otaError', ref: intent.ref, error });
  }

  #bindingOf(key: string, deviceId: EntityId, { type }: OtaChunkIntent): OtaBinding {
    let binding = this.#bindings.get(key);
    if (binding === undefined) {
      binding = new OtaBinding(() => this.#context.parts.platform.downloads.open(deviceId, type));
    } else {
      this.#bindings.delete(key);
    }
    this.#bindings.set(key, binding);
    if (this.#bindings.size > MAXIMUM_BINDINGS) this.#closeOldest();
    return binding;
  }

  #closeOldest(): void {
    for (const [key, binding] of this.#bindings) {
      this.#unbind(key, binding);
      return;
    }
  }

  #unbind(key: string, binding: OtaBinding): void {
    if (this.#bindings.get(key) !== binding) return;
    this.#bindings.delete(key);
    binding.release();
  }
}

function keyOf(deviceId: EntityId, { type, requestId }: OtaChunkIntent): string {
  return `${deviceId}/${type}/${requestId}`;
}
