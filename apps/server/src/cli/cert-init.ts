import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration } from '../config/load-configuration.ts';
import { EXIT, StartError } from '../start-error.ts';
import {
  type IssuedCertificate,
  issueAuthority,
  issueServerCertificate,
  type KeyKind,
} from '../tls/issue-certificate.ts';
import type { CommandContext } from './command-context.ts';
import { refuse } from './refuse.ts';

const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];
const HOST_NAME = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

export interface CertInitOptions {
  readonly json: boolean;
  /** Host names and addresses besides those of this machine. */
  readonly hosts: readonly string[];
  readonly keyKind: KeyKind;
}

/**
 * Makes an authority, or takes the one that is there, and a certificate for the server; the answer is the exit code. Run
 * again it renews the server's certificate, which devices that know the authority go on accepting.
 */
export async function certInit(
  context: CommandContext,
  flags: ReadonlyMap<string, string>,
  options: CertInitOptions,
): Promise<number> {
  const { environment, workingFolder, stderr } = context;
  const loaded = await loadConfiguration({ flags, environment, workingFolder });
  if (!loaded.ok) return refuse(context, loaded);
  const bad = options.hosts.find((name) => !isName(name));
  if (bad !== undefined) {
    stderr.write(`moorage: --host ${JSON.stringify(bad.slice(0, 80))} is neither a host name nor an address\n`);
    return EXIT.usage;
  }
  const { dataDir, publicHost } = loaded.configuration;
  const folder = join(dataDir, 'tls');
  try {
    const wanted = options.hosts.length > 0 ? options.hosts : namesOf(readIfThere(join(folder, 'server.crt')));
    const names = [...new Set([...wanted, ...(publicHost === null ? [] : [publicHost]), ...LOCAL_NAMES])];
    const files = await makeFiles(folder, names, options.keyKind);
    report(context, files, names, options.json);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof StartError) && !isSystemError(error)) throw error;
    stderr.write(`moorage: ${error.message}${error instanceof StartError && error.hint ? ` (${error.hint})` : ''}\n`);
    return EXIT.failed;
  }
}

interface CertificateFolder {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  readonly newAuthority: boolean;
  readonly validTo: string;
}

async function makeFiles(folder: string, names: readonly string[], keyKind: KeyKind): Promise<CertificateFolder> {
  const now = Date.now();
  const path = (name: string): string => join(folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const existing = readAuthority(path('ca.crt'), path('ca.key'));
  let authority = existing;
  if (authority === null) {
    const issued = await issueAuthority(`Moorage of ${hostname().slice(0, 40)}`, keyKind, now);
    write(path('ca.key'), issued.key);
    write(path('ca.crt'), issued.certificate);
    authority = { certificate: issued.certificate, key: createPrivateKey(issued.key) };
  }
  const issued: IssuedCertificate = await issueServerCertificate(authority, names, keyKind, now);
  write(path('server.key'), issued.key);
  write(path('server.crt'), `${issued.certificate}${authority.certificate}`);
  return {
    authority: path('ca.crt'),
    certificate: path('server.crt'),
    key: path('server.key'),
    newAuthority: existing === null,
    validTo: new Date(new X509Certificate(issued.certificate).validTo).toISOString(),
  };
}

/** The authority of an earlier run, or null. Throws `StartError` for half of one. */
function readAuthority(certificateFile: string, keyFile: string): { certificate: string; key: KeyObject } | null {
  const certificate = readIfThere(certificateFile);
  const key = readIfThere(keyFile);
  if (certificate === null && key === null) return null;
  const hint = 'put both files of the authority back, or move what is left of it away';
  if (certificate === null || key === null) {
    throw new StartError(`${certificate === null ? certificateFile : keyFile} is missing`, { hint });
  }
  try {
    const parsed = new X509Certificate(certificate);
    const secret = createPrivateKey(key);
    if (parsed.checkPrivateKey(secret)) return { certificate, key: secret };
  } catch (cause) {
    throw new StartError(`${certificateFile} or ${keyFile} is damaged`, { hint, cause });
  }
  throw new StartError(`${keyFile} does not belong to ${certificateFile}`, { hint });
}

/** Names of the certificate of an earlier run, so that it is renewed for the same. */
function namesOf(certificate: string | null): string[] {
  if (certificate === null) return [];
  try {
    const listed = new X509Certificate(certificate).subjectAltName ?? '';
    const names = listed.split(', ').map((entry) => entry.replace(/^(DNS|IP Address):/, ''));
    return names.filter((name) => isName(name) && name !== '0:0:0:0:0:0:0:1');
  } catch {
    // Damaged: the new one takes its place.
    return [];
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whole or not at all, and never readable by others. */
function write(file: string, text: string): void {
  const draft = `${file}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}

function report(context: CommandContext, files: CertificateFolder, names: readonly string[], json: boolean): void {
  const { authority, certificate, key, validTo, newAuthority } = files;
  if (json) {
    context.stdout.write(`${JSON.stringify({ authority, certificate, key, names, validTo, newAuthority })}\n`);
    return;
  }
  const lines = [
    `authority    ${authority}${newAuthority ? '' : ' (as before)'}`,
    `certificate  ${certificate}`,
    `key          ${key}`,
    `names        ${names.join(', ')}`,
    `valid until  ${validTo}`,
  ];
  context.stdout.write(`${lines.join('\n')}\n`);
  context.stderr.write(
    `Start the server with it:  moorage start --cert ${certificate} --key ${key}\nGive ${authority} to the devices, as the authority they trust.\n`,
  );
}

function isName(name: string): boolean {
  return name.length <= 253 && (isIP(name) !== 0 || HOST_NAME.test(name));
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
