import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../node_modules/.bin/moorage', import.meta.url));

export const ADMIN_EMAIL = 'admin@example.org';
export const ADMIN_PASSWORD = 'correct horse battery';

export interface ProcessOptions {
  /** Data folder; a new temporary one by default, removed by `dispose`. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** A command put in front, such as `taskset -c 0`. */
  readonly wrapper?: readonly string[];
}

/** A Moorage server in a process of its own, started as a stranger would: the command, flags, the environment. */
export class MoorageProcess {
  readonly dataDir: string;
  mqttPort = 0;
  httpPort = 0;
  /** Every port of the last start, by its name in the line that says ready. */
  ports: Readonly<Record<string, unknown>> = {};
  /** Everything it has said on standard error. */
  log = '';
  readonly #options: ProcessOptions;
  readonly #ownsDataDir: boolean;
  #child: ChildProcess | null = null;

  constructor(options: ProcessOptions = {}) {
    this.#options = options;
    this.#ownsDataDir = options.dataDir === undefined;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'moorage-test-'));
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Its standard error, for awaiting what it says next. */
  get output(): NodeJS.EventEmitter {
    const output = this.#child?.stderr ?? null;
    if (output === null) throw new Error('not started');
    return output;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  /** Resolves when the server says that it is ready; rejects with its output if it ends before. */
  async start(): Promise<void> {
    const args = [
      'start',
      '--data-dir',
      this.dataDir,
      '--host',
      '127.0.0.1',
      '--mqtt-port',
      String(this.mqttPort),
      '--http-port',
      String(this.httpPort),
      '--json',
      ...(this.#options.args ?? []),
    ];
    const [command = COMMAND, ...rest] = [...(this.#options.wrapper ?? []), COMMAND, ...args];
    const child = spawn(command, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        MOORAGE_ADMIN_EMAIL: ADMIN_EMAIL,
        MOORAGE_ADMIN_PASSWORD: ADMIN_PASSWORD,
        ...this.#options.env,
      },
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-200_000);
    });
    const ready = new Promise<void>((resolve, reject) => {
      if (child.stdout === null) return reject(new Error('no standard output'));
      createInterface(child.stdout).on('line', (line) => {
        const said = JSON.parse(line) as { ready?: boolean; ports?: { mqtt: number; http: number } };
        if (said.ready !== true || said.ports === undefined) return;
        this.ports = said.ports;
        this.mqttPort = said.ports.mqtt;
        this.httpPort = said.ports.http;
        resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`moorage ended with ${code ?? signal}:\n${this.log}`)));
    });
    await ready;
  }

  /** A port besides those of MQTT and HTTP; throws where it is not open. */
  port(name: 'mqtts' | 'ws' | 'wss' | 'combined' | 'coap'): number {
    const port = this.ports[name];
    if (typeof port !== 'number') throw new Error(`no port ${name} in ${JSON.stringify(this.ports)}`);
    return port;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  /** SIGKILL, and waits until the port is closed, so that it was the server that died. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
    if (await isOpen(this.mqttPort)) throw new Error('the server survived SIGKILL');
  }

  async dispose(): Promise<void> {
    await this.kill();
    if (this.#ownsDataDir) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
