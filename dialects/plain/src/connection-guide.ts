import { type Device, type DeviceCredentials, parseJson } from '@moorage/core';
import {
  type ConnectionGuide,
  mqttEndpoints,
  mqttSnippets,
  type PublicEndpoint,
  textMember,
} from '@moorage/dialect-api';
import { DIALECT_ID } from './manifest.ts';

const TELEMETRY_TOPIC = 'moorage/me/telemetry';

/** How to connect a plain MQTT device. The stored form of its credentials is in api-additions.md, section 1. */
export function connectionGuide(
  device: Device,
  credentials: DeviceCredentials,
  endpoint: PublicEndpoint,
): ConnectionGuide {
  const value = parseJson(credentials.credentialsValue ?? '');
  const username = textMember(value, 'username') ?? credentials.credentialsId;
  const password = textMember(value, 'password');
  const clientId = textMember(value, 'clientId');
  const fields = [
    { name: 'device', value: device.name, secret: false },
    { name: 'username', value: username, secret: false },
    ...(password === null ? [] : [{ name: 'password', value: password, secret: true }]),
    ...(clientId === null ? [] : [{ name: 'clientId', value: clientId, secret: false }]),
    { name: 'telemetryTopic', value: TELEMETRY_TOPIC, secret: false },
    { name: 'attributesTopic', value: 'moorage/me/attributes', secret: false },
    { name: 'rpcRequestFilter', value: 'moorage/me/rpc/request/+', secret: false },
    { name: 'rpcResponsePrefix', value: 'moorage/me/rpc/response/', secret: false },
  ];
  const example = {
    username,
    password,
    clientId,
    topicName: TELEMETRY_TOPIC,
    payload: '{"temperature":21.5}',
    topicFilter: 'moorage/me/rpc/request/+',
  };
  return { dialect: DIALECT_ID, endpoints: mqttEndpoints(endpoint), fields, snippets: mqttSnippets(endpoint, example) };
}
