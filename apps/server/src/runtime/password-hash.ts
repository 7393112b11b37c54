import * as nodeCrypto from 'node:crypto';

/** Parameters for argon2id: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet). */
const ARGON2 = { memory: 19_456, passes: 2, parallelism: 1 };
/** Parameters for scrypt where Node has no argon2: N = 2^15, r = 8, p = 1; 32 MiB. */
const SCRYPT = { log2N: 15, r: 8, p: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** Above these a hash text is not ours, and checking it would cost a fortune. */
const MAX_MEMORY_KIB = 1_048_576;
const MAX_PASSES = 16;
const MAX_LOG2_N = 20;

interface Derivation {
  readonly salt: Buffer;
  readonly tag: Buffer;
  derive(password: string): Promise<Buffer>;
}

/** `Crypto.hashPassword`: text in the PHC string format, with algorithm, parameters and salt. */
export async function hashPassword(
  password: string,
  algorithm: 'argon2id' | 'scrypt' = typeof nodeCrypto.argon2 === 'function' ? 'argon2id' : 'scrypt',
): Promise<string> {
  const salt = nodeCrypto.randomBytes(SALT_BYTES);
  if (algorithm === 'argon2id') {
    const tag = await argon2id(password, salt, TAG_BYTES, ARGON2);
    return `$argon2id$v=19$m=${ARGON2.memory},t=${ARGON2.passes},p=${ARGON2.parallelism}$${text(salt)}$${text(tag)}`;
  }
  const tag = await scrypt(password, salt, TAG_BYTES, SCRYPT);
  return `$scrypt$ln=${SCRYPT.log2N},r=${SCRYPT.r},p=${SCRYPT.p}$${text(salt)}$${text(tag)}`;
}

/** `Crypto.verifyPassword`: false also for a hash text that is not understood or whose algorithm this Node lacks. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const stored = parseArgon2(hash) ?? parseScrypt(hash);
  if (stored === undefined) return false;
  const tag = await stored.derive(password);
  return tag.length === stored.tag.length && nodeCrypto.timingSafeEqual(tag, stored.tag);
}

function parseArgon2(hash: string): Derivation | undefined {
  const match = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([\w+/-]{11,128})\$([\w+/-]{16,128})$/.exec(
    hash,
  );
  if (match === null || typeof nodeCrypto.argon2 !== 'function') return undefined;
  const [memory = 0, passes = 0, parallelism = 0] = match.slice(1, 4).map(Number);
  if (parallelism < 1 || memory < 8 * parallelism || memory > MAX_MEMORY_KIB) return undefined;
  if (passes < 1 || passes > MAX_PASSES) return undefined;
  const salt = Buffer.from(match[4] ?? '', 'base64');
  const tag = Buffer.from(match[5] ?? '', 'base64');
  return { salt, tag, derive: (password) => argon2id(password, salt, tag.length, { memory, passes, parallelism }) };
}

function parseScrypt(hash: string): Derivation | undefined {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/-]{11,128})\$([\w+/-]{16,128})$/.exec(hash);
  if (match === null) return undefined;
  const [log2N = 0, r = 0, p = 0] = match.slice(1, 4).map(Number);
  if (log2N < 1 || log2N > MAX_LOG2_N || r < 1 || p < 1) return undefined;
  const salt = Buffer.from(match[4] ?? '', 'base64');
  const tag = Buffer.from(match[5] ?? '', 'base64');
  return { salt, tag, derive: (password) => scrypt(password, salt, tag.length, { log2N, r, p }) };
}

function argon2id(password: string, nonce: Buffer, tagLength: number, parameters: typeof ARGON2): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    nodeCrypto.argon2('argon2id', { message: message(password), nonce, tagLength, ...parameters }, (error, tag) => {
      if (error === null) resolve(tag);
      else reject(error);
    });
  });
}

function scrypt(password: string, salt: Buffer, length: number, { log2N, r, p }: typeof SCRYPT): Promise<Buffer> {
  const N = 2 ** log2N;
  return new Promise((resolve, reject) => {
    nodeCrypto.scrypt(message(password), salt, length, { N, r, p, maxmem: 256 * N * r }, (error, tag) => {
      if (error === null) resolve(tag);
      else reject(error);
    });
  });
}

/** One spelling for characters that keyboards compose differently. NIST SP 800-63B, 3.1.1.2 */
function message(password: string): Buffer {
  return Buffer.from(password.normalize('NFC'), 'utf8');
}

/** Base64 without padding, as the PHC string format has it. */
function text(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
