import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Commands of other people that the whole-system tests drive, and the Debian packages they come in. */
const CLIENTS = [
  { command: 'mosquitto_pub', package: 'mosquitto-clients' },
  { command: 'mosquitto_sub', package: 'mosquitto-clients' },
  { command: 'curl', package: 'curl' },
  { command: 'strace', package: 'strace' },
  { command: 'openssl', package: 'openssl' },
];

function present(command: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Installs what is missing where that is possible (root on Debian), else says exactly what is missing. */
export default function setup(): void {
  const missing = CLIENTS.filter((client) => !present(client.command));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((client) => client.package))];
  const advice = `these commands are needed by the tests: ${missing.map((client) => client.command).join(', ')}; install them with: apt-get install ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !present('apt-get')) throw new Error(advice);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore', timeout: 120_000 });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      env,
      stdio: 'ignore',
      timeout: 300_000,
    });
  } catch (cause) {
    throw new Error(advice, { cause });
  }
}

export interface ClientResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a client to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly input?: string } = {},
): Promise<ClientResult> {
  return new Promise((resolve) => {
    const child = execFile(command, [...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

/** The CoAP client of the npm package coap-cli. */
export const COAP = fileURLToPath(new URL('../../node_modules/.bin/coap', import.meta.url));
