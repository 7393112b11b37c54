import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Peer } from './peer.ts';

/** Debian's mosquitto as the peer of a comparison: one listener, on the first core, its defaults plus `settings`. */
export class Mosquitto implements Peer {
  readonly name: string;
  port = 0;
  readonly #settings: readonly string[];
  #child: ChildProcess | null = null;
  readonly #folder = mkdtempSync(join(tmpdir(), 'moorage-peer-'));

  constructor(name = 'mosquitto', settings: readonly string[] = []) {
    this.name = name;
    this.#settings = settings;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  async start(): Promise<void> {
    const binary = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((path) =>
      existsSync(path),
    );
    if (binary === undefined) throw new Error('mosquitto is missing; install it with: apt-get install mosquitto');
    this.port = await freePort();
    const configuration = join(this.#folder, 'mosquitto.conf');
    writeFileSync(
      configuration,
      `listener ${this.port} 127.0.0.1\nallow_anonymous true\n${this.#settings.join('\n')}\n`,
    );
    this.#child = spawn('taskset', ['-c', '0', binary, '-c', configuration], { stdio: 'ignore' });
    for (let attempt = 0; attempt < 200 && !(await answers(this.port)); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
