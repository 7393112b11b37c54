import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const PROGRAM = fileURLToPath(new URL('python-program.py', import.meta.url));
const ENVIRONMENT = fileURLToPath(new URL('../../.cache/python-client', import.meta.url));
const PYTHON = `${ENVIRONMENT}/bin/python`;
/** What was installed last, whole. */
const INSTALLED = `${ENVIRONMENT}/installed.txt`;

interface Run {
  readonly ok: boolean;
  readonly output: string;
  readonly complaint: string;
}

function run(command: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const options = {
      timeout: 240_000,
      maxBuffer: 16_777_216,
      env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
    };
    execFile(command, args, options, (error, output, complaint) => {
      resolve({ ok: error === null, output, complaint: complaint === '' ? (error?.message ?? '') : complaint });
    });
  });
}

/** Makes the virtual environment with the client in it, once; throws a sentence that names what is missing. */
export async function installPythonClient(): Promise<void> {
  const wanted = readFileSync(REQUIREMENTS, 'utf8');
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === wanted) return;
  if (!(await run('python3', ['--version'])).ok) {
    throw new Error('python3 is missing: these tests run the official Python client and need Python 3.9 or later');
  }
  const made = await run('python3', ['-m', 'venv', '--clear', ENVIRONMENT]);
  if (!made.ok) {
    throw new Error(`python3 cannot make a virtual environment (Debian: package python3-venv): ${lastLine(made)}`);
  }
  if (!(await run(PYTHON, ['-m', 'pip', '--version'])).ok) {
    throw new Error('pip is missing in the virtual environment (Debian: package python3-pip)');
  }
  const filled = await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS]);
  if (!filled.ok) {
    throw new Error(
      `pip could not install the packages of test/clients/requirements.txt; is the network there? ${lastLine(filled)}`,
    );
  }
  writeFileSync(INSTALLED, wanted);
}

function lastLine({ complaint }: Run): string {
  return complaint.trim().split('\n').at(-1) ?? '';
}

/** Runs a part of the program; resolves with what it printed. */
// biome-ignore lint/suspicious/noExplicitAny: what the parts print is of every shape
export async function runPython(...args: readonly string[]): Promise<any> {
  const { ok, output, complaint } = await run(PYTHON, [PROGRAM, ...args]);
  if (!ok) throw new Error(complaint.slice(-4000));
  return JSON.parse(output);
}
