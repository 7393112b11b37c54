/** One of them makes a Client Identifier ours. recognition.md, R4 */
const OWN_PARAMETERS = ['securemode', 'signmethod', 'authType'];

/** A Client Identifier of the form `<base>|key=value,...|`. Section 1.2 */
export interface LinkClientId {
  /** What is signed as `clientId`; may be empty and says nothing about the device. */
  readonly base: string;
  /** By name; of equal names the last one. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Has one of the parameters that no other vendor's devices send. */
  readonly isOwn: boolean;
}

/**
 * Takes a Client Identifier apart: the first and the last bar delimit, since a value may hold bars itself. Empty parts
 * are ignored. undefined: there are no two bars.
 */
export function parseClientId(clientId: string): LinkClientId | undefined {
  const first = clientId.indexOf('|');
  const last = clientId.length - 1;
  if (first === -1 || first === last || clientId.charCodeAt(last) !== 0x7c) return undefined;
  const parameters = new Map<string, string>();
  let isOwn = false;
  for (const part of clientId.slice(first + 1, last).split(',')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    parameters.set(name, equals === -1 ? '' : part.slice(equals + 1));
    if (equals !== -1 && OWN_PARAMETERS.includes(name)) isOwn = true;
  }
  return { base: clientId.slice(0, first), parameters, isOwn };
}
