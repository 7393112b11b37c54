import type { Json } from '../../model/entities.ts';
import { hasControlCharacters } from '../text-rules.ts';

const MAX_LENGTH = 2048;
/** Scheme, host by name or address with an optional port, and whatever follows; neither user nor backslash. */
const URL_FORM = /^https?:\/\/(?:[^\s/?#@:[\]\\]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?:[/?#]\S*)?$/i;

/** Why an address cannot be told of things, as the end of a sentence; null: it can. */
export function webhookUrlProblem(url: Json): string | null {
  if (typeof url !== 'string') return 'is not a text';
  if (url.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  const [authority = ''] = /^[a-z]*:\/\/[^/?#\\]*/i.exec(url) ?? [];
  if (authority.includes('@')) return 'has a user name or password in it';
  const [, port] = URL_FORM.exec(url) ?? [undefined, null];
  if (port === null || hasControlCharacters(url) || !url.isWellFormed()) return 'is not an http or https address';
  return port === undefined || Number(port) <= 65_535 ? null : 'has a port that does not exist';
}
