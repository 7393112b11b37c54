import type { DialectId } from '../../model/entities.ts';
import type { NameList } from '../../ports/repositories.ts';
import { hasControlCharacters } from '../text-rules.ts';

/** Longest user name, access token or Client Identifier that can be saved. */
const MAX_CONNECT_NAME_LENGTH = 255;
/** Longest password of a device or application. */
export const MAX_PASSWORD_LENGTH = 1024;

/** Taken in both lists: it opens a provisioning session. recognition.md, section 1 */
const RESERVED_NAME = 'provision';

const LINK_PARAMETERS = ['securemode=', 'signmethod=', 'authType='];

/** True for Client Identifiers that are recognised by form alone. recognition.md, section 3, R4 */
export function hasLinkForm(clientId: string): boolean {
  const first = clientId.indexOf('|');
  const last = clientId.length - 1;
  if (first === -1 || first === last || clientId.charAt(last) !== '|') return false;
  const parts = clientId.slice(first + 1, last).split(',');
  return parts.some((part) => LINK_PARAMETERS.some((parameter) => part.startsWith(parameter)));
}

/** Why a name cannot be shown at CONNECT, as the end of a sentence; null: it can. */
export function connectNameProblem(list: NameList, name: string): string | null {
  if (name === '') return 'is empty';
  if (name === RESERVED_NAME) return `is reserved: ${RESERVED_NAME}`;
  if (name.length > MAX_CONNECT_NAME_LENGTH) return `is longer than ${MAX_CONNECT_NAME_LENGTH} characters`;
  if (hasControlCharacters(name)) return 'has control characters';
  if (!name.isWellFormed()) return 'is not well-formed text';
  if (list === 'clientId' && hasLinkForm(name)) return 'has the form of an Alibaba Link client ID';
  return null;
}

/** The sentence for a name that another dialect holds; it names neither the device nor the tenant. */
export function takenText(list: NameList, holder: DialectId): string {
  const subject = list === 'username' ? 'user name' : 'client ID';
  return `This ${subject} is already in use by a credential of the dialect ${holder}`;
}
