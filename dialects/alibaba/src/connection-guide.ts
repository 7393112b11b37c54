import type { Device, DeviceCredentials } from '@moorage/core';
import { type ConnectionGuide, mqttEndpoints, mqttSnippets, type PublicEndpoint } from '@moorage/dialect-api';
import { deviceSecretOf, parseUsername } from './credentials.ts';
import { DIALECT_ID } from './manifest.ts';
import { connectContent, type Hmac } from './signature.ts';

/** Stands in every Client Identifier of the C libraries, and is never compared with a clock. Section 1.2 */
const TIMESTAMP = '2524608000000';

/** How to connect a device: what is burnt in, and what any MQTT client sends in its place. */
export function connectionGuide(
  hmac: Hmac,
  device: Device,
  credentials: DeviceCredentials,
  endpoint: PublicEndpoint,
): ConnectionGuide {
  const endpoints = mqttEndpoints(endpoint);
  const identity = parseUsername(credentials.credentialsId);
  const name = { name: 'device', value: device.name, secret: false };
  if (identity === undefined) return { dialect: DIALECT_ID, endpoints, fields: [name], snippets: [] };
  const { productKey, deviceName } = identity;
  const names = [
    name,
    { name: 'productKey', value: productKey, secret: false },
    { name: 'deviceName', value: deviceName, secret: false },
  ];
  const secret = deviceSecretOf(credentials.credentialsValue);
  // A device that waits for its registration has nothing to sign with yet.
  if (secret === null) return { dialect: DIALECT_ID, endpoints, fields: names, snippets: [] };
  const secureMode = endpoint.mqttPort === null ? 2 : 3;
  const base = `${productKey}.${deviceName}`;
  const clientId = `${base}|timestamp=${TIMESTAMP},_ss=1,securemode=${secureMode},signmethod=hmacsha256|`;
  const password = hmac('sha256', secret, connectContent(identity, base, TIMESTAMP));
  const username = credentials.credentialsId;
  const fields = [
    ...names,
    { name: 'deviceSecret', value: secret, secret: true },
    { name: 'clientId', value: clientId, secret: false },
    { name: 'username', value: username, secret: false },
    { name: 'password', value: password, secret: true },
    { name: 'propertyPostTopic', value: `/sys/${productKey}/${deviceName}/thing/event/property/post`, secret: false },
    { name: 'propertySetTopic', value: `/sys/${productKey}/${deviceName}/thing/service/property/set`, secret: false },
  ];
  const snippets = mqttSnippets(endpoint, {
    username,
    password,
    clientId,
    topicName: `/sys/${productKey}/${deviceName}/thing/event/property/post`,
    payload: '{"id":"1","version":"1.0","params":{"temperature":21.5},"method":"thing.event.property.post"}',
    topicFilter: `/sys/${productKey}/${deviceName}/thing/service/property/set`,
  });
  return { dialect: DIALECT_ID, endpoints, fields, snippets };
}
