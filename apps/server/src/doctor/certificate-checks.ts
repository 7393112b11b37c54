import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Configuration } from '../config/schema.ts';
import { readServerCertificate, validity } from '../tls/server-certificate.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const OPEN_TO_OTHERS = 0o007;
const SOON_DAYS = 30;

/** Checks certificate and key: that they are there, fit each other, and are in their time. Nothing without TLS. */
export function checkCertificate({ tls, publicHost }: Configuration, nowMs: number): Finding[] {
  const { certificate, key, clientCa } = tls;
  if (certificate === null || key === null) return [];
  const read = readServerCertificate({ certificate, key, clientCa });
  if (!read.ok) return [fail('certificate', read.message, 'correct tls.certificate, tls.key or the files')];
  const { leaf } = read.certificate;
  const renew = 'renew it; for one of moorage cert init run that again';
  const { state, days } = validity(leaf, nowMs);
  const findings: Finding[] = [];
  if (state === 'expired') findings.push(fail('certificate', `${certificate} expired on ${leaf.validTo}`, renew));
  else if (state === 'early') {
    const fix = 'wait, or set the clock of this machine';
    findings.push(fail('certificate', `${certificate} is valid from ${leaf.validFrom} only`, fix));
  } else if (days < SOON_DAYS) {
    findings.push(warn('certificate', `${certificate} expires on ${leaf.validTo}`, renew));
  } else {
    findings.push(ok('certificate', `${certificate} is valid until ${leaf.validTo} and fits its key`));
  }
  if (
    publicHost !== null &&
    (isIP(publicHost) === 0 ? leaf.checkHost(publicHost) : leaf.checkIP(publicHost)) === undefined
  ) {
    const fix = 'devices that check the name will refuse it: get one for that name, or correct publicHost';
    findings.push(warn('certificate name', `${certificate} is not for ${publicHost}`, fix));
  }
  if (process.platform !== 'win32' && (statSync(key).mode & OPEN_TO_OTHERS) !== 0) {
    findings.push(warn('certificate key', `${key} is open to other users`, `run: chmod 600 ${key}`));
  }
  return findings;
}
