import { formatValues } from '@moorage/core';
import type { DeviceCommand } from '@moorage/dialect-api';
import { formatRpc } from '../payloads.ts';
import { isRequestId } from '../topics.ts';

/** `{"id":1,"method":"m","params":P}`; undefined: not an RPC with a number. Section 9 */
export function rpcText(command: DeviceCommand): string | undefined {
  if (command.kind !== 'rpc' || !isRequestId(command.id)) return undefined;
  return formatRpc(command.method, command.params, `"id":${Number(command.id)},`);
}

/** Written values and deleted names, each a text of its own; empty: not of shared attributes. Section 3.4 */
export function attributeTexts(command: DeviceCommand): readonly string[] {
  if (command.kind !== 'sharedAttributes') return [];
  const texts: string[] = [];
  if (command.values !== null) texts.push(formatValues(command.values));
  if (command.deleted !== null) texts.push(JSON.stringify({ deleted: command.deleted }));
  return texts;
}

/** Both in one object, for a poll is answered once. */
export function attributesText(command: DeviceCommand): string | undefined {
  const [first, second] = attributeTexts(command);
  if (first === undefined || second === undefined) return first;
  return first === '{}' ? second : `${first.slice(0, -1)},${second.slice(1)}`;
}
