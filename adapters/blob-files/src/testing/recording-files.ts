import { basename } from 'node:path';
import { type FileSystem, NODE_FILE_SYSTEM, type OpenFile } from '../file-system.ts';

/** The real file system with a record of the calls that change or read something, and with faults on demand; for tests. */
export class RecordingFiles implements FileSystem {
  /** `call name`, in the order in which they succeeded. */
  readonly calls: string[] = [];
  /** Error codes by call; the call fails with it as long as it is here. */
  readonly faults = new Map<string, string>();
  openFiles = 0;

  /** How often a call has succeeded. */
  count(call: string): number {
    return this.calls.filter((one) => one.startsWith(`${call} `)).length;
  }

  async open(path: string, flags: 'r' | 'wx', mode?: number): Promise<OpenFile> {
    const file = await this.#do('open', path, () => NODE_FILE_SYSTEM.open(path, flags, mode));
    this.openFiles += 1;
    return {
      read: (...parameters) => this.#do('read', path, () => file.read(...parameters)),
      write: (...parameters) => this.#do('write', path, () => file.write(...parameters)),
      stat: () => this.#do('stat', path, () => file.stat()),
      sync: () => this.#do('sync', path, () => file.sync()),
      close: async () => {
        await file.close();
        this.openFiles -= 1;
        await this.#do('close', path, async () => {});
      },
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do('rename', to, () => NODE_FILE_SYSTEM.rename(from, to));
  }

  unlink(path: string): Promise<void> {
    return this.#do('unlink', path, () => NODE_FILE_SYSTEM.unlink(path));
  }

  readdir(path: string): Promise<readonly string[]> {
    return this.#do('readdir', path, () => NODE_FILE_SYSTEM.readdir(path));
  }

  mkdir(path: string, options: { readonly recursive: true; readonly mode: number }): Promise<unknown> {
    return this.#do('mkdir', path, () => NODE_FILE_SYSTEM.mkdir(path, options));
  }

  async #do<T>(call: string, path: string, work: () => Promise<T>): Promise<T> {
    const name = `${call} ${basename(path)}`;
    const code = this.faults.get(call) ?? this.faults.get(name);
    if (code !== undefined) throw Object.assign(new TypeError(`${code} on demand`), { code });
    const result = await work();
    this.calls.push(name);
    return result;
  }
}
