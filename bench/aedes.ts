import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Peer } from './peer.ts';

/** aedes on the same Node, concurrency 1000, TCP_NODELAY, on the first core. */
export class AedesPeer implements Peer {
  readonly name = 'aedes';
  port = 0;
  #child: ChildProcess | null = null;

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  async start(): Promise<void> {
    const script = fileURLToPath(new URL('./aedes-peer.ts', import.meta.url));
    const child = spawn('taskset', ['-c', '0', process.execPath, script], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    if (child.stdout === null) throw new Error('no standard output');
    const lines = createInterface(child.stdout);
    this.port = await new Promise((resolve, reject) => {
      lines.once('line', (line) => resolve(Number(line)));
      child.once('exit', (code) => reject(new Error(`aedes ended with ${code}`)));
    });
  }

  async stop(): Promise<void> {
    if (this.#child === null || this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
