import type { ProfileSettings } from '@moorage/core';
import type { DeviceCommand } from '@moorage/dialect-api';
import type { Answer } from './answer.ts';
import { encodeDeletedAttributes, encodeRpcRequest, encodeSharedAttributes } from './payloads.ts';
import { writeDeletedAttributes, writeUpdatedAttributes } from './protobuf/platform-answers.ts';
import type { ProtobufPayloads } from './protobuf/protobuf-payloads.ts';
import { attributesPushTopic, rpcRequestTopic } from './subscriptions.ts';
import { isRequestId, sentEncoding } from './topics.ts';

/**
 * A command for a device in the form that it subscribed to; undefined: there is no such form. An update and a deletion
 * are two messages. Sections 3.4 and 4.1
 */
export function deviceCommand(
  command: DeviceCommand,
  topicFilter: string,
  settings: ProfileSettings,
  protobuf: ProtobufPayloads,
  now: () => number,
): readonly Answer[] | undefined {
  if (command.kind === 'rpc') {
    const { id, method, params } = command;
    if (!isRequestId(id)) return undefined;
    const topicName = rpcRequestTopic(topicFilter, id);
    const json = sentEncoding(topicName, settings) === 'json';
    const payload = json ? encodeRpcRequest(method, params) : protobuf.rpcRequest(id, method, params);
    return payload === undefined ? undefined : [{ topicName, payload }];
  }
  const { values, deleted } = command;
  const topicName = attributesPushTopic(topicFilter);
  const json = sentEncoding(topicName, settings) === 'json';
  const answers: Answer[] = [];
  if (values !== null) {
    const payload = json ? encodeSharedAttributes(values) : writeUpdatedAttributes(values, now());
    answers.push({ topicName, payload });
  }
  if (deleted !== null) {
    const payload = json ? encodeDeletedAttributes(deleted) : writeDeletedAttributes(deleted);
    answers.push({ topicName, payload });
  }
  return answers;
}
