import { type Device, type DeviceCredentials, parseJson } from '@moorage/core';
import {
  type ConnectionGuide,
  endpointsAt,
  mqttEndpoints,
  mqttSnippets,
  type PublicEndpoint,
  shellWord,
  textMember,
  urlHost,
} from '@moorage/dialect-api';
import { DIALECT_ID } from './manifest.ts';

const TELEMETRY_TOPIC = 'v1/devices/me/telemetry';
const EXAMPLE = '{"temperature":21.5}';

interface Login {
  readonly clientId: string | null;
  readonly username: string | null;
  readonly password: string | null;
}

const NO_LOGIN: Login = { clientId: null, username: null, password: null };

/** What the device sends at CONNECT. Section 1.3; the stored form is in thingsboard-server.md, 2.3. */
function loginOf(credentials: DeviceCredentials): Login {
  if (credentials.credentialsType === 'ACCESS_TOKEN') return { ...NO_LOGIN, username: credentials.credentialsId };
  if (credentials.credentialsType !== 'MQTT_BASIC') return NO_LOGIN;
  const value = parseJson(credentials.credentialsValue ?? '');
  return {
    clientId: textMember(value, 'clientId'),
    username: textMember(value, 'userName'),
    password: textMember(value, 'password'),
  };
}

/** How a device shows its certificate: over TLS alone, with files that only the device has. Section 1.4 */
function certificateSnippets({ host, mqttsPort }: PublicEndpoint): ConnectionGuide['snippets'] {
  if (mqttsPort === null) return [];
  const files = '--tls-use-os-certs --cert device.crt --key device.key';
  const message = `-t ${TELEMETRY_TOPIC} -m ${shellWord(EXAMPLE)}`;
  const text = `mosquitto_pub -d -q 1 -h ${shellWord(host)} -p ${mqttsPort} ${files} ${message}`;
  return [{ title: 'mosquitto_pub', language: 'shell', text }];
}

/** The token is all that HTTP and CoAP need; a device with other credentials cannot use them. Sections 9 and 10 */
function tokenSnippets(
  { host, httpPort, coapPort = null }: PublicEndpoint,
  token: string,
): ConnectionGuide['snippets'] {
  const address = urlHost(host);
  const path = `/api/v1/${encodeURIComponent(token)}/telemetry`;
  const snippets: { title: string; language: string; text: string }[] = [];
  if (httpPort !== null) {
    const text = `curl -d ${shellWord(EXAMPLE)} ${shellWord(`http://${address}:${httpPort}${path}`)}`;
    snippets.push({ title: 'curl', language: 'shell', text });
  }
  if (coapPort !== null) {
    const text = `coap-client -m post -e ${shellWord(EXAMPLE)} ${shellWord(`coap://${address}:${coapPort}${path}`)}`;
    snippets.push({ title: 'coap-client', language: 'shell', text });
  }
  return snippets;
}

/** How to connect a ThingsBoard device. */
export function connectionGuide(
  device: Device,
  credentials: DeviceCredentials,
  endpoint: PublicEndpoint,
): ConnectionGuide {
  const login = loginOf(credentials);
  const isToken = credentials.credentialsType === 'ACCESS_TOKEN';
  const fields: { name: string; value: string; secret: boolean }[] = [
    { name: 'device', value: device.name, secret: false },
  ];
  if (login.clientId !== null) fields.push({ name: 'clientId', value: login.clientId, secret: false });
  if (login.username !== null) {
    fields.push({ name: isToken ? 'accessToken' : 'username', value: login.username, secret: isToken });
  }
  if (login.password !== null) fields.push({ name: 'password', value: login.password, secret: true });
  fields.push(
    { name: 'telemetryTopic', value: TELEMETRY_TOPIC, secret: false },
    { name: 'attributesTopic', value: 'v1/devices/me/attributes', secret: false },
    { name: 'rpcRequestFilter', value: 'v1/devices/me/rpc/request/+', secret: false },
    { name: 'rpcResponsePrefix', value: 'v1/devices/me/rpc/response/', secret: false },
  );
  const example = {
    ...login,
    topicName: TELEMETRY_TOPIC,
    payload: EXAMPLE,
    topicFilter: 'v1/devices/me/attributes',
  };
  const mqtt = login === NO_LOGIN ? certificateSnippets(endpoint) : mqttSnippets(endpoint, example);
  if (!isToken) return { dialect: DIALECT_ID, endpoints: mqttEndpoints(endpoint), fields, snippets: mqtt };
  const { host, httpPort, coapPort = null } = endpoint;
  return {
    dialect: DIALECT_ID,
    endpoints: [...mqttEndpoints(endpoint), ...endpointsAt(host, { http: httpPort, coap: coapPort })],
    fields,
    snippets: [...mqtt, ...tokenSnippets(endpoint, credentials.credentialsId)],
  };
}
