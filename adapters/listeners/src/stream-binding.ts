/** A request that the kernel finishes later. */
export interface StreamRequest {
  handle: ConnectionHandle | null;
  /** What is being written, so that it stays alive. */
  buffer: Uint8Array | null;
  oncomplete: ((this: StreamRequest, status: number, handle: ConnectionHandle, error: unknown) => void) | null;
}

/** The handle of an accepted TCP connection inside Node. Numbers that are given are 0 or errors of libuv, below 0. */
export interface ConnectionHandle {
  /** Called with the number of bytes, or an error, in `StreamBinding`; must give undefined. */
  onread: (this: ConnectionHandle) => void;
  reading: boolean;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: StreamRequest, bytes: Uint8Array): number;
  /** 1: it is done already. */
  shutdown(request: StreamRequest): number;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, idleSeconds: number): number;
  getpeername(out: { address?: string; port?: number }): number;
  close(closed?: () => void): void;
  reset(closed?: () => void): number;
}

const METHODS = [
  ...['useUserBuffer', 'readStart', 'readStop', 'writeBuffer', 'shutdown'],
  ...['setNoDelay', 'setKeepAlive', 'getpeername', 'close', 'reset'],
];

export function isConnectionHandle(value: unknown): value is ConnectionHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    METHODS.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

/** What Node keeps beside its handles. */
export interface StreamBinding {
  newWrite(): StreamRequest;
  newShutdown(): StreamRequest;
  /** Bytes of the read that is being told, or its error. */
  readResult(): number;
  /** The last write did not end inside its call. */
  lastWriteWaits(): boolean;
}

type RequestClass = new () => StreamRequest;

/** null: this Node has it no more, or not as expected. */
export const streamBinding: StreamBinding | null = findBinding();

function findBinding(): StreamBinding | null {
  try {
    const load: unknown = Reflect.get(process, 'binding');
    if (typeof load !== 'function') return null;
    const found: unknown = Reflect.apply(load, process, ['stream_wrap']);
    if (typeof found !== 'object' || found === null) return null;
    const state: unknown = Reflect.get(found, 'streamBaseState');
    const read: unknown = Reflect.get(found, 'kReadBytesOrError');
    const async: unknown = Reflect.get(found, 'kLastWriteWasAsync');
    const Write: unknown = Reflect.get(found, 'WriteWrap');
    const Shutdown: unknown = Reflect.get(found, 'ShutdownWrap');
    if (!(state instanceof Int32Array) || typeof read !== 'number' || typeof async !== 'number') return null;
    if (!isRequestClass(Write) || !isRequestClass(Shutdown)) return null;
    return {
      newWrite: () => new Write(),
      newShutdown: () => new Shutdown(),
      readResult: () => state[read] ?? 0,
      lastWriteWaits: () => state[async] !== 0,
    };
  } catch {
    return null;
  }
}

function isRequestClass(value: unknown): value is RequestClass {
  return typeof value === 'function';
}
