import type { ByteStream, StreamHandler } from '@moorage/mqtt-broker';

/** Collects what a stream tells, with promises for what is to come. */
export function record() {
  const chunks: Uint8Array[] = [];
  const closes: (Error | null)[] = [];
  let wantedBytes = Number.POSITIVE_INFINITY;
  let received = 0;
  let drains = 0;
  let onBytes = (): void => undefined;
  let onDrain = (): void => undefined;
  let onClose = (): void => undefined;
  const handler: StreamHandler = {
    onData(chunk) {
      chunks.push(chunk.slice());
      received += chunk.length;
      if (received >= wantedBytes) onBytes();
    },
    onDrain() {
      drains++;
      onDrain();
    },
    onClose(error) {
      closes.push(error);
      onClose();
    },
  };
  return {
    handler,
    closes,
    get received() {
      return received;
    },
    get drains() {
      return drains;
    },
    bytes: () => Buffer.concat(chunks),
    gotBytes: (count: number) =>
      new Promise<void>((resolve) => {
        wantedBytes = count;
        onBytes = resolve;
        if (received >= count) resolve();
      }),
    drained: () =>
      new Promise<void>((resolve) => {
        onDrain = resolve;
      }),
    closed: () =>
      new Promise<void>((resolve) => {
        onClose = resolve;
        if (closes.length > 0) resolve();
      }),
  };
}

/** Lets the kernel and the event loop hand over what is on its way. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export const BLOCK = new Uint8Array(64 * 1024).fill(7);

/** Writes until the kernel takes no more; returns how many bytes were handed over. */
export async function fill(stream: ByteStream): Promise<number> {
  let written = 0;
  for (let quiet = 0; quiet < 5; ) {
    if (stream.writableLength === 0) {
      quiet = 0;
      stream.write(BLOCK);
      written += BLOCK.length;
    } else {
      quiet++;
    }
    await turns(1);
  }
  return written;
}
