import { type CredentialLookup, type Device, type DeviceCredentials, parseJson } from '@moorage/core';
import {
  type ConnectionGuide,
  mqttEndpoints,
  mqttSnippets,
  type PublicEndpoint,
  shellWord,
  textMember,
  urlHost,
} from '@moorage/dialect-api';
import { DIALECT_ID } from './manifest.ts';

const PAYLOAD = '{"temp":20, "humidity":50}';

function accountIdOf({ credentialsValue }: DeviceCredentials): string {
  return textMember(parseJson(credentialsValue ?? ''), 'accountId') ?? '';
}

/** How to connect a device with the tokens of its account. thingscale.md, 5 */
export function connectionGuide(
  registry: CredentialLookup,
  device: Device,
  credentials: DeviceCredentials,
  endpoint: PublicEndpoint,
): ConnectionGuide {
  const endpoints = mqttEndpoints(endpoint);
  const deviceId = credentials.credentialsId;
  const names = [
    { name: 'device', value: device.name, secret: false },
    { name: 'deviceId', value: deviceId, secret: false },
  ];
  const account = registry.application?.(accountIdOf(credentials));
  const username = account?.username ?? null;
  const token = account?.secret?.('deviceToken') ?? account?.password ?? null;
  if (username === null || token === null) return { dialect: DIALECT_ID, endpoints, fields: names, snippets: [] };
  const topicName = `${token}/json/${deviceId}`;
  const topicFilter = `${token}/${deviceId}/subscribe`;
  const fields = [
    ...names,
    { name: 'username', value: username, secret: false },
    { name: 'password', value: token, secret: true },
    { name: 'dataTopic', value: topicName, secret: true },
    { name: 'binaryTopic', value: `${token}/binary/${deviceId}`, secret: true },
    { name: 'stateTopic', value: `${token}/state/${deviceId}`, secret: true },
    { name: 'commandTopic', value: topicFilter, secret: true },
  ];
  const example = { username, password: token, clientId: null, topicName, payload: PAYLOAD, topicFilter };
  const snippets = [...mqttSnippets(endpoint, example)];
  if (endpoint.httpPort !== null) {
    snippets.push({ title: 'curl', language: 'shell', text: curl(endpoint.host, endpoint.httpPort, token, deviceId) });
  }
  return { dialect: DIALECT_ID, endpoints, fields, snippets };
}

function curl(host: string, port: number, token: string, deviceId: string): string {
  const headers = [`X-DEVICETOKEN: ${token}`, `X-DEVICEID: ${deviceId}`, 'Content-Type: application/json'];
  const options = headers.map((header) => `-H ${shellWord(header)}`).join(' ');
  return `curl -X POST ${options} -d ${shellWord(PAYLOAD)} ${shellWord(`http://${urlHost(host)}:${port}/post_v2/`)}`;
}
