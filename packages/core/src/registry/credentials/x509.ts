import { refuse, success } from '../../errors.ts';
import type { CredentialReader } from './credential-form.ts';
import { MAX_VALUE_LENGTH } from './value-text.ts';

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The base64 DER text of the first certificate of a PEM text, without header lines and line breaks; undefined: none. */
export function certificateText(pem: string): string | undefined {
  if (pem.length > MAX_VALUE_LENGTH) return undefined;
  const begin = pem.indexOf(BEGIN);
  const start = begin === -1 ? 0 : begin + BEGIN.length;
  const end = pem.indexOf(END, start);
  const text = pem.slice(start, end === -1 ? pem.length : end).replaceAll(/\s/g, '');
  return BASE64.test(text) ? text : undefined;
}

/** X509_CERTIFICATE: the id is SHA3-256 over the base64 DER text. thingsboard-device.md, 1.4 */
export const readX509: CredentialReader = (request, crypto) => {
  const text = certificateText(request.credentialsValue ?? '');
  if (text === undefined) return refuse('badRequest', 'Certificate is not a PEM text!');
  return success({
    credentialsType: 'X509_CERTIFICATE',
    credentialsId: crypto.sha3_256(text),
    credentialsValue: text,
    username: null,
    clientId: null,
    generated: false,
  });
};
