import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { ChecksumAlgorithm, OtaPackage } from '../model/ota.ts';
import { hasControlCharacters, jsonProblem, textProblem } from '../registry/text-rules.ts';
import { checksumAlgorithm } from './checksums/checksum.ts';
import type { OtaPackageInput } from './ota-service.ts';

const MAX_URL_LENGTH = 2048;
/** Longest name of a file, in characters. */
const MAX_FILE_NAME_LENGTH = 255;
const HEX = /^[0-9a-f]{8,128}$/;
const CONTENT_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

/** Members that are fixed once a package exists. thingsboard-server.md, 5 */
const FIXED = ['type', 'title', 'version', 'tag', 'deviceProfileId', 'url'] as const;

/** Refuses texts that are missing, too long or not fit to be shown; null: the input is fine. */
export function packageProblem(input: OtaPackageInput): PlatformError | null {
  if (input.title.trim() === '') return refuse('badRequest', 'OtaPackage title should be specified!');
  if (input.version.trim() === '') return refuse('badRequest', 'OtaPackage version should be specified!');
  return (
    textProblem('title', input.title) ??
    textProblem('version', input.version) ??
    textProblem('tag', input.tag) ??
    urlProblem(input.url) ??
    jsonProblem('additionalInfo', input.additionalInfo)
  );
}

/** Refuses a change of what is fixed; null: nothing of it changes. */
export function fixedProblem(current: OtaPackage, input: OtaPackageInput): PlatformError | null {
  const changed = FIXED.find((member) => current[member] !== input[member]);
  return changed === undefined ? null : refuse('badRequest', `Updating otaPackage ${changed} is prohibited!`);
}

/** What is known of the file behind an address. */
export function remoteFile(
  input: OtaPackageInput,
): Result<Pick<OtaPackage, 'dataSize' | 'checksum' | 'checksumAlgorithm'>> {
  const { dataSize } = input;
  if (dataSize !== null && !(Number.isSafeInteger(dataSize) && dataSize >= 0)) {
    return refuse('badRequest', 'Validation error: dataSize must not be negative');
  }
  const checksum = checksumText(input.checksum);
  if (checksum === null) return success({ dataSize, checksum: null, checksumAlgorithm: null });
  const algorithm = readAlgorithm(input.checksumAlgorithm);
  if (!algorithm.ok) return algorithm;
  if (!HEX.test(checksum)) return refuse('badRequest', 'Validation error: checksum must be hex');
  return success({ dataSize, checksum, checksumAlgorithm: algorithm.value });
}

/** The algorithm of this name. The uploader has to give one. thingsboard-device.md, 7.1 */
export function readAlgorithm(name: string | null): Result<ChecksumAlgorithm> {
  if (name === null || name === '') return refuse('badRequest', 'OtaPackage checksum algorithm should be specified!');
  const algorithm = checksumAlgorithm(name);
  return algorithm === undefined
    ? refuse('badRequest', `Unknown checksum algorithm: ${name.slice(0, 64)}!`)
    : success(algorithm);
}

/** A checksum as it is compared; null: none is given. */
export function checksumText(given: string | null): string | null {
  const text = given?.trim().toLowerCase() ?? '';
  return text === '' ? null : text;
}

/** The last part of a file's name without what may not stand in a header or a path; `firmware.bin` if nothing is left. */
export function safeFileName(given: string): string {
  const last = given.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const readable = [...last].filter((character) => !hasControlCharacters(character)).join('');
  const cut = readable.trim().slice(0, MAX_FILE_NAME_LENGTH).toWellFormed();
  return cut === '' || cut === '.' || cut === '..' ? 'firmware.bin' : cut;
}

/** A content type without parameters; the general one for what is none. */
export function safeContentType(given: string): string {
  const bare = given.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return bare.length <= 128 && CONTENT_TYPE.test(bare) ? bare : 'application/octet-stream';
}

function urlProblem(url: string | null): PlatformError | null {
  if (url === null) return null;
  if (url.trim() === '') return refuse('badRequest', 'Ota package URL should be specified!');
  if (url.length <= MAX_URL_LENGTH && !hasControlCharacters(url) && url.isWellFormed()) return null;
  return refuse('badRequest', `Validation error: url must be one line of at most ${MAX_URL_LENGTH} characters`);
}
