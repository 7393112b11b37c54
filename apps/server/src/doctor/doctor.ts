import { existsSync, readFileSync } from 'node:fs';
import type { CommandContext } from '../cli/command-context.ts';
import { mayColour } from '../cli/command-context.ts';
import { loadConfiguration } from '../config/load-configuration.ts';
import { formatProblem } from '../config/problem.ts';
import { EXIT } from '../start-error.ts';
import { checkCertificate } from './certificate-checks.ts';
import { checkData } from './data-checks.ts';
import { type Finding, fail, ok } from './finding.ts';
import { checkClock, checkOpenFiles, checkPorts, checkVersions } from './machine-checks.ts';

const LIMITS = '/proc/self/limits';
const COLOURS = { ok: 32, warn: 33, fail: 31 };

/** Checks machine, configuration and data; the answer is the exit code: 1 if anything failed. */
export async function doctor(
  context: CommandContext,
  flags: ReadonlyMap<string, string>,
  options: { readonly json: boolean },
): Promise<number> {
  const findings = await examine(context, flags);
  const failed = findings.some(({ state }) => state === 'fail');
  if (options.json) context.stdout.write(`${JSON.stringify({ ok: !failed, findings })}\n`);
  else
    for (const finding of findings)
      context.stdout.write(line(finding, mayColour(context) && context.stdout.isTTY === true));
  return failed ? EXIT.failed : EXIT.ok;
}

async function examine(context: CommandContext, flags: ReadonlyMap<string, string>): Promise<Finding[]> {
  const { environment, workingFolder } = context;
  const versions = checkVersions(process.versions);
  const loaded = await loadConfiguration({ flags, environment, workingFolder });
  if (!loaded.ok) {
    const problems = loaded.problems.map((problem) => fail('configuration', formatProblem(problem), 'correct it'));
    return [...versions, ...problems, checkClock(Date.now(), null)];
  }
  const { configuration, file } = loaded;
  const data = checkData(configuration);
  const limitsText = existsSync(LIMITS) ? readFileSync(LIMITS, 'utf8') : null;
  const openFiles = checkOpenFiles(limitsText, configuration.mqtt.limits.connections);
  return [
    ...versions,
    ok('configuration', file ?? 'no file, defaults'),
    ...data.findings,
    checkClock(Date.now(), data.newestFileMs),
    ...(openFiles === null ? [] : [openFiles]),
    ...checkCertificate(configuration, Date.now()),
    ...(await checkPorts(configuration, data.serverRuns)),
  ];
}

function line({ check, state, message, fix }: Finding, colour: boolean): string {
  const label = colour ? `\u001b[${COLOURS[state]}m${state.padEnd(4)}\u001b[0m` : state.padEnd(4);
  return `${label}  ${check}: ${message}${fix === null ? '' : `\n      ${fix}`}\n`;
}
